"""sluicectl verify: real answers of responders, name servers and a caching resolver against the
authority's state, each fault told as what it is."""

import ipaddress
import json
import os
import pathlib
import random
import re
import sys
import threading
import unittest
from datetime import datetime

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import peers, processes
from support.forwarder import SILENT, TCP, UDP, Forwarder, flags, honest, replaced
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, configuration, server_name, v4

AA, TC = 0x0400, 0x0200
OUT = "fe02 (draining)"


def keeping(change=honest):
    """For ever what the authority answered first."""
    kept = {}

    def keep(octets, transport):
        question = octets[12 : octets.index(b"\0", 12) + 5]
        first = kept.setdefault(question, octets)
        return octets[:2] + change(first, transport)[2:]

    return keep


class Verify(Scenario):
    def pool(self, **changes):
        config = configuration(**{"ttl": "60s", **changes})
        config["health"]["horizon_margin"] = "2s"
        return config

    def verify(self, daemon, exit_code, *words, ns=False):
        return self.ctl(daemon, exit_code, "verify", *words, *([] if ns else ["--no-ns"]))

    def ctl(self, daemon, exit_code, *words):
        done = processes.run(
            [self.build / "sluicectl", "--socket", daemon.folder / "sluice.sock", *words],
            env={**os.environ, "TZ": "UTC0"},
        )
        self.assertEqual(done.returncode, exit_code, f"{words}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def forwarder(self, daemon, change=honest, **where):
        forwarder = Forwarder(daemon.dns_port, change, **where)
        self.addCleanup(forwarder.close)
        return forwarder

    def test_a_stale_cache_is_told_apart_from_a_wrong_answer(self):
        daemon = self.start(self.pool())
        resolver = peers.Unbound(self.folder, POOL, daemon.dns_port)
        self.addCleanup(resolver.end)
        where = f"127.0.0.1@{resolver.port}"
        self.assertIn("all as it should be", self.verify(daemon, 0, "--server", where))
        daemon.api().drain(server_name(2))
        # The drain is acknowledged: the responder has forgotten it, the resolver has not.
        stale = self.verify(daemon, 0, "pool01", "--server", where)
        self.assertIn(f"still names {OUT}; caches clear in ", stale)
        self.assertIn("right, but for caches that may be stale", stale)
        self.verify(daemon, 3, "--server", where, "--strict")
        told = json.loads(self.verify(daemon, 0, "--json", "--server", where))
        self.assertEqual(told["result"], "stale")
        by_kind = {each["kind"]: each["answers"] for each in told["pools"][0]["servers"]}
        self.assertEqual({each["result"] for each in by_kind["responder"]}, {"right"})
        # Host records stay.
        balanced = {each["result"] for each in by_kind["resolver"] if each["name"][:2] != "fe"}
        self.assertEqual(balanced, {"stale"})
        horizon = daemon.api().service(server_name(2), "front-end")["cache_horizon"]
        front_end = [each for each in by_kind["resolver"] if each["name"] == POOL]
        for each in front_end:
            # The authority's clocks are read anew for each reply: a millisecond more or less.
            apart = datetime.fromisoformat(each["until"]) - datetime.fromisoformat(horizon)
            self.assertLess(abs(apart.total_seconds()), 0.1)

    def test_what_no_cache_may_have_any_more_is_wrong(self):
        """A resolver that keeps answers for longer than they say."""
        daemon = self.start(self.pool(ttl="1s"))
        daemon.agents_keep_pushing()
        resolver = self.forwarder(daemon, keeping(flags(clear=AA)))
        self.verify(daemon, 0, "--server", resolver.name)
        daemon.api().drain(server_name(2))
        eventually(
            lambda: "horizon" not in json.dumps(daemon.api().verdict(server_name(2))),
            "the horizon is past",
        )
        wrong = self.verify(daemon, 1, "--server", resolver.name)
        self.assertIn("fe02 (drained), which no cache may have any more", wrong)

    def test_a_lying_name_server_of_the_zone_is_wrong_and_a_silent_one_does_not_answer(self):
        lying, silent = (f"127.{random.randrange(1, 255)}.{random.randrange(255)}.{n}" for n in (7, 8))
        config = self.pool()
        config["zones"][0]["records"] += "@ 300 IN NS ns2\n@ 300 IN NS elsewhere.test.\n"
        config["zones"][0]["records"] = config["zones"][0]["records"].replace("127.0.0.1", lying)
        config["zones"][0]["records"] += f"ns2 300 IN A {silent}\n"
        daemon = self.start(config)
        change = replaced(ipaddress.ip_address(v4(2)).packed, ipaddress.ip_address(v4(66)).packed)
        try:
            forwarder = self.forwarder(daemon, change, address=lying, port=53)
            self.forwarder(daemon, lambda *_: SILENT, address=silent, port=53)
        except PermissionError:
            raise unittest.SkipTest("who may not bind port 53 is no name server")
        told = json.loads(self.verify(daemon, 1, "--json", ns=True))
        servers = {each["server"]: each for each in told["pools"][0]["servers"]}
        self.assertEqual(servers[f"{lying}@53"]["who"], f"NS ns1.{POOL}")
        answers = {
            (each["name"], each["type"]): each for each in servers[f"{lying}@53"]["answers"]
        }
        wrong = answers[POOL, "A"]
        self.assertEqual(wrong["result"], "wrong")
        self.assertEqual(wrong["text"], f"names {v4(66)}, which is no server's of this pool; lacks fe02")
        self.assertEqual(answers[POOL, "AAAA"]["result"], "right")
        # So do the address behind an SRV target and the server's own record.
        lie = f"gives fe02 the address {v4(66)}, which is none of its own"
        self.assertEqual(answers[f"_sip._tcp.{POOL}", "SRV"]["text"], lie)
        self.assertEqual(answers[server_name(2), "A"]["text"], lie + "; lacks fe02")
        self.assertEqual(answers[server_name(1), "A"]["result"], "right")
        self.assertGreater(forwarder.asked, 12, "looked at again before it is blamed")
        said = {each["result"] for each in servers[f"{silent}@53"]["answers"]}
        self.assertEqual(said, {"no-answer"})
        self.assertEqual(
            told["pools"][0]["notes"],
            [
                "NS elsewhere.test is not asked: the authority serves no address of it",
                "name servers are asked at port 53; your responder listens at "
                f"{daemon.dns_port}; --no-ns leaves them out",
            ],
        )

    def test_other_faults_have_their_names(self):
        daemon = self.start(self.pool())

        def truncating(octets, transport):
            return flags(add=TC)(octets, transport) if transport == UDP else octets

        def tcp_fails(octets, transport):
            return SILENT if transport == TCP else truncating(octets, transport)

        def results(change):
            server = self.forwarder(daemon, change)
            outcome = 0 if change is truncating else 1
            told = json.loads(self.verify(daemon, outcome, "--json", "--server", server.name))
            answers = told["pools"][0]["servers"][1]["answers"]
            return {(each["transport"], each["result"]) for each in answers}

        self.assertEqual(results(truncating), {("udp", "right"), ("tcp", "right")})
        self.assertEqual(results(tcp_fails), {("udp", "truncated"), ("tcp", "no-answer")})
        self.assertEqual(results(flags(add=5)), {("udp", "refused"), ("tcp", "refused")})
        self.assertEqual(results(flags(add=2)), {("udp", "failed"), ("tcp", "failed")})
        garbage = results(lambda octets, _: octets[:-3])
        self.assertEqual(garbage, {("udp", "malformed"), ("tcp", "malformed")})

    def numbered(self, number, **changes):
        """A pool like that of the other tests, by another name, of addresses of its own."""
        pool = configuration(servers=4, **changes)["pools"][0]
        name = f"pool{number:02}.contoso.example"
        text = json.dumps({**pool, "fqdn": name}).replace(f".{POOL}", f".{name}")
        pool = json.loads(text)
        for at, server in enumerate(pool["servers"], 1):
            server["addresses"] = [f"10.99.{number}.{at}"]
            if at < 4:
                server["addresses"].append(f"fd99:{number}::{at}")
        return pool

    def start_pools(self, *pools):
        config = self.pool()
        config["pools"] = list(pools)
        records = config["zones"][0]["records"]
        config["zones"] = [{"name": "contoso.example", "records": records}]
        config["api"]["tokens"] = config["api"]["tokens"][:2]
        return self.start(config, agents=False)

    def test_who_is_silent_is_asked_once_about_each_other_pool(self):
        daemon = self.start_pools(self.numbered(1), self.numbered(2))
        silent = self.forwarder(daemon, lambda *_: SILENT)
        shown = self.verify(daemon, 1, "--server", silent.name)
        self.assertRegex(shown, r"resolver +21 no-answer +21 no-answer")
        self.assertRegex(shown, r"resolver +1 no-answer +1 no-answer")

    def test_pools_of_every_policy_raise_no_false_alarm(self):
        daemon = self.start_pools(
            self.numbered(1, order="weighted", answer_size=2, ttl="1s"),
            self.numbered(2, when_all_held={"addresses": ["10.99.0.99", "fd99::99"]}),
            self.numbered(3, when_all_held="nodata"),
            self.numbered(4, when_all_held="serve_held", ttl="2s"),
            self.numbered(5, slow_start="1h", order="random"),
        )
        api = daemon.api()
        self.assertIn("all as it should be", self.verify(daemon, 0))
        for number in range(2, 5):
            for server in range(1, 5):
                api.drain(f"fe{server:02}.pool{number:02}.contoso.example", force=True)
        api.force("fe02.pool05.contoso.example", "down")
        api.force("fe02.pool05.contoso.example", None)
        planned = api.try_drain("fe01.pool01.contoso.example", at="1h")
        self.assertEqual(planned.status, 201, planned.text)
        shown = self.verify(daemon, 0)
        self.assertIn("all as it should be", shown)
        self.assertEqual(len(re.findall("21 right +21 right", shown)), 5, shown)

    def test_a_hidden_host_record_is_gone(self):
        daemon = self.start(self.pool())
        resolver = peers.Unbound(self.folder, POOL, daemon.dns_port)
        self.addCleanup(resolver.end)
        where = f"127.0.0.1@{resolver.port}"
        self.verify(daemon, 0, "--server", where)
        lying = f"@{self.forwarder(daemon, keeping()).name}"
        self.assertIn("right: ", self.ctl(daemon, 0, "dig", server_name(2), lying))
        daemon.api().drain(server_name(2), hide_host=True)
        stale = self.verify(daemon, 0, "--server", where)
        self.assertIn("fe02 A, fe02 AAAA: still names fe02 (host record hidden); caches", stale)
        self.assertIn(
            "names fe02 (host record hidden), which is out of the answers",
            self.ctl(daemon, 0, "dig", server_name(2), lying),
        )
        self.assertIn("right: ", self.ctl(daemon, 0, "dig", server_name(2)))
        daemon.api().resume(server_name(2))
        self.verify(daemon, 0, "--server", where)

    def test_dig_sees_a_wrong_address_behind_a_target(self):
        daemon = self.start(self.pool())
        change = replaced(ipaddress.ip_address(v4(2)).packed, ipaddress.ip_address(v4(66)).packed)
        lying = f"@{self.forwarder(daemon, change).name}"
        lie = f"wrong: gives fe02 the address {v4(66)}, which is none of its own"
        shown = self.ctl(daemon, 0, "dig", f"_sip._tcp.{POOL}", lying)
        self.assertIn(lie, shown)
        self.assertRegex(shown, rf"additional section\n.*\n(?s:.*)fe02 +60 +A +{v4(66)} +-")
        self.assertIn(lie, self.ctl(daemon, 0, "dig", server_name(2), lying))

    def test_dig_has_the_authoritys_word_on_each_record(self):
        daemon = self.start(self.pool())
        resolver = peers.Unbound(self.folder, POOL, daemon.dns_port)
        self.addCleanup(resolver.end)
        where = f"127.0.0.1@{resolver.port}"
        self.assertIn("right: ", self.ctl(daemon, 0, "dig", POOL, f"@{where}"))
        daemon.api().drain(server_name(2), reason="patch")
        now = self.ctl(daemon, 0, "dig", POOL)
        self.assertRegex(now, rf"60 +A +{v4(1)} +fe01 +accepting +\S+ +yes +accepting")
        self.assertRegex(now, r"fe02 +draining +\S+ +hold +\S+ +held .*patch")
        stale = self.ctl(daemon, 0, "dig", POOL, f"@{where}", "--tcp")
        self.assertRegex(stale, rf"A +{v4(2)} +fe02 +draining +\S+ +no +hold")
        self.assertIn(f"stale: still names {OUT}; caches clear in", stale)
        srv = json.loads(self.ctl(daemon, 0, "--json", "dig", f"_sip._tcp.{POOL}"))
        self.assertEqual([each["in"] for each in srv["answer"]], [True, True])
        self.assertEqual([each["server"] for each in srv["missing"]], [server_name(2)])
        self.assertEqual(srv["result"], "right")
        host = self.ctl(daemon, 0, "dig", server_name(2), "AAAA")
        self.assertRegex(host, r"AAAA +fd99::12 +fe02 +draining")
        self.assertIn("NXDOMAIN", self.ctl(daemon, 0, "dig", f"nosuch.{POOL}"))
        self.assertIn(f"ns1.{POOL}.", self.ctl(daemon, 0, "dig", POOL, "NS"))
        plain = self.ctl(daemon, 0, "dig", POOL, "SRV")
        self.assertIn("no answer set", plain)
        self.assertNotIn("NOT IN IT", plain)
        self.ctl(daemon, 1, "dig", POOL, "--server", "127.0.0.1@9")
        self.assertEqual(daemon.stop(), 0)
        # Somebody looks because the authority is away: what the cache has is shown.
        self.assertIn(v4(2), self.ctl(daemon, 5, "dig", POOL, f"@{where}"))

    def test_changes_while_it_looks_are_nobodys_fault(self):
        daemon = self.start(self.pool(ttl="0s"))
        ended = threading.Event()

        def change():
            api = daemon.local_api()
            while not ended.is_set():
                api.drain(server_name(2))
                api.resume(server_name(2))

        changing = threading.Thread(target=change, daemon=True)
        changing.start()
        try:
            for _ in range(5):
                self.verify(daemon, 0)
        finally:
            ended.set()
            changing.join()

    def test_without_an_authority_there_is_nothing_to_compare_with(self):
        daemon = self.start(self.pool())
        self.assertEqual(daemon.stop(), 0)
        self.verify(daemon, 5)


if __name__ == "__main__":
    main()
