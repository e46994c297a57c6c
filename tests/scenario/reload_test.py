"""A reload takes effect whole or not at all, by SIGHUP and by POST /v1/reload."""

import copy
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, server_name, v4


class Reload(Scenario):
    def reload(self, daemon, expected=200):
        daemon.write_config()
        reply = daemon.api().call("POST", "/v1/reload")
        self.assertEqual(reply.status, expected, reply.text)
        return reply

    def without_fe02(self, daemon):
        """The configuration as it is, and the same without that server."""
        whole = copy.deepcopy(daemon.config)
        less = copy.deepcopy(whole)
        del less["pools"][0]["servers"][1]
        tokens = less["api"]["tokens"]
        tokens[:] = [token for token in tokens if token["name"] != "fe02"]
        return whole, less

    def test_sighup_brings_a_new_server(self):
        daemon = self.start()
        daemon.config["pools"][0]["servers"].append(
            {"fqdn": server_name(4), "addresses": [v4(4)], "weight": 100}
        )
        daemon.write_config()
        daemon.hang_up()
        # Never heard of: unknown, until its agent speaks or a grace lets it in.
        eventually(
            lambda: dns.dig(daemon.dns_port, server_name(4), "A") == [v4(4)], "its host record"
        )

    def test_the_api_reloads_too(self):
        daemon = self.start()
        daemon.config["pools"][0]["ttl"] = "7s"
        self.reload(daemon)
        self.assertEqual(dns.ask(daemon.dns_port, POOL, "A").answer[0].ttl, 7)

    def test_a_bad_configuration_leaves_the_old_one_serving(self):
        daemon = self.start()
        daemon.api().drain(server_name(1))
        good = copy.deepcopy(daemon.config)
        daemon.config["pools"][0]["ttl"] = "7s"
        daemon.config["pools"][0]["srv"][0]["service"] = "no-such-service"
        reply = self.reload(daemon, expected=409)
        self.assert_reply(reply, 409, rule="configuration")
        self.assertIn("no-such-service", reply.json["detail"])
        answer = dns.ask(daemon.dns_port, POOL, "A")
        self.assertEqual([record.ttl for record in answer.answer], [1, 1])
        daemon.hang_up()
        eventually(lambda: "no-such-service" in daemon.log(), "the log says why")
        self.assert_members(daemon, [2, 3])
        self.assertIsNone(daemon.process.poll())
        daemon.config = good
        self.reload(daemon)

    def test_holds_of_a_server_that_is_gone_are_orphans_and_come_back_with_its_name(self):
        daemon = self.start()
        daemon.api().drain(server_name(2), reason="patch")
        daemon.api().drain(server_name(3), service="call-park")
        whole, daemon.config = self.without_fe02(daemon)
        self.reload(daemon)
        self.assert_members(daemon, [1, 3])
        (orphan,) = daemon.api().get("/v1/pools")["orphans"]
        self.assertEqual((orphan["server"], orphan["hold"]["reason"]), (server_name(2), "patch"))
        daemon.config = whole
        self.reload(daemon)
        daemon.agent(2).push()
        self.assert_members(daemon, [1, 3])
        hold = daemon.api().service(server_name(2), "front-end")["holds"][0]
        self.assertEqual(hold["reason"], "patch")

    def test_orphans_survive_a_restart(self):
        daemon = self.start()
        daemon.api().drain(server_name(2))
        whole, daemon.config = self.without_fe02(daemon)
        daemon.restart()
        self.assert_members(daemon, [1, 3])
        daemon.config = whole
        daemon.restart()
        daemon.agents_push()
        self.assert_members(daemon, [1, 3])

    def test_health_and_holds_of_who_stays_are_kept(self):
        daemon = self.start()
        daemon.agent(1).say(health="down", sessions={"connections": 7})
        daemon.api().drain(server_name(2))
        daemon.config["pools"][0]["ttl"] = "2s"
        # A new order of servers changes their numbers, not what is known of their names.
        daemon.config["pools"][0]["servers"].reverse()
        self.reload(daemon)
        self.assert_members(daemon, [3])
        front_end = daemon.api().service(server_name(1), "front-end")
        self.assertEqual(front_end["sessions"], {"connections": 7})

    def test_answers_never_stop_during_reloads(self):
        daemon = self.start()
        for turn in range(10):
            daemon.config["pools"][0]["ttl"] = f"{1 + turn % 5}s"
            self.reload(daemon)
            self.assert_members(daemon, [1, 2, 3])


if __name__ == "__main__":
    main()
