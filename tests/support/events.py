"""Server-Sent Events, read by curl or from a bare socket."""

import json
import pathlib
import socket

from support import processes
from support.polling import eventually


class Watcher:
    """curl on /v1/events, until end() or the end of the test's process."""

    def __init__(self, folder, port, token, last_event_id=None):
        self._file = pathlib.Path(folder) / f"events-{id(self)}"
        command = ["curl", "-sS", "-N", "-H", f"Authorization: Bearer {token}"]
        if last_event_id:
            command += ["-H", f"Last-Event-ID: {last_event_id}"]
        with open(self._file, "wb") as out:
            self.process = processes.start(
                [*command, f"http://127.0.0.1:{port}/v1/events"], stdout=out
            )
        eventually(lambda: self.text().count("\n\n"), "the stream has begun")

    def text(self):
        return self._file.read_text(encoding="utf-8")

    def blocks(self):
        """What came so far: of each event its fields by name; blocks without data are none."""
        found = []
        for block in self.text().split("\n\n")[:-1]:
            lines = [line for line in block.splitlines() if not line.startswith(":")]
            fields = dict(line.split(": ", 1) for line in lines)
            if "data" in fields:
                found.append({**fields, "data": json.loads(fields["data"])})
        return found

    def last_id(self):
        """Where to go on, as the standard has it: the last id of any block."""
        lines = [line for line in self.text().splitlines() if line.startswith("id: ")]
        return lines[-1].removeprefix("id: ")

    def await_event(self, kind, **members):
        """The first event of that type with those members."""

        def seen():
            for block in self.blocks():
                data = block["data"]
                if block["event"] == kind and members.items() <= data.items():
                    return block
            return None

        return eventually(seen, f"{kind} {members}")

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()


def open_stream(port, token):
    """A bare connection on /v1/events that nobody reads, with little room for what comes."""
    stream = socket.socket()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream.settimeout(20)
    stream.connect(("127.0.0.1", port))
    stream.sendall(
        f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    return stream


def read_to_end(stream):
    """Until the server ends the connection, well or badly."""
    octets = b""
    while True:
        try:
            more = stream.recv(65536)
        except ConnectionResetError:
            return octets
        if not more:
            return octets
        octets += more
