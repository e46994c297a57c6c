"""An acknowledged hold survives `kill -9`: in force from the first packet after the restart."""

import pathlib
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, server_name, v4

TIMES = 5


class Kill9(Scenario):
    def first_answer(self, daemon, port, name=POOL):
        """Restarts the daemon, asking all the while; its very first answer."""
        daemon.launch()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", port))
            client.settimeout(0.01)

            def answered():
                try:
                    client.send(dns.encode_query(name, "A"))
                    return client.recv(4096)
                except (ConnectionRefusedError, TimeoutError):
                    return None

            first = dns.decode(eventually(answered, "the first answer"))
        daemon.await_ready()
        return first

    def test_the_drained_server_is_not_in_the_first_answer(self):
        daemon = self.start()
        daemon.keep_ports()
        port = daemon.dns_port
        for turn in range(TIMES):
            drained = 1 + turn % 3
            daemon.api().drain(server_name(drained), reason=f"turn {turn}")
            daemon.kill9()
            first = self.first_answer(daemon, port)
            others = [v4(n) for n in (1, 2, 3) if n != drained]
            self.assertEqual(first.data("A"), others)
            hold = daemon.api().service(server_name(drained), "front-end")["holds"][0]
            self.assertEqual(
                (hold["reason"], hold["by"], hold["scope"], hold["origin"]),
                (f"turn {turn}", "operations", "server", "operator"),
            )
            daemon.api().resume(server_name(drained))

    def test_a_services_hold_survives_too(self):
        daemon = self.start()
        daemon.keep_ports()
        port = daemon.dns_port
        daemon.api().drain(server_name(1), service="call-park")
        daemon.kill9()
        self.assertEqual(
            self.first_answer(daemon, port, f"call-park.{POOL}").data("A"), [v4(2), v4(3)]
        )
        self.assert_members(daemon, [1, 2, 3])

    def test_what_changes_no_answer_is_acknowledged_after_a_restart(self):
        # Nothing is published for it: the publication that the workers began with is the newest.
        daemon = self.start()
        daemon.keep_ports()
        daemon.api().drain(server_name(1))
        daemon.kill9()
        daemon.start()
        again = daemon.api().drain(server_name(1))
        self.assertEqual(again["confirmed_by"], ["ns1.test"])
        agent = daemon.agent(1)
        paused = {"by": "root", "reason": "patch", "since": "2026-01-01T00:00:00Z", "force": True}
        self.assertTrue(agent.say("front-end", paused=paused)["services"]["front-end"]["held"])

    def test_an_acknowledged_resume_survives_too(self):
        daemon = self.start()
        daemon.keep_ports()
        port = daemon.dns_port
        daemon.api().drain(server_name(1))
        daemon.api().resume(server_name(1))
        daemon.kill9()
        self.assertEqual(self.first_answer(daemon, port).data("A"), [v4(1), v4(2), v4(3)])

    def test_a_forced_health_survives_too(self):
        daemon = self.start()
        daemon.keep_ports()
        port = daemon.dns_port
        daemon.api().force(server_name(1), "down")
        daemon.kill9()
        self.assertEqual(self.first_answer(daemon, port).data("A"), [v4(2), v4(3)])

    def test_last_known_health_answers_until_the_agents_have_spoken(self):
        daemon = self.start()
        daemon.keep_ports()
        port = daemon.dns_port
        daemon.agent(3).say(health="down")
        self.assert_members(daemon, [1, 2])
        daemon.api().drain(server_name(1))
        # Nobody waits for transitions to be written; a clean stop has written them.
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.first_answer(daemon, port).data("A"), [v4(2)])

    def test_the_authoritys_restart_releases_no_hold(self):
        daemon = self.start()
        api = daemon.api()
        api.drain(server_name(1), startup="automatic")
        daemon.restart()
        daemon.agents_push()  # the same instances as before
        self.assert_members(daemon, [2, 3])


if __name__ == "__main__":
    main()
