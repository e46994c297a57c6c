"""When file descriptors are used up, UDP goes on, TCP clients wait and are served later, nothing
spins, and what needs a file says so."""

import http.client
import pathlib
import resource
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, resources
from support.metrics import metric
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, server_name

FE01, FE02 = server_name(1), server_name(2)
WAITING = 20  # clients at each door; any number makes one line
USED_UP, FREE = "file descriptors are used up", "file descriptors are free again"
GAUGES = ("sluice_dns_tcp_accept_paused", "sluice_api_accept_paused")


def framed(name):
    query = dns.encode_query(name, "A")
    return struct.pack(">H", len(query)) + query


class Doors:
    """Clients that have connected and asked, accepted or not."""

    def __init__(self, daemon, each):
        get = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        path = str(daemon.folder / "sluice.sock")
        self.clients = []
        for _ in range(each):
            self.knock(socket.AF_INET, ("127.0.0.1", daemon.dns_port), framed(POOL))
            self.knock(socket.AF_INET, ("127.0.0.1", daemon.api_port), get)
            self.knock(socket.AF_UNIX, path, get)

    def knock(self, family, address, octets):
        client = socket.socket(family, socket.SOCK_STREAM)
        client.settimeout(20)
        client.connect(address)
        client.sendall(octets)
        self.clients.append((client, address))

    def answered(self):
        """How many got octets. Those that are cut have none."""
        answers = 0
        for client, address in self.clients:
            try:
                answers += client.recv(4096) != b""
            except ConnectionResetError:
                raise AssertionError(f"a client of {address} was reset") from None
        return answers

    def leave(self):
        for client, _ in self.clients:
            client.close()


class Descriptors(Scenario):
    def test_udp_goes_on_and_tcp_clients_wait_until_there_are_some(self):
        daemon = self.start()
        pid = daemon.process.pid
        inside = daemon.local_api()
        inside.get("/readyz")
        before = resources.take_all_descriptors(pid)
        doors = Doors(daemon, WAITING)
        self.addCleanup(doors.leave)
        eventually(
            lambda: all(metric(inside, gauge) >= 1 for gauge in GAUGES), "both doors are paused"
        )
        self.members(daemon)
        self.assertEqual(len(dns.dig(daemon.dns_port, POOL, "A")), 3)
        inside.drain(FE01)
        daemon.agent(2).push()
        self.assert_members(daemon, [2, 3])

        begin, used = time.monotonic(), resources.cpu_seconds(pid)
        time.sleep(2)  # what it takes to measure
        share = (resources.cpu_seconds(pid) - used) / (time.monotonic() - begin)
        self.assertLess(share, 0.5 if self.sanitized else 0.1, "it spins")

        resources.give_descriptors(pid, before)
        self.assertEqual(doors.answered(), 3 * WAITING, "somebody was cut")
        for gauge in GAUGES:
            self.assertEqual(metric(inside, gauge), 0)
        eventually(lambda: FREE in daemon.log(), "the end is told")
        log = daemon.log()
        self.assertEqual((log.count(USED_UP), log.count(FREE)), (1, 1), log)

    def test_files_that_cannot_be_opened_are_errors_and_the_old_state_serves_on(self):
        daemon = self.start()
        api = daemon.local_api()
        api.get("/readyz")
        before = resources.take_all_descriptors(daemon.process.pid)
        reload = api.call("POST", "/v1/reload")
        self.assertGreaterEqual(reload.status, 400, reload.text)
        self.assertIn("Too many open files", reload.text)
        # SQLite may have kept a descriptor of a file that it opens anew.
        self.assertIn(api.call("HEAD", "/v1/backup").status, (200, 507))
        daemon.hang_up()
        eventually(lambda: daemon.log().count("the old configuration serves on") >= 2, "refused")
        # What is open already works: the store above all.
        api.drain(FE02, reason="without descriptors")
        self.assert_members(daemon, [1, 3])
        api.get(f"/v1/servers/{FE02}/history")
        resources.give_descriptors(daemon.process.pid, before)
        self.assert_reply(api.call("POST", "/v1/reload"), 200)
        self.assertEqual(api.call("HEAD", "/v1/backup").status, 200)
        self.assert_members(daemon, [1, 3])

    def test_clients_that_take_all_of_a_low_limit_keep_nobody_out_for_long(self):
        daemon = self.start(agents=False)
        assert daemon.stop() == 0
        low = 128
        daemon.start(limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (low, low)))
        daemon.agents_push()
        crowd = Doors(daemon, 100)
        self.addCleanup(crowd.leave)
        silent = []
        for port in (daemon.dns_port, daemon.api_port):
            for _ in range(100):
                client = socket.create_connection(("127.0.0.1", port), timeout=20)
                self.addCleanup(client.close)
                silent.append(client)
        for _ in range(20):
            self.members(daemon)
        # Agents that were there stay.
        daemon.agent(1).push()
        crowd.leave()
        self.assertEqual(self.members(daemon, tcp=True), [1, 2, 3])
        daemon.local_api().drain(FE01)
        for client in silent:
            client.close()
        api = http.client.HTTPConnection("127.0.0.1", daemon.api_port, timeout=30)
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        api.request("GET", f"/v1/servers/{FE01}", headers=headers)
        self.assertEqual(api.getresponse().status, 200)
        api.close()
        self.assertEqual(self.members(daemon, tcp=True), [2, 3])
        self.assertLessEqual(daemon.log().count(USED_UP), 1)


if __name__ == "__main__":
    main()
