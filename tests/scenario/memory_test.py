"""Near its memory limit the authority turns away who matters least: readers of the API, then DNS over
TCP. DNS over UDP, heartbeats and the unix socket go on, and everybody is served again afterwards."""

import http.client
import pathlib
import socket
import struct
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, resources
from support.metrics import metric
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, READER, configuration, server_name

FE01 = server_name(1)
MIB = 1 << 20
HALF_BODY = 900_000  # octets, of a million that are announced
HALF_MESSAGE = 65_000  # of 65,535
SHORT, ENOUGH = "memory is short", "memory is enough again"
# Clients that are cut come back at once; then five seconds without need, and a sanitizer's delay.
RECOVERY_SECONDS = 60


class Crowd:
    """Clients that each make the daemon keep something, and come again when they are cut."""

    def __init__(self, number, port, octets):
        self._port, self._octets = port, octets
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._come, args=(number // 4,), daemon=True) for _ in range(4)
        ]
        for thread in self._threads:
            thread.start()

    def _come(self, number):
        clients = [None] * number
        while not self._ended.is_set():
            for place, client in enumerate(clients):
                if self._ended.is_set():
                    break
                if client is None or self._was_cut(client):
                    clients[place] = self._enter(client)
        for client in clients:
            if client:
                client.close()

    def _enter(self, before):
        if before:
            before.close()
        try:
            client = socket.create_connection(("127.0.0.1", self._port), timeout=1)
            client.sendall(self._octets)
            return client
        except OSError:  # nobody takes it, or it was cut already
            return None

    @staticmethod
    def _was_cut(client):
        client.settimeout(0.02)
        try:
            return not client.recv(4096)
        except TimeoutError:
            return False
        except OSError:
            return True

    def leave(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()


class Memory(Scenario):
    def start_small(self):
        """With twice as much as it takes at rest."""
        daemon = self.start(configuration(lease="10m"))
        self.limit = max(32 * MIB, 2 * resources.resident(daemon.process.pid))
        daemon.config["memory_limit"] = str(self.limit)
        daemon.restart()
        daemon.agents_push()
        return daemon

    def crowd(self, port, octets):
        # Half as much again as the limit leaves.
        crowd = Crowd(max(40, int(0.75 * self.limit / len(octets))), port, octets)
        self.addCleanup(crowd.leave)
        return crowd

    def body(self):
        head = (
            f"POST /v1/servers/{FE01}/drain HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {OPERATOR}\r\nContent-Length: 1000000\r\n\r\n"
        )
        return head.encode() + b" " * HALF_BODY

    def shedding(self, api):
        return metric(api, "sluice_memory_shedding")

    def get_pools(self, daemon):
        """As a reader over the network, on a connection of its own."""
        client = http.client.HTTPConnection("127.0.0.1", daemon.api_port, timeout=30)
        client.request("GET", "/v1/pools", headers={"Authorization": f"Bearer {READER}"})
        response = client.getresponse()
        response.read()
        client.close()
        return response

    def test_large_bodies_turn_readers_away_and_nobody_who_matters(self):
        daemon = self.start_small()
        local = daemon.local_api()
        watcher = socket.create_connection(("127.0.0.1", daemon.api_port), timeout=60)
        self.addCleanup(watcher.close)
        watcher.sendall(
            f"GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {READER}\r\n\r\n".encode()
        )
        self.assertIn(b"200 OK", watcher.recv(4096))
        self.assertEqual(metric(local, "sluice_memory_limit_bytes"), self.limit)
        self.assertEqual(self.shedding(local), 0)
        self.assertEqual(self.get_pools(daemon).status, 200)

        crowd = self.crowd(daemon.api_port, self.body())
        eventually(lambda: self.shedding(local) >= 1, "readers are turned away")
        refused = eventually(
            lambda: (r := self.get_pools(daemon)).status == 503 and r, "a reader is told"
        )
        self.assertEqual(refused.headers["Retry-After"], "5")
        ended = b""
        while octets := watcher.recv(65536):
            ended += octets
        self.assertTrue(ended.endswith(b"0\r\n\r\n"), "the stream ends in order")
        for number in (1, 2, 3):
            daemon.agent(number).push()
        self.members(daemon)
        local.get("/v1/pools")
        local.drain(FE01, reason="while memory is short")
        self.assert_members(daemon, [2, 3])

        crowd.leave()
        if self.sanitized:
            return  # what was freed stays resident, to find who uses it
        eventually(lambda: self.shedding(local) == 0, "all are served", RECOVERY_SECONDS)
        self.assertEqual(self.get_pools(daemon).status, 200)
        self.assertEqual(self.members(daemon, tcp=True), [2, 3])
        self.assertLess(resources.resident(daemon.process.pid), 0.9 * self.limit)
        self.assert_told(daemon)

    def test_half_messages_over_tcp_turn_tcp_away_and_udp_goes_on(self):
        daemon = self.start_small()
        local = daemon.local_api()
        half = struct.pack(">H", 65_535) + dns.encode_query(POOL, "A") + b"\0" * HALF_MESSAGE
        crowd = self.crowd(daemon.dns_port, half)
        eventually(lambda: self.shedding(local) == 2, "TCP is turned away")
        for _ in range(100):
            self.members(daemon)
        local.drain(FE01)
        self.assert_members(daemon, [2, 3])
        daemon.agent(2).push()
        crowd.leave()
        if self.sanitized:
            return
        eventually(lambda: self.shedding(local) == 0, "all are served", RECOVERY_SECONDS)
        self.assertEqual(self.members(daemon, tcp=True), [2, 3])
        self.assertEqual(self.get_pools(daemon).status, 200)
        self.assert_told(daemon)

    def assert_told(self, daemon):
        """Each change is one line, however many it met."""
        log = daemon.log()
        self.assertGreaterEqual(log.count(SHORT), 1, log)
        self.assertGreaterEqual(log.count(ENOUGH), 1, log)
        self.assertLess(log.count(SHORT) + log.count(ENOUGH), 20, log)

    def test_what_cannot_be_turned_away_ends_nothing(self):
        """Bodies on the unix socket, whose users are never turned away, take more than there is."""
        daemon = self.start()
        for _ in range(12):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.addCleanup(client.close)
            client.connect(str(daemon.folder / "sluice.sock"))
            client.sendall(self.body())
        daemon.config["memory_limit"] = "16MiB"
        daemon.write_config()
        daemon.hang_up()
        local = daemon.local_api()
        eventually(lambda: self.shedding(local) == 2, "the reload's limit counts")
        daemon.agent(1).push()
        self.members(daemon)
        local.drain(FE01)
        self.assert_members(daemon, [2, 3])
        del daemon.config["memory_limit"]
        daemon.write_config()
        daemon.hang_up()
        eventually(lambda: self.shedding(local) == 0, "and so does its end")
        self.assertEqual(self.members(daemon, tcp=True), [2, 3])


if __name__ == "__main__":
    main()
