"""Requests as nobody means them, in plain text and over TLS: each gets a refusal or a close, nobody
else notices, and nothing of them stays."""

import pathlib
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.certificates import Authority
from support.hostile import CASES, CLOSE
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import configuration, server_name
from support.tls_exchange import TlsOctets

ROUNDS = 3
# What a client that means well may have to wait; sanitized code is that much slower.
PATIENCE, PATIENCE_SANITIZED = 2.0, 20.0
# The first round has taken what the allocator keeps for the largest requests. Each later one does
# the same again: what is left of any case (16 KiB at least for most of them, 255 cases) would show,
# and 2 MiB is what arenas of an allocator move by themselves.
RESIDENT_GROWTH = 2 * 1024 * 1024


class Plain:
    """What a client sends and reads is what it says and hears."""

    def shake_hands(self, client):
        pass

    def say(self, plain):
        return plain

    def goodbye(self):
        return b""

    def hear(self, octets):
        return octets


def exchange(address, octets, patience, by=None, pieces=False):
    """All that comes back. Sends everything, octet by octet or at once, then says that nothing more
    comes. `by`: Plain() or TlsOctets."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    by = by or Plain()
    received = b""
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(patience)
        client.connect(address)
        by.shake_hands(client)
        try:
            if pieces:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for at in range(len(octets)):
                    client.sendall(by.say(octets[at : at + 1]))
            else:
                client.sendall(by.say(octets))
            client.sendall(by.goodbye())
            client.shutdown(socket.SHUT_WR)
        except (ConnectionError, TimeoutError):
            pass  # it is not read to its end: what came back says why
        try:
            while piece := client.recv(65536):
                received += by.hear(piece) or b""
        except ConnectionError:
            pass
    return received


def statuses(received):
    """Of each response: content of ours has no line that begins like one."""
    lines = received.split(b"\r\n")
    return [int(line[9:12]) for line in lines if line.startswith(b"HTTP/1.1 ")]


class GoodClient(threading.Thread):
    """Asks again and again, each time on a new connection, and remembers the longest wait."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.api, self.longest, self.failures, self.asked = api, 0.0, [], 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.05):
            begin = time.monotonic()
            try:
                client = self.api()
                reply = client.call("GET", f"/v1/servers/{server_name(1)}")
                client.close()
                if reply.status != 200:
                    self.failures.append(reply.text)
            except OSError as error:
                self.failures.append(repr(error))
            self.longest = max(self.longest, time.monotonic() - begin)
            self.asked += 1

    def end(self):
        self.ended.set()
        self.join()


