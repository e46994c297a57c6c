"""Answer policies: order, answer_size and slow_start, as clients see them."""

import collections
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, server_name, v4, v6

SIP = f"_sip._tcp.{POOL}"
QUERIES = 400


class Policies(Scenario):
    def orders(self, daemon, name=POOL, qtype="A"):
        """How often each order of the records came."""
        return collections.Counter(
            tuple(record.data for record in dns.ask(daemon.dns_port, name, qtype).answer)
            for _ in range(QUERIES)
        )

    def first(self, orders):
        first = collections.Counter()
        for order, times in orders.items():
            first[order[0]] += times
        return first

    def with_weights(self, *weights, **pool):
        daemon = self.start(servers=len(weights), agents=False, **pool)
        for server, weight in zip(daemon.config["pools"][0]["servers"], weights):
            server["weight"] = weight
        daemon.restart()
        daemon.agents_push()
        return daemon

    def test_fixed_is_the_order_of_the_configuration(self):
        orders = self.orders(self.start(order="fixed"))
        self.assertEqual(set(orders), {(v4(1), v4(2), v4(3))})

    def test_rotate_begins_with_each_in_turn_and_keeps_the_order_behind(self):
        orders = self.orders(self.start(order="rotate"))
        a, b, c = v4(1), v4(2), v4(3)
        self.assertEqual(set(orders), {(a, b, c), (b, c, a), (c, a, b)})
        for times in orders.values():
            self.assertGreater(times, QUERIES / 6)

    # The chance that one of 6 orders does not come in 400 answers is 1 in 10^31.
    def test_random_is_any_order(self):
        daemon = self.start(order="random")
        self.assertEqual(len(self.orders(daemon)), 6)
        self.assertEqual(len(self.orders(daemon, qtype="AAAA")), 6)
        self.assertEqual(len(self.orders(daemon, f"attendant.{POOL}")), 6)

    # Expected: 360 and 40; 10 standard deviations are 60.
    def test_weighted_puts_the_heavy_server_first_more_often(self):
        daemon = self.with_weights(90, 10, order="weighted")
        first = self.first(self.orders(daemon))
        self.assertGreater(first[v4(1)], 300)
        self.assertGreater(first[v4(2)], 0)

    def test_dig_shows_two_of_five(self):
        daemon = self.start(servers=5, answer_size=2)
        everybody = {v4(n) for n in range(1, 6)} | {v6(n) for n in range(1, 6)}
        for qtype in ("A", "AAAA"):
            for name in (POOL, f"attendant.{POOL}"):
                lines = dns.dig(daemon.dns_port, name, qtype)
                self.assertEqual(len(set(lines)), 2, lines)
                self.assertLessEqual(set(lines), everybody)
        self.assertEqual(len(dns.dig(daemon.dns_port, SIP, "SRV")), 2)
        self.assertEqual(len(dns.dig(daemon.dns_port, "+tcp", SIP, "SRV")), 2)

    def test_any_two_of_five_come_and_the_additional_section_follows(self):
        daemon = self.start(servers=5, answer_size=2)
        pairs = {frozenset(order) for order in self.orders(daemon)}
        self.assertEqual(len(pairs), 10)
        for _ in range(20):
            srv = dns.ask(daemon.dns_port, SIP, "SRV")
            targets = {record.data[3] for record in srv.answer}
            self.assertEqual(len(targets), 2)
            addresses = [record for record in srv.additional if record.owner]  # not OPT
            self.assertEqual({record.owner for record in addresses}, targets)
            self.assertEqual(len(addresses), 4)

    def test_answer_size_is_at_most_the_members_that_are_left(self):
        daemon = self.start(servers=3, answer_size=2)
        daemon.api().drain(server_name(1))
        self.assert_members(daemon, [2, 3])
        daemon.api().drain(server_name(2))
        self.assert_members(daemon, [3])

    def test_a_server_of_weight_0_waits_until_no_other_is_left(self):
        daemon = self.with_weights(100, 100, 0, answer_size=2)
        pairs = {frozenset(order) for order in self.orders(daemon)}
        self.assertEqual(pairs, {frozenset([v4(1), v4(2)])})
        daemon.api().drain(server_name(1))
        self.assert_members(daemon, [2, 3])

    def test_a_reload_changes_the_policy(self):
        daemon = self.start(order="fixed")
        daemon.config["pools"][0].update(order="random", answer_size=1)
        daemon.write_config()
        self.assertEqual(daemon.api().call("POST", "/v1/reload").status, 200)
        self.assertEqual(set(self.orders(daemon)), {(v4(1),), (v4(2),), (v4(3),)})


