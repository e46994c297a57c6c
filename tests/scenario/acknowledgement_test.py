"""Semantics, section 5: what the acknowledgement of a drain promises."""

import array
import fcntl
import json
import pathlib
import socket
import struct
import sys
import termios
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, configuration, server_name, v4

# The promise is about a race, so many tries; the sanitizers make each some ten times slower.
ROUNDS, ROUNDS_SANITIZED = 1000, 100


class Acknowledgement(Scenario):
    def test_no_answer_after_an_acknowledgement_names_the_server(self):
        config = configuration(servers=5)
        config["dns"]["workers"] = 4
        daemon = self.start(config)
        rounds = ROUNDS_SANITIZED if self.sanitized else ROUNDS
        done = processes.run(
            [
                self.build / "ack_flood", daemon.dns_port, daemon.api_port, OPERATOR, rounds, POOL,
                f"call-park.{POOL}", *[f"{server_name(n)}={v4(n)}" for n in range(1, 6)],
            ],
            timeout=240,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr + daemon.log()[-2000:])
        counts = json.loads(done.stdout)
        print(f"{rounds} rounds (sanitized: {self.sanitized}): {done.stdout.strip()}")
        self.assertEqual(counts["rounds"], rounds)
        for transport in ("udp", "tcp"):
            self.assertGreaterEqual(counts[transport]["judged"], rounds, transport)
            self.assertEqual(counts[transport]["broken"], 0, transport)
            self.assertEqual(counts[transport]["short"], 0, transport)
        self.assertGreater(counts["udp"]["judged_late"], 0, "the kernel's times were compared")

    def test_a_tcp_client_that_does_not_read_delays_no_acknowledgement(self):
        config = configuration(servers=8)
        config["dns"]["workers"] = 1
        daemon = self.start(config)
        tested = 0
        # Where the machine is so slow that the responder cuts all readers first (it gives them
        # 10 s), the next server is drained.
        drained = []
        while tested == 0 and len(drained) < 5:
            clients = [SlowReader(daemon.dns_port) for _ in range(4)]
            for client in clients:
                client.ask_until_blocked()
            number = len(drained) + 2
            started = time.monotonic()
            daemon.api().drain(server_name(number))
            took = time.monotonic() - started
            drained.append(number)
            self.assertLess(took, 2.0, "the acknowledgement waited for a reader")
            # Answers that began to leave before are the past; all others are the promise's.
            for client in clients:
                handed_over = client.octets_in_kernel()
                later, broken = client.read_everything(handed_over, named=v4(number))
                self.assertEqual(broken, 0, f"of {later} answers")
                tested += later
                client.close()
        self.assertGreater(tested, 0, "else nothing was tested")
        self.assert_members(daemon, [n for n in range(1, 9) if n not in drained])

    def test_the_reply_names_generation_responder_and_horizon(self):
        daemon = self.start()
        first = daemon.api().drain(server_name(1))
        second = daemon.api().drain(server_name(2))
        self.assertGreater(second["generation"], first["generation"])
        self.assertEqual(first["confirmed_by"], ["ns1.test"])
        self.assertEqual(first["unconfirmed"], [])
        self.assertRegex(first["cache_horizon"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.assertIsInstance(first["warnings"], list)

    def test_tcp_and_udp_and_every_worker_agree_at_once(self):
        config = configuration()
        config["dns"]["workers"] = 4
        daemon = self.start(config)
        connections = [socket.create_connection(("127.0.0.1", daemon.dns_port)) for _ in range(8)]
        daemon.api().drain(server_name(3))
        for connection in connections:
            query = dns.encode_query(POOL, "A")
            connection.sendall(struct.pack(">H", len(query)) + query)
            self.assertEqual(dns.decode(dns.read_tcp(connection)).data("A"), [v4(1), v4(2)])
            connection.close()
        for _ in range(32):
            self.assert_members(daemon, [1, 2])


class SlowReader:
    """A TCP client that asks much and reads nothing, until told to."""

    def __init__(self, port):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # Small, so that the answers soon fill every buffer on the way.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setblocking(False)
        self._port = self._socket.getsockname()[1]

    def close(self):
        self._socket.close()

    def ask_until_blocked(self):
        query = dns.encode_query(POOL, "A", payload=None)
        queries = (struct.pack(">H", len(query)) + query) * 256
        rest = b""
        blocked_since = None

        def blocked():
            nonlocal rest, blocked_since
            try:
                rest = rest or queries
                rest = rest[self._socket.send(rest) :]
                blocked_since = None
            except BlockingIOError:
                blocked_since = blocked_since or time.monotonic()
            except ConnectionError:
                return True  # the responder cut it: allowed
            # Full buffers both ways, and for so long that the responder is no longer reading.
            return blocked_since and time.monotonic() - blocked_since > 0.3

        while not blocked():
            if blocked_since:
                eventually(blocked, "the responder stopped reading")
                break

    def octets_in_kernel(self):
        """What the responder has handed over and this client has not read: the responder's send
        queue, from /proc/net/tcp, then this socket's receive queue. Octets that go from one to the
        other meanwhile count twice, which errs on the responder's side."""
        total = 0
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, _, remote, _, queues = line.split()[:5]
            if remote.endswith(f":{self._port:04X}"):
                total += int(queues.split(":")[0], 16)
        # Asked of the socket itself: one that was reset is no longer listed, and has octets to read.
        waiting = array.array("i", [0])
        fcntl.ioctl(self._socket, termios.FIONREAD, waiting)
        return total + waiting[0]

    def read_everything(self, handed_over, named):
        """(answers that begin after `handed_over` octets, those of them that name the address)."""
        self._socket.setblocking(True)
        self._socket.settimeout(2.0)
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        octets = bytearray()
        try:
            while part := self._socket.recv(1 << 20):
                octets += part
        except (TimeoutError, ConnectionError):
            pass
        later = broken = at = 0
        needle = b"\0\4" + socket.inet_aton(named)
        while at + 2 <= len(octets):
            (size,) = struct.unpack_from(">H", octets, at)
            if at + 2 + size > len(octets):
                break
            if at >= handed_over:
                later += 1
                broken += needle in octets[at : at + 2 + size]
            at += 2 + size
        return later, broken


if __name__ == "__main__":
    main()
