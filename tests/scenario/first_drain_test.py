"""The main job: a server, or one service, leaves the answers, ends its sessions, comes back."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import FEATURES, POOL, SERVICES, server_name, v4, v6

FE02 = server_name(2)


class FirstDrain(Scenario):
    def test_dig_sees_the_server_leave_every_answer_set_and_come_back(self):
        daemon = self.start()
        port = daemon.dns_port
        before = {
            (name, qtype): dns.dig(port, name, qtype)
            for name in [POOL, *[f"{feature}.{POOL}" for feature in FEATURES]]
            for qtype in ("A", "AAAA")
        }
        for (name, qtype), addresses in before.items():
            expected = [(v4 if qtype == "A" else v6)(n) for n in (1, 2, 3)]
            self.assertEqual(addresses, sorted(expected), f"{name} {qtype}")
        daemon.api().drain(FE02)
        for (name, qtype), addresses in before.items():
            left = [each for each in addresses if each not in (v4(2), v6(2))]
            self.assertEqual(dns.dig(port, name, qtype), left, f"{name} {qtype}")
        daemon.api().resume(FE02)
        for (name, qtype), addresses in before.items():
            eventually(
                lambda n=name, t=qtype, a=addresses: dns.dig(port, n, t) == a, f"{name} is whole"
            )

    def test_srv_loses_the_target_and_its_additional_addresses(self):
        daemon = self.start()
        name = f"_sip._tcp.{POOL}"
        whole = dns.ask(daemon.dns_port, name, "SRV")
        # SRV weight = weight x 256, so that clients that scale it down keep the resolution.
        self.assertEqual(
            whole.data("SRV"), [(10, 25600, 5060, server_name(n)) for n in (1, 2, 3)]
        )
        self.assertEqual(
            sorted(record.data for record in whole.additional if record.type in ("A", "AAAA")),
            sorted([*map(v4, (1, 2, 3)), *map(v6, (1, 2, 3))]),
        )
        daemon.api().drain(FE02)
        for tcp in (False, True):
            drained = dns.ask(daemon.dns_port, name, "SRV", tcp=tcp)
            self.assertEqual(
                [target for *_, target in drained.data("SRV")], [server_name(1), server_name(3)]
            )
            said = {(record.owner, record.data) for record in drained.additional}
            self.assertFalse([each for each in said if FE02 in each or v4(2) in each])

    def test_a_drained_service_reroutes_its_own_feature_alone(self):
        daemon = self.start()
        daemon.api().drain(FE02, service="call-park")
        self.assert_members(daemon, [1, 3], f"call-park.{POOL}")
        self.assert_members(daemon, [1, 3], f"call-park.{POOL}", "AAAA")
        for name in [POOL, *[f"{other}.{POOL}" for other in FEATURES if other != "call-park"]]:
            self.assert_members(daemon, [1, 2, 3], name)
        daemon.api().resume(FE02, service="call-park")
        self.assert_members(daemon, [1, 2, 3], f"call-park.{POOL}")

    def test_lifting_the_servers_hold_leaves_a_services_hold_in_place(self):
        daemon = self.start()
        api = daemon.api()
        api.drain(FE02, service="call-park")
        api.drain(FE02)
        api.resume(FE02)
        self.assert_members(daemon, [1, 2, 3])
        self.assert_members(daemon, [1, 3], f"call-park.{POOL}")

    def test_lifting_a_services_hold_leaves_the_servers_hold_in_place(self):
        daemon = self.start()
        api = daemon.api()
        api.drain(FE02, service="call-park")
        api.drain(FE02)
        api.resume(FE02, service="call-park")
        self.assert_members(daemon, [1, 3], f"call-park.{POOL}")
        self.assert_members(daemon, [1, 3])

    def test_sessions_count_down_and_then_the_verdict_is_safe(self):
        daemon = self.start()
        daemon.agents_keep_pushing()
        api, agent = daemon.api(), daemon.agent(2)
        agent.say("front-end", sessions={"connections": 12})
        reply = api.drain(FE02, reason="patch")
        self.assertEqual(reply["confirmed_by"], ["ns1.test"])
        self.assertEqual(reply["unconfirmed"], [])
        self.assertIn("cache_horizon", reply)
        for left in (12, 5, 1):
            agent.say("front-end", sessions={"connections": left})
            verdict = api.verdict(FE02)
            self.assertFalse(verdict["safe_to_stop"])
            texts = [each["text"] for each in verdict["reasons"] if each["code"] == "sessions"]
            self.assertEqual(len(texts), 1, verdict)
            self.assertIn(str(left), texts[0])
            self.assertEqual(api.service(FE02, "front-end")["status"], "draining")
        agent.say("front-end", sessions={"connections": 0})
        verdict = eventually(
            lambda: (v := api.verdict(FE02))["safe_to_stop"] and v, "the verdict is safe"
        )
        self.assertEqual(verdict["reasons"], [])
        for service in SERVICES:
            self.assertEqual(api.service(FE02, service)["status"], "drained")

    def test_the_verdict_waits_for_the_cache_horizon(self):
        daemon = self.start(ttl="3s")
        daemon.agents_keep_pushing()
        api = daemon.api()
        api.drain(FE02)
        verdict = api.verdict(FE02)
        self.assertEqual([each["code"] for each in verdict["reasons"]], ["horizon"])
        self.assertIn("until", verdict["reasons"][0])
        eventually(lambda: api.verdict(FE02)["safe_to_stop"], "the horizon is past")

    def test_one_services_verdict_is_about_that_service(self):
        daemon = self.start()
        daemon.agents_keep_pushing()
        api, agent = daemon.api(), daemon.agent(2)
        agent.say("front-end", sessions={"connections": 3})
        api.drain(FE02, service="call-park")
        eventually(lambda: api.verdict(FE02, "call-park")["safe_to_stop"], "call-park is drained")
        self.assertFalse(api.verdict(FE02)["safe_to_stop"])

    def test_sessions_that_are_not_known_are_never_zero(self):
        daemon = self.start()
        daemon.agents_keep_pushing()
        api, agent = daemon.api(), daemon.agent(2)
        del agent.services["front-end"]["sessions"]
        agent.push()
        api.drain(FE02)
        # The horizon is past, and the others were counted since.
        eventually(lambda: self.codes(api) == ["sessions-unknown"], "nothing else is missing")
        self.assertEqual(api.service(FE02, "front-end")["status"], "draining")

    def codes(self, api):
        return [each["code"] for each in api.verdict(FE02)["reasons"]]

    def test_nothing_to_count_is_zero(self):
        daemon = self.start()
        daemon.agents_keep_pushing()
        daemon.agent(2).say(sessions={})
        daemon.api().drain(FE02)
        eventually(lambda: daemon.api().verdict(FE02)["safe_to_stop"], "safe with empty sessions")

    def test_draining_is_not_down(self):
        daemon = self.start()
        daemon.agents_keep_pushing()
        api, agent = daemon.api(), daemon.agent(2)
        agent.say(sessions={"connections": 4})
        api.drain(FE02)
        agent.say(health="down")  # it refuses new connections itself now
        front_end = api.service(FE02, "front-end")
        self.assertEqual((front_end["status"], front_end["health"]), ("draining", "down"))
        agent.say(sessions={"connections": 0})
        eventually(lambda: api.verdict(FE02)["safe_to_stop"], "safe although its checks fail")

    def test_the_answers_are_rotated(self):
        daemon = self.start()
        first = {dns.ask(daemon.dns_port, POOL, "A").answer[0].data for _ in range(200)}
        self.assertEqual(first, {v4(1), v4(2), v4(3)})


if __name__ == "__main__":
    main()
