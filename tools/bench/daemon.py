"""One sluiced that is measured: its process, what it spends, and a client of its API."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from comparison.servers import free_port


def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\0\1\0\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"


class Daemon:
    """sluiced with DIR/sluice.yaml, which whoever makes it writes for these two ports."""

    def __init__(self, build, folder):
        self.build, self.folder = build, pathlib.Path(folder)
        self.dns_port = free_port()
        self.api_port = free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = None

    def start(self, name, prefix=()):
        """Seconds until the first answer, for this name; `prefix`: of the command."""
        begin = time.perf_counter()
        log = open(self.folder / "log", "w", encoding="utf-8")
        command = [*prefix, self.build / "sluiced", "--config", self.folder / "sluice.yaml"]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", self.dns_port))
            client.settimeout(0.005)
            while True:
                try:
                    client.send(query(name))
                    client.recv(4096)
                    return time.perf_counter() - begin
                except (ConnectionRefusedError, socket.timeout):
                    if self.process.poll() is not None:
                        sys.exit("bench: " + (self.folder / "log").read_text())
                    time.sleep(0.001)

    def wait_for_api(self):
        """It listens a moment after the first answer; a minute at most, under valgrind."""
        for _ in range(600):
            try:
                return socket.create_connection(("127.0.0.1", self.api_port)).close()
            except ConnectionRefusedError:
                time.sleep(0.1)
        sys.exit("bench: the API does not listen: " + (self.folder / "log").read_text())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def resident(self):
        """Octets."""
        text = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGESIZE")

    def cpu(self, thread):
        """Nanoseconds that the threads whose name begins so have run, user and system."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if (task / "comm").read_text().startswith(thread):
                total += int((task / "schedstat").read_text().split()[0])
        return total

    def ask(self, *arguments):
        command = [self.build / "bench_load", f"127.0.0.1@{self.dns_port}", "--json", *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bench: wrong answers or none: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


class Api:
    """One connection, kept."""

    def __init__(self, daemon, token):
        self.token = token
        self.stream = socket.create_connection(("127.0.0.1", daemon.api_port))
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path):
        """Milliseconds."""
        return self._ask(f"POST {path}", "Content-Type: application/json\r\nContent-Length: 2\r\n", "{}")

    def get(self, path):
        """Milliseconds."""
        return self._ask(f"GET {path}", "", "")

    def _ask(self, line, fields, body):
        request = (
            f"{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
            f"{fields}\r\n{body}"
        ).encode()
        begin = time.perf_counter()
        self.stream.sendall(request)
        reply = b""
        while b"\r\n\r\n" not in reply:
            reply += self.stream.recv(65_536) or sys.exit("bench: the API closed the connection")
        head, _, body = reply.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(fields[b"content-length"]):
            body += self.stream.recv(65_536) or sys.exit("bench: the API closed the connection")
        elapsed = (time.perf_counter() - begin) * 1e3
        if head.split()[1] != b"200":
            sys.exit(f"bench: {line}: {head.decode()} {body.decode()}")
        return elapsed
