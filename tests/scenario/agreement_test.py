"""dig, kdig and drill read the same from every kind of answer, over UDP and TCP."""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes
from support.scenario import Scenario, main
from support.sluiced import POOL, configuration, server_name

QUESTIONS = [
    (POOL, "A"), (POOL, "AAAA"), (POOL, "SOA"), (POOL, "NS"), (POOL, "MX"),
    (f"_sip._tcp.{POOL}", "SRV"), (f"_tcp.{POOL}", "A"), (f"call-park.{POOL}", "A"),
    (server_name(2), "A"), (server_name(2), "AAAA"), (f"web.{POOL}", "A"),
    (f"nothing.{POOL}", "A"), ("elsewhere.example", "A"), ("PoOl01.CONTOSO.example", "A"),
]  # fmt: skip


class Agreement(Scenario):
    def read(self, command):
        """(status, flags, the records of all sections): what presentation all three share."""
        done = processes.run(command)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        status = re.search(r"(?:status|rcode): (\w+)", done.stdout).group(1)
        aa = bool(re.search(r"[Ff]lags:[^;]*\baa\b", done.stdout))
        records = set()
        for line in done.stdout.splitlines():
            words = line.split()
            if line.startswith(";") or len(words) < 5 or words[2] != "IN":
                continue
            records.add((words[0].lower(), int(words[1]), words[3], " ".join(words[4:]).lower()))
        return status, aa, records

    def test_all_three_agree(self):
        daemon = self.start()
        daemon.api().drain(server_name(1), service="call-park")
        port = daemon.dns_port
        for name, qtype in QUESTIONS:
            for tcp in (False, True):
                with self.subTest(name=name, qtype=qtype, tcp=tcp):
                    words = ["@127.0.0.1", "-p", port, name, qtype]
                    dig = self.read(["dig", "+norecurse", "+tcp" if tcp else "+notcp", *words])
                    kdig = self.read(["kdig", "+norec", "+tcp" if tcp else "+notcp", *words])
                    drill = self.read(
                        ["drill", "-t" if tcp else "-u", "-o", "rd", "-p", port, name,
                         "@127.0.0.1", qtype]
                    )  # fmt: skip
                    self.assertEqual(dig, kdig)
                    self.assertEqual(dig, drill)

    def test_what_the_statuses_are(self):
        daemon = self.start()
        for name, qtype, rcode, answers in [
            (POOL, "A", dns.NOERROR, 3),
            (POOL, "MX", dns.NOERROR, 0),
            (f"_tcp.{POOL}", "A", dns.NOERROR, 0),  # an empty non-terminal
            (f"nothing.{POOL}", "A", dns.NXDOMAIN, 0),
            ("elsewhere.example", "A", dns.REFUSED, 0),
        ]:
            for tcp in (False, True):
                answer = dns.ask(daemon.dns_port, name, 15 if qtype == "MX" else qtype, tcp=tcp)
                self.assertEqual((answer.rcode, len(answer.answer)), (rcode, answers), name)
                self.assertEqual(answer.authoritative, rcode != dns.REFUSED, name)
                negative = rcode != dns.REFUSED and answers == 0
                self.assertEqual([each.type for each in answer.authority], ["SOA"] * negative)

    def test_an_answer_that_does_not_fit_is_truncated_and_whole_over_tcp(self):
        daemon = self.start(configuration(servers=60))
        name = f"_sip._tcp.{POOL}"
        over_udp = dns.ask(daemon.dns_port, name, "SRV", payload=None)
        self.assertTrue(over_udp.truncated)
        over_tcp = dns.ask(daemon.dns_port, name, "SRV", tcp=True)
        self.assertFalse(over_tcp.truncated)
        self.assertEqual(len(over_tcp.answer), 60)
        self.assertEqual(len(dns.dig(daemon.dns_port, name, "SRV")), 60)  # dig tries TCP itself

    def test_additional_records_go_before_tc_is_set(self):
        daemon = self.start(configuration(servers=16))
        answer = dns.ask(daemon.dns_port, f"_sip._tcp.{POOL}", "SRV", payload=1232)
        self.assertFalse(answer.truncated)
        self.assertEqual(len(answer.answer), 16)
        self.assertLess(len(answer.additional), 33)


if __name__ == "__main__":
    main()
