"""Response rate limiting: what a flood gets, and who is spared."""

import pathlib
import re
import select
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.rfc import COOKIE, TC, RfcScenario, opt, option, query, read
from support.scenario import main
from support.sluiced import POOL

BURST = 10
# One a second: what comes back within a test is next to nothing.
LIMIT = {"responses_per_second": 1, "burst": BURST, "slip": 2}
FLOOD = 50


class RateLimit(RfcScenario):
    def flood(self, path, wire, count=FLOOD):
        """The replies to so many queries."""
        replies = []
        with path.connect(timeout=0.5) as client:
            for _ in range(count):
                path.send(client, wire)
                # One at a time, so that no socket buffer loses any.
                if select.select([client], [], [], 0.02)[0]:
                    replies.append(read(path.receive(client)))
        return replies

    def limited(self, daemon, action):
        page = daemon.api().call("GET", "/metrics").text
        pattern = rf'sluice_dns_rate_limited_total{{action="{action}"}} (\d+)'
        return int(re.search(pattern, page).group(1))

    def test_it_is_off_by_default(self):
        self.serve()
        for path in self.each_path(tcp=False):
            self.assertEqual(len(self.flood(path, query())), FLOOD)

    def test_a_flood_gets_its_burst_and_each_second_answer_empty(self):
        daemon = self.serve({"rate_limit": LIMIT})
        for path in self.each_path(tcp=False):
            replies = self.flood(path, query(POOL, "A", opt()))
            whole = [each for each in replies if not each.flags & TC]
            empty = [each for each in replies if each.flags & TC]
            # A second or two pass on a slow machine.
            self.assertLessEqual(len(whole), BURST + 5)
            self.assertGreaterEqual(len(whole), BURST)
            limited = FLOOD - len(whole)
            self.assertAlmostEqual(len(empty), limited / 2, delta=1)
            for each in empty:
                self.assertEqual((each.counts, each.edns), ((0, 0, 1), True))
                self.assertEqual(each.question, query(POOL)[12:])
            for each in whole:
                self.assertEqual(len(each.records.answer), 3)
        self.assertGreater(self.limited(daemon, "slipped"), 0)
        self.assertGreater(self.limited(daemon, "dropped"), 0)

    def test_who_got_the_empty_answer_gets_a_whole_one_over_tcp(self):
        self.serve({"rate_limit": {**LIMIT, "slip": 1}})
        for path in self.each_path(tcp=False):
            self.flood(path, query())
            over_tcp = dns.dig(path.port, POOL, "A", "+nocookie", address=path.address)
            self.assertEqual(len(over_tcp), 3, "dig asks again over TCP when it sees TC")
        for path in self.each_path(tcp=True):
            self.assertEqual(len(self.flood(path, query())), FLOOD)

    def test_names_and_kinds_of_answers_have_limits_of_their_own(self):
        self.serve({"rate_limit": LIMIT})
        for path in self.each_path(tcp=False):
            self.flood(path, query())
            for name, qtype, rcode in (
                (f"web.{POOL}", "A", dns.NOERROR), (f"x.nowhere.{POOL}", "A", dns.NXDOMAIN),
                ("example.net", "A", dns.REFUSED),
            ):  # fmt: skip
                (reply,) = self.flood(path, query(name, qtype), 1)
                self.assertEqual((reply.rcode, reply.flags & TC), (rcode, 0), name)

    def test_random_labels_do_not_get_around_it(self):
        self.serve({"rate_limit": LIMIT}, records="*.wild 300 IN A 192.0.2.1\n")
        for path in self.each_path(tcp=False):
            for suffix in (f"wild.{POOL}", POOL, "example.net"):
                whole = 0
                for number in range(FLOOD):
                    replies = self.flood(path, query(f"r{number}.{suffix}"), 1)
                    whole += sum(not each.flags & TC for each in replies)
                self.assertLessEqual(whole, BURST + 5, suffix)

    def test_a_good_cookie_is_spared(self):
        self.serve({"rate_limit": LIMIT})
        for path in self.each_path(tcp=False):
            learn = query(POOL, "A", opt(option(COOKIE, b"12345678")))
            cookie = path.ask(learn).options[COOKIE]
            good = query(POOL, "A", opt(option(COOKIE, cookie)))
            replies = self.flood(path, good)
            self.assertEqual(len([each for each in replies if not each.flags & TC]), FLOOD)
            bad = query(POOL, "A", opt(option(COOKIE, cookie[:-1] + b"x")))
            self.assertLess(len(self.flood(path, bad)), FLOOD)

    def test_exempt_blocks_are_spared(self):
        self.serve({"rate_limit": {**LIMIT, "exempt": ["127.0.0.0/8"]}})
        for path in self.each_path(tcp=False):
            spared = path.address == "127.0.0.1"
            self.assertEqual(len(self.flood(path, query())) == FLOOD, spared)

    def test_a_reload_switches_it_on_and_off(self):
        daemon = self.serve()
        (path, *_) = self.paths
        for block, limited in ((LIMIT, True), (None, False)):
            daemon.config["dns"].pop("rate_limit", None)
            if block:
                daemon.config["dns"]["rate_limit"] = block
            daemon.write_config()
            reloads = daemon.log().count("reloaded by SIGHUP")
            daemon.hang_up()
            eventually(
                lambda n=reloads: daemon.log().count("reloaded by SIGHUP") > n, "it has reloaded"
            )
            self.assertEqual(len(self.flood(path, query())) < FLOOD, limited)


if __name__ == "__main__":
    main()
