"""What presses on the responder as hard as it can leaves nothing behind: memory and descriptors are
flat, answers are right, and a drain is acknowledged.

--long: 60 s at saturation, 100,000 random names, 22,000 mutated packets, 10,000 resets; the short
form is a few seconds of each. --seed N plays random names and mutations again."""

import json
import pathlib
import random
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes, resources
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import FEATURES, POOL, configuration, server_name, v4, v6

LONG = "--long" in sys.argv
if LONG:
    sys.argv.remove("--long")
SEED = random.randrange(1 << 32)
if "--seed" in sys.argv:
    at = sys.argv.index("--seed")
    SEED = int(sys.argv[at + 1])
    del sys.argv[at : at + 2]

FE01 = server_name(1)
ROUNDS = 3 if LONG else 2  # after the one that warms up
# The first round takes what malloc keeps and what the kernel counts as ours for later; after it
# the same pressure finds that memory free. 10,000 connections that leave 420 octets each, or
# 100,000 names that leave 42, are more than this.
GROWTH_OCTETS = 4 << 20
# From a drain to its acknowledgement with all processors taken: a hundred times what it takes
# alone, and what an operator would call at once.
ACKNOWLEDGED_SECONDS = 2.0
SLOWER = 10  # sanitized programs, on a machine that runs other tests beside


class Saturation(Scenario):
    def setUp(self):
        super().setUp()
        print(f"seed {SEED}", flush=True)
        # One push tells the truth for the whole of it.
        self.daemon = self.start(configuration(lease="10m"))
        self.api = self.daemon.api()
        self.pid = self.daemon.process.pid

    def seconds(self, long):
        return long if LONG else 2

    def count(self, long):
        return long if LONG else long // (100 if self.sanitized else 20)

    def press(self, mode, port, *words, timeout=300):
        command = [self.build / "pressure", mode, port, *words]
        done = processes.run(command, timeout=timeout)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        tally = json.loads(done.stdout)
        print(f"  {mode}: {tally}", flush=True)
        return tally

    def leaves_nothing(self, press):
        """Presses again and again; the first time to warm up."""
        press()
        self.check_answers()
        before = self.settled()
        for turn in range(ROUNDS):
            press()
            self.check_answers()
            eventually(
                lambda: len(resources.descriptors(self.pid)) <= before[1],
                f"round {turn}: no more than {before[1]} descriptors are open",
            )
            resident = resources.resident(self.pid)
            print(f"  round {turn}: {resident - before[0]:+} octets resident, "
                  f"{before[1]} descriptors", flush=True)  # fmt: skip
            # A sanitizer keeps what was freed, to find who uses it.
            if not self.sanitized:
                self.assertLess(resident - before[0], GROWTH_OCTETS, f"round {turn}")

    def settled(self):
        """Resident octets and open descriptors, once clients that are gone are known to be."""
        last = None

        def still():
            nonlocal last
            now = len(resources.descriptors(self.pid))
            last, before = now, last
            return before == now

        eventually(still, "no descriptor is opened or closed")
        return resources.resident(self.pid), last

    def check_answers(self):
        port = self.daemon.dns_port
        for name in [POOL, f"{FEATURES[0]}.{POOL}"]:
            for tcp in ([], ["+tcp"]):
                self.assertEqual(dns.dig(port, name, "A", *tcp), [v4(n) for n in (1, 2, 3)])
                self.assertEqual(dns.dig(port, name, "AAAA", *tcp), [v6(n) for n in (1, 2, 3)])
        srv = [f"10 25600 5060 {server_name(n)}." for n in (1, 2, 3)]
        for tcp in ([], ["+tcp"]):
            self.assertEqual(dns.dig(port, f"_sip._tcp.{POOL}", "SRV", *tcp), srv)
            self.assertEqual(dns.dig(port, POOL, "NS", *tcp), [f"ns1.{POOL}."])
        self.assertEqual(dns.ask(port, f"no.{POOL}", "A").rcode, dns.NXDOMAIN)
        self.drain_and_resume()

    def drain_and_resume(self):
        begin = time.monotonic()
        self.api.drain(FE01)
        took = time.monotonic() - begin
        self.assertLess(took, ACKNOWLEDGED_SECONDS * (SLOWER if self.sanitized else 1))
        self.assert_members(self.daemon, [2, 3])
        self.api.resume(FE01)
        self.assert_members(self.daemon, [1, 2, 3])

    def flood(self, transport):
        """At saturation; drains meanwhile are acknowledged in time, too."""
        seconds = self.seconds(60)
        ended = threading.Event()

        def operator():
            while not ended.wait(seconds / 10):
                self.drain_and_resume()

        failures = []

        def watched():
            try:
                operator()
            except Exception as failure:  # pylint: disable=broad-except
                failures.append(failure)

        thread = threading.Thread(target=watched)
        thread.start()
        try:
            tally = self.press(transport, self.daemon.dns_port, POOL, seconds)
        finally:
            ended.set()
            thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(tally["answered"], 1000)
        self.assertEqual(tally["wrong"], 0)

    def test_saturation_over_udp(self):
        self.leaves_nothing(lambda: self.flood("udp"))

    def test_saturation_over_tcp(self):
        self.leaves_nothing(lambda: self.flood("tcp"))

    def test_water_torture(self):
        def torture():
            wanted = self.count(100_000)
            tally = self.press("names", self.daemon.dns_port, POOL, wanted, SEED)
            self.assertEqual(tally["wrong"], 0)
            # Without dns.rate_limit each is answered; one that a full buffer loses is not.
            self.assertGreater(tally["answered"], 0.99 * wanted)

        self.leaves_nothing(torture)

    def test_mutated_packets(self):
        def mutate():
            tally = self.press("mutants", self.daemon.dns_port, POOL, self.count(22_000), SEED)
            self.assertEqual(tally["wrong"], 0, "a right query between the mutants went unanswered")

        self.leaves_nothing(mutate)

    def test_connections_that_are_reset(self):
        for port in (self.daemon.dns_port, self.daemon.api_port):
            with self.subTest(port=port):
                self.leaves_nothing(lambda p=port: self.reset(p))

    def reset(self, port):
        tally = self.press("resets", port, self.count(10_000), SEED)
        self.assertEqual(tally["wrong"], 0, "connections that were not taken")
        self.assertEqual(self.api.call("GET", "/healthz").status, 200)


if __name__ == "__main__":
    main()
