"""SIGTERM answers what was received and exits 0."""

import pathlib
import socket
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.scenario import Scenario, main
from support.sluiced import POOL, server_name


class SigTerm(Scenario):
    def test_exits_0_with_open_connections(self):
        daemon = self.start()
        idle_dns = socket.create_connection(("127.0.0.1", daemon.dns_port))
        idle_http = socket.create_connection(("127.0.0.1", daemon.api_port))
        api = daemon.api()
        api.get("/healthz")
        self.assertEqual(daemon.stop(), 0, daemon.log())
        for each in (idle_dns, idle_http):
            each.close()

    def test_answers_what_it_has_received(self):
        daemon = self.start()
        with socket.create_connection(("127.0.0.1", daemon.dns_port)) as client:
            client.settimeout(10)
            query = dns.encode_query(POOL, "A")
            client.sendall((struct.pack(">H", len(query)) + query) * 50)
            # The first answer shows that the others' queries were received too: one segment.
            dns.read_tcp(client)
            daemon.process.terminate()
            for _ in range(49):
                self.assertEqual(len(dns.decode(dns.read_tcp(client)).answer), 3)
        self.assertEqual(daemon.stop(), 0, daemon.log())

    def test_leaves_neither_socket_nor_lock_behind(self):
        daemon = self.start()
        daemon.keep_ports()
        for _ in range(3):
            daemon.restart()
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse((daemon.folder / "sluice.sock").exists())

    def test_a_socket_file_that_a_kill_left_is_no_obstacle(self):
        daemon = self.start()
        daemon.kill9()
        daemon.start()
        self.assertEqual(daemon.local_api().get(f"/v1/servers/{server_name(1)}")["weight"], 100)


if __name__ == "__main__":
    main()