class HostileHttp(Scenario):
    rounds = ROUNDS

    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon()
        self.patience = PATIENCE_SANITIZED if self.sanitized else PATIENCE

    def start_daemon(self):
        return self.start()

    def speech(self):
        """Of one connection."""
        return Plain()

    def connect(self):
        """(socket, its speech)"""
        client = socket.create_connection(("127.0.0.1", self.daemon.api_port))
        speech = self.speech()
        speech.shake_hands(client)
        return client, speech

    def resident(self):
        status = pathlib.Path(f"/proc/{self.daemon.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def descriptors(self):
        return len(list(pathlib.Path(f"/proc/{self.daemon.process.pid}/fd").iterdir()))

    def check(self, case, address):
        with self.subTest(case.name):
            received = exchange(address, case.octets, 10 * self.patience, self.speech())
            got = statuses(received)
            self.assertLessEqual(len(got), 1, f"more than one response: {received[:2000]!r}")
            self.assertIn(got[0] if got else CLOSE, case.expected, received[:2000])
            if not got:
                return
            head, _, content = received.partition(b"\r\n\r\n")
            # Nothing of what came is a field or markup, whatever reads it.
            for field in (b"application/problem+json", b"nosniff", b"no-store"):
                self.assertIn(field, head)
            self.assertNotIn(b"Set-Cookie", head)
            for octet in content[:-1]:
                self.assertTrue(octet >= 0x20 and octet != 0x7F, content)
            self.assertNotIn("\u202e", content.decode())
            self.assertNotIn("\u009b", content.decode())

    def test_each_is_refused_and_nobody_else_notices(self):
        self.assertGreaterEqual(len(CASES), 100)
        good = [GoodClient(self.daemon.api), GoodClient(self.daemon.local_api)]
        before = self.descriptors()
        for client in good:
            client.start()
        resident = []
        try:
            for _ in range(self.rounds):
                for case in CASES:
                    self.check(case, ("127.0.0.1", self.daemon.api_port))
                resident.append(self.resident())
        finally:
            for client in good:
                client.end()
        for client in good:
            self.assertEqual(client.failures[:3], [])
            self.assertGreater(client.asked, 0)
            self.assertLess(client.longest, self.patience)
        if not self.sanitized:
            self.assertLess(resident[-1] - resident[0], RESIDENT_GROWTH, resident)
        eventually(lambda: self.descriptors() <= before + len(good), "descriptors as before")
        self.assertIsNone(self.daemon.process.poll(), self.daemon.log()[-4000:])
        self.assert_members(self.daemon, [1, 2, 3])
        for character in ("\x1b", "\u202e", "\u009b", "\0"):
            self.assertNotIn(character, self.daemon.log())

    def test_octet_by_octet_it_is_the_same(self):
        """Segments end where the network likes: what is refused whole is refused in pieces."""
        for case in CASES:
            if len(case.octets) > 400 or not case.octets:
                continue
            with self.subTest(case.name):
                address = ("127.0.0.1", self.daemon.api_port)
                received = exchange(
                    address, case.octets, 10 * self.patience, self.speech(), pieces=True
                )
                got = statuses(received)
                self.assertLessEqual(len(got), 1, received)
                # A reset may take the response with it when there is more to read.
                self.assertIn(got[0] if got else CLOSE, (*case.expected, CLOSE), received)

    def test_who_trickles_is_cut_in_time(self):
        """An octet a second keeps no request alive: its time is of the whole."""
        trickles = {
            "head": b"GET /healthz HTTP/1.1\r\nA: ",
            "body": b"POST /v1/reload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "
            b"operations-token\r\nContent-Length: 1000\r\n\r\n",
            "nothing": b"",
        }
        clients, speeches = {}, {}
        for name, begin in trickles.items():
            clients[name], speeches[name] = self.connect()
            clients[name].sendall(speeches[name].say(begin))
        begun, cut = time.monotonic(), {}
        while len(cut) < len(clients) and time.monotonic() - begun < 30:
            for name, client in clients.items():
                if name in cut:
                    continue
                client.settimeout(0.2)
                try:
                    if name != "nothing":
                        client.sendall(speeches[name].say(b" "))
                    # A ticket for the next session is none of its end.
                    octets = client.recv(65536)
                    if not octets or speeches[name].hear(octets) is None:
                        cut[name] = time.monotonic() - begun
                except TimeoutError:
                    pass
                except ConnectionError:
                    cut[name] = time.monotonic() - begun
        for client in clients.values():
            client.close()
        self.assertEqual(sorted(cut), sorted(clients), "cut")
        for name, seconds in cut.items():
            # 10 s for the request, 2 s to read why.
            self.assertLess(seconds, 12 + self.patience, name)


class HostileHttpOverTls(HostileHttp):
    """The same. What is new is whether an end of TLS comes as the end of a request, and that records
    of one octet are put together."""

    rounds = 2

    def start_daemon(self):
        authority = Authority(self.folder)
        home = self.folder / "authority-of-pools"
        home.mkdir()
        authority.server(home)
        self.context = authority.trusted()
        config = configuration()
        config["api"]["tls"] = {"certificate": "api.crt", "key": "api.key"}
        return self.start(config, folder=home.name, tls=self.context)

    def speech(self):
        return TlsOctets(self.context)


if __name__ == "__main__":
    main()
