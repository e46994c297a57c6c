"""Foreign octets on every port: afterwards every answer is right."""

import pathlib
import random
import socket
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, server_name

SEED = 20261120  # any; the same in each run, so that a failure can be repeated
MESSAGES = 2000


class Garbage(Scenario):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.daemon = self.start()

    def tearDown(self):
        # In the same process: it neither crashed nor was it started again.
        self.assertIsNone(self.daemon.process.poll(), self.daemon.log()[-4000:])
        self.assert_members(self.daemon, [1, 2, 3])
        self.assertEqual(self.members(self.daemon, tcp=True), [1, 2, 3])
        self.daemon.api().drain(server_name(1))
        self.assert_members(self.daemon, [2, 3])

    def octets(self, most=600):
        return self.random.randbytes(self.random.randrange(most))

    def mutated(self):
        """A query with some octets changed, cut or repeated: deeper into the parser than noise."""
        qtype = self.random.choice(["A", "SRV", "ANY"])
        wire = bytearray(dns.encode_query(POOL, qtype, payload=1232))
        for _ in range(self.random.randrange(1, 6)):
            wire[self.random.randrange(len(wire))] = self.random.randrange(256)
        if self.random.random() < 0.3:
            wire = wire[: self.random.randrange(len(wire))]
        if self.random.random() < 0.2:
            wire += self.octets(40)
        return bytes(wire)

    def test_udp(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", self.daemon.dns_port))
            for turn in range(MESSAGES):
                client.send(self.octets() if turn % 2 else self.mutated())

    def test_an_empty_datagram_and_one_of_64k(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", self.daemon.dns_port))
            client.send(b"")
            client.send(dns.encode_query(POOL, "A") + bytes(65000))

    def test_no_answer_to_an_answer(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", self.daemon.dns_port))
            client.settimeout(2)
            client.send(dns.encode_query(POOL, "A", ident=1, flags=0x8000))
            client.send(dns.encode_query(POOL, "A", ident=2))
            self.assertEqual(dns.decode(client.recv(4096)).ident, 2)

    def test_dns_over_tcp(self):
        for turn in range(200):
            with socket.create_connection(("127.0.0.1", self.daemon.dns_port)) as client:
                try:
                    for _ in range(5):
                        wire = self.mutated()
                        framed = struct.pack(">H", len(wire)) + wire
                        client.sendall(self.octets() if turn % 2 else framed)
                except ConnectionError:
                    pass  # cut: allowed

    def test_half_a_tcp_message_and_silence(self):
        clients = [
            socket.create_connection(("127.0.0.1", self.daemon.dns_port)) for _ in range(64)
        ]
        for client in clients:
            client.send(b"\0\x40half")
        self.assertEqual(self.members(self.daemon, tcp=True), [1, 2, 3])
        for client in clients:
            client.close()

    def test_http(self):
        starts = [
            b"", b"GET ", b"POST /v1/servers/x/drain HTTP/1.1\r\n", b"GET / HTTP/9.9\r\n\r\n",
            b"PUT /v1/servers/x/heartbeat HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            b"POST /v1/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: b\r\n folded: yes\r\n\r\n",
        ]  # fmt: skip
        for turn in range(400):
            with socket.create_connection(("127.0.0.1", self.daemon.api_port)) as client:
                try:
                    client.sendall(starts[turn % len(starts)] + self.octets(4000))
                    client.shutdown(socket.SHUT_WR)
                except OSError:
                    pass

    def test_bodies_that_are_no_json(self):
        api = self.daemon.api()
        for _ in range(300):
            reply = api.call("POST", f"/v1/servers/{server_name(1)}/drain", self.octets(300))
            self.assertIn(reply.status, (400, 413), reply.text)
        for body in (b"[" * 50000, b'{"a":' * 20000, b'{"reason":"\\ud800"}', b"\xff\xfe", b"nul"):
            reply = api.call("POST", f"/v1/servers/{server_name(1)}/drain", body)
            self.assertIn(reply.status, (400, 413), reply.text[:300])
        self.assert_members(self.daemon, [1, 2, 3])

    def test_the_unix_socket(self):
        for _ in range(100):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.connect(str(self.daemon.folder / "sluice.sock"))
                try:
                    client.sendall(self.octets(2000))
                except OSError:
                    pass

    def test_targets_and_headers_of_a_http_request(self):
        for target in ("/" + "x" * 9000, "/%00%ff", "//", "/v1/servers/%2e%2e/drain", "*"):
            with socket.create_connection(("127.0.0.1", self.daemon.api_port)) as client:
                client.settimeout(5)
                client.sendall(
                    f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR}\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
                status = client.recv(64).split(b" ")[1:2]
                self.assertIn(status[0][:1] if status else b"4", (b"4",), target)


if __name__ == "__main__":
    main()
