"""Semantics, section 7: at the moment of a planned drain no cache names the server any more; shown
with a real caching resolver."""

import datetime
import pathlib
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, peers
from support.polling import eventually, until
from support.scenario import Scenario, main
from support.sluiced import POOL, configuration, server_name, v4

DRAINS = 20
TTL = 5
# Time for the first plan's caps to outrun the TTL that was served before, and for a busy machine to
# place all plans.
LEAD = TTL + 7.0
GAP = 0.4


class Clients(threading.Thread):
    """Many clients of one resolver: it never has a reason to let an answer go before its time."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.ended, self.asked = port, threading.Event(), 0

    def run(self):
        while not self.ended.is_set():
            dns.ask(self.port, POOL, "A", flags=dns.RD)
            self.asked += 1
            time.sleep(0.02)

    def end(self):
        self.ended.set()
        self.join()


def rfc3339(seconds):
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


class PlannedDrain(Scenario):
    def start_pool(self, servers):
        config = configuration(servers=servers, ttl=f"{TTL}s")
        config["health"]["horizon_margin"] = "1s"
        return self.start(config)

    def test_at_the_planned_moment_the_resolver_has_forgotten_the_server_twenty_times(self):
        daemon = self.start_pool(DRAINS + 2)
        resolver = peers.Unbound(self.folder, POOL, daemon.dns_port)
        self.addCleanup(resolver.end)
        clients = Clients(resolver.port)
        clients.start()
        self.addCleanup(clients.end)
        eventually(lambda: len(self.cached(resolver)) == DRAINS + 2, "the resolver has all")

        api = daemon.api()
        first = time.time() + LEAD
        moments = {}
        for number in range(1, DRAINS + 1):
            moments[number] = first + GAP * number
            reply = api.try_drain(server_name(number), at=rfc3339(moments[number]))
            self.assertEqual(reply.status, 201, reply.text)
            self.assertFalse(
                [w for w in reply.json["warnings"] if "caches may name it" in w], reply.text
            )
        self.assertLess(time.time(), first - TTL - 1, "the machine is too slow for this test")
        self.assertEqual(len(api.get("/v1/schedules")["schedules"]), DRAINS)

        late, early = [], []
        for number, moment in moments.items():
            # Before it leaves the answers it is still there: it leaves no earlier than it has to.
            until(moment - 1.35)
            if v4(number) not in self.served(daemon) and time.time() < moment - 1.1:
                early.append(number)
            until(moment)
            if v4(number) in self.cached(resolver):
                late.append(number)
        self.assertEqual(late, [], "named by the resolver at the moment of its drain")
        self.assertEqual(early, [], "had left the answers before its time")
        self.assertEqual(self.members(daemon), [DRAINS + 1, DRAINS + 2])
        self.assertGreater(clients.asked, 100)
        ttls = {record.ttl for record in dns.ask(daemon.dns_port, POOL, "A").answer}
        self.assertEqual(ttls, {TTL}, "the configured TTL has returned by itself")
        for number in moments:
            self.assertNotIn("horizon", self.reasons(daemon, number))

    def cached(self, resolver):
        return dns.ask(resolver.port, POOL, "A", flags=dns.RD).data("A")

    def served(self, daemon):
        return dns.ask(daemon.dns_port, POOL, "A").data("A")

    def reasons(self, daemon, number):
        return [each["code"] for each in daemon.api().verdict(server_name(number))["reasons"]]

    def test_the_ttl_counts_down_in_every_answer_that_names_the_server(self):
        daemon = self.start_pool(3)
        reply = daemon.api().try_drain(server_name(2), at="4s", service="front-end")
        self.assertEqual(reply.status, 201, reply.text)
        seen = []

        def gone():
            for qtype in ("A", "AAAA"):
                answer = dns.ask(daemon.dns_port, POOL, qtype)
                seen.append(max(record.ttl for record in answer.answer))
            srv = dns.ask(daemon.dns_port, f"_sip._tcp.{POOL}", "SRV")
            seen.append(max(record.ttl for record in srv.answer))
            return v4(2) not in dns.ask(daemon.dns_port, POOL, "A").data("A")

        other = dns.ask(daemon.dns_port, f"call-park.{POOL}", "A")
        self.assertEqual({record.ttl for record in other.answer}, {TTL}, "another service's name")
        eventually(gone, "it leaves")
        self.assertLessEqual(max(seen[:3]), 3)
        self.assertIn(0, seen)
        self.assertEqual(seen[:-3], sorted(seen[:-3], reverse=True), "it only counts down")

    def test_plans_survive_kill_and_what_passed_meanwhile_takes_effect_at_the_start(self):
        daemon = self.start_pool(3)
        api = daemon.api()
        soon = api.try_drain(server_name(1), at="2s", reason="soon")
        later = api.try_drain(server_name(2), at="1h", reason="later", startup="manual")
        self.assertEqual((soon.status, later.status), (201, 201))
        daemon.kill9()
        until(time.time() + 2)  # nobody is there when its time comes
        daemon.start()
        self.assertEqual(self.members(daemon), [2, 3], "in the first answer already")
        plans = daemon.api().get("/v1/schedules")["schedules"]
        self.assertEqual([plan["reason"] for plan in plans], ["later"])
        self.assertEqual(plans[0]["startup"], "manual")
        hold = daemon.api().service(server_name(1), "front-end")["holds"][0]
        self.assertEqual((hold["origin"], hold["reason"]), ("schedule", "soon"))

    def test_a_hold_that_expires_is_lifted_and_one_that_alarms_stands(self):
        daemon = self.start_pool(3)
        api = daemon.api()
        api.drain(server_name(1), expires="1s")
        api.drain(server_name(2), expires="1s", then="alarm")
        self.assertEqual(self.members(daemon), [3])
        eventually(lambda: self.members(daemon) == [1, 3], "the first is lifted by itself")
        eventually(lambda: "alarm " + server_name(2) in daemon.log(), "the second alarms")
        self.assertEqual(self.members(daemon), [1, 3])


if __name__ == "__main__":
    main()
