"""Semantics, section 3, rule 6: never empty by accident, and what answers when all are held."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.scenario import Scenario, main
from support.sluiced import POOL, server_name


class WhenAllHeld(Scenario):
    def drain_all(self, daemon):
        for number in (1, 2, 3):
            daemon.api().drain(server_name(number))

    def test_nodata_is_the_default(self):
        daemon = self.start()
        self.drain_all(daemon)
        for name, qtype in ((POOL, "A"), (POOL, "AAAA"), (f"_sip._tcp.{POOL}", "SRV")):
            answer = dns.ask(daemon.dns_port, name, qtype)
            self.assertEqual((answer.rcode, answer.answer), (dns.NOERROR, []))
            (soa,) = answer.authority
            # min(SOA TTL, MINIMUM), RFC 2308 section 5.
            self.assertEqual((soa.type, soa.owner, soa.ttl), ("SOA", POOL, 10))

    def test_the_pools_last_resort_addresses(self):
        daemon = self.start(when_all_held={"addresses": ["192.0.2.9"]})
        self.drain_all(daemon)
        self.assert_members(daemon, ["192.0.2.9"])
        answer = dns.ask(daemon.dns_port, POOL, "AAAA")  # none of that type: NODATA
        self.assertEqual((answer.rcode, answer.answer), (dns.NOERROR, []))
        daemon.api().resume(server_name(2))
        self.assert_members(daemon, [2])

    def test_serve_held_answers_with_held_members_and_their_verdict_is_red(self):
        daemon = self.start(when_all_held="serve_held")
        self.drain_all(daemon)
        self.assert_members(daemon, [1, 2, 3])
        verdict = daemon.api().verdict(server_name(1))
        self.assertFalse(verdict["safe_to_stop"])
        self.assertIn("served-while-held", [each["code"] for each in verdict["reasons"]])

    def test_serve_held_leaves_out_held_members_that_are_down(self):
        daemon = self.start(when_all_held="serve_held")
        daemon.agent(1).say(health="down")
        self.drain_all(daemon)
        self.assert_members(daemon, [2, 3])

    def test_never_empty_answers_with_the_unhealthy_when_nobody_is_well(self):
        daemon = self.start()
        daemon.agent(1).say(health="down")
        daemon.agent(2).say(health="stopped")
        self.assert_members(daemon, [3])
        daemon.agent(3).say(health="down")
        self.assert_members(daemon, [1, 2, 3])

    def test_never_empty_brings_back_neither_the_held_nor_the_forced_down(self):
        daemon = self.start()
        daemon.api().drain(server_name(1))
        daemon.api().force(server_name(2), "down")
        daemon.agent(3).say(health="down")
        self.assert_members(daemon, [3])

    def test_force_up_beats_the_agents_claim_and_unforce_shows_the_truth(self):
        daemon = self.start()
        api = daemon.api()
        daemon.agent(1).say(health="down")
        self.assert_members(daemon, [2, 3])
        api.force(server_name(1), "up")
        self.assert_members(daemon, [1, 2, 3])
        self.assertEqual(api.service(server_name(1), "front-end")["forced"], "up")
        api.force(server_name(1), None)
        self.assert_members(daemon, [2, 3])
        self.assertIsNone(api.service(server_name(1), "front-end")["forced"])

    def test_a_hold_beats_force_up(self):
        daemon = self.start()
        daemon.api().drain(server_name(1))
        daemon.api().force(server_name(1), "up")
        self.assert_members(daemon, [2, 3])


if __name__ == "__main__":
    main()