class SlowStart(Scenario):
    def state(self, daemon):
        """The weights of fe01's and fe02's SRV records, and the zone's serial."""
        weights = {data[3]: data[1] for data in dns.ask(daemon.dns_port, SIP, "SRV").data("SRV")}
        (soa,) = dns.ask(daemon.dns_port, POOL, "SOA").answer
        return weights.get(server_name(1)), weights.get(server_name(2)), soa.data

    def follow(self, daemon, until=25600):
        """Every weight of fe02's until that one; nobody else's changes, and no serial does."""
        seen, serials = [], set()

        def done():
            other, weight, serial = self.state(daemon)
            self.assertEqual(other, 25600)
            serials.add(serial)
            if not seen or seen[-1] != weight:
                seen.append(weight)
            return weight == until

        eventually(done, f"a weight of {until}")
        self.assertEqual(len(serials), 1, "a step moved the serial")
        self.assertEqual(seen, sorted(seen), "it only grows")
        self.assertLessEqual(set(seen), {2560 * tenths for tenths in range(1, 11)})
        return seen

    def generation(self, daemon):
        return daemon.api().get(f"/v1/pools/{POOL}")["generation"]

    def test_a_resumed_servers_weight_grows_without_a_generation(self):
        daemon = self.start(servers=2, slow_start="2s")
        self.assertEqual(self.state(daemon)[:2], (25600, 25600), "not at the authority's own start")
        api = daemon.api()
        api.drain(server_name(2))
        self.assertIsNone(self.state(daemon)[1])
        generation = api.resume(server_name(2))["generation"]
        seen = self.follow(daemon)
        self.assertLess(seen[0], 25600)
        self.assertGreater(len(seen), 2, seen)
        self.assertEqual(self.generation(daemon), generation)

    def test_health_that_comes_back_starts_slowly(self):
        daemon = self.start(servers=2, slow_start="2s")
        daemon.agent(2).say(health="down")
        eventually(lambda: self.state(daemon)[1] is None, "fe02 is out")
        daemon.agent(2).say(health="up")
        self.assertLess(self.follow(daemon)[0], 25600)

    def test_a_departure_in_the_middle_begins_anew(self):
        daemon = self.start(servers=2, slow_start="5s")
        api = daemon.api()
        api.drain(server_name(2))
        api.resume(server_name(2))
        self.follow(daemon, until=2 * 2560)
        api.drain(server_name(2))
        self.assertIsNone(self.state(daemon)[1])
        api.resume(server_name(2))
        self.assertEqual(self.state(daemon)[1], 2560)

    def test_a_reload_in_the_middle_goes_on_with_the_new_duration(self):
        daemon = self.start(servers=2, slow_start="1h")
        api = daemon.api()
        api.drain(server_name(2))
        api.resume(server_name(2))
        self.assertEqual(self.state(daemon)[1], 2560)
        self.assertIn("10 % of its weight", str(api.get(f"/v1/explain?name={POOL}")))
        for duration, weights in (("50m", {2560}), ("1s", set(range(2560, 25601, 2560)))):
            daemon.config["pools"][0]["slow_start"] = duration
            daemon.write_config()
            self.assertEqual(daemon.api().call("POST", "/v1/reload").status, 200)
            self.assertIn(self.state(daemon)[1], weights)
        self.follow(daemon)


if __name__ == "__main__":
    main()
