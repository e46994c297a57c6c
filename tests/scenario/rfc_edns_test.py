"""EDNS and its options, RFC by RFC, over UDP and TCP, IPv4 and IPv6."""

import pathlib
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes
from support.rfc import (
    BADVERS, COOKIE, EDE, KEEPALIVE, NOTIFY, NSID, STATUS, SUBNET, TC, UPDATE, RfcScenario, opt,
    option, query,
)  # fmt: skip
from support.scenario import main
from support.sluiced import POOL, server_name

UNKNOWN = option(65001, b"anything")


class Edns(RfcScenario):
    def test_rfc_6891_section_6_1_1_one_opt_at_the_root_for_who_sent_one(self):
        self.serve()
        for path in self.each_path():
            self.assertFalse(path.ask(query()).edns)
            reply = path.ask(query(POOL, "A", opt()))
            self.assertEqual((reply.rcode, reply.edns, reply.version), (dns.NOERROR, True, 0))
            self.assertEqual(reply.payload, 1232)
            self.assertEqual(path.ask(query(POOL, "A", opt(), opt())).rcode, dns.FORMERR)
            owned = path.ask(query(POOL, "A", opt(owner=b"\1a\0")))
            self.assertEqual(owned.rcode, dns.FORMERR)

    def test_rfc_6891_section_6_1_2_unknown_options_are_ignored(self):
        self.serve()
        for path in self.each_path():
            reply = path.ask(query(POOL, "A", opt(UNKNOWN, option(0), option(65535, b"x" * 400))))
            self.assertEqual((reply.rcode, reply.options), (dns.NOERROR, {}))
            self.assertEqual(len(reply.records.answer), 3)

    def test_rfc_6891_section_6_1_2_options_that_do_not_fill_rdlength_are_malformed(self):
        self.serve()
        for path in self.each_path():
            for rdata in (b"\0", b"\0\3\0", b"\0\3\0\1", b"\0\3\0\0\0"):
                self.assertEqual(path.ask(query(POOL, "A", opt(rdata))).rcode, dns.FORMERR, rdata)

    def test_rfc_6891_section_6_1_3_badvers_for_versions_above_0(self):
        self.serve()
        for path in self.each_path():
            for version in (1, 2, 255):
                reply = path.ask(query(POOL, "A", opt(b"no option", version=version)))
                self.assertEqual((reply.rcode, reply.version), (BADVERS, 0))
                self.assertEqual(reply.records.answer, [])

    def test_rfc_6891_section_6_1_4_do_is_echoed_and_z_is_zero(self):
        self.serve()
        for path in self.each_path():
            self.assertTrue(path.ask(query(POOL, "A", opt(do=True))).do)
            self.assertFalse(path.ask(query(POOL, "A", opt())).do)

    def test_rfc_6891_section_6_2_3_sizes_below_512_are_512_and_ours_is_the_most(self):
        self.serve(servers=60)
        for path in self.each_path(tcp=False):
            for payload, most in ((0, 512), (511, 512), (512, 512), (900, 900), (65535, 1232)):
                reply = path.ask(query(POOL, "A", opt(payload=payload)))
                self.assertLessEqual(len(reply.octets), most)
                self.assertEqual(bool(reply.flags & TC), most < 1000, payload)
            self.assertLessEqual(len(path.ask(query()).octets), 512)
        for path in self.each_path(tcp=True):
            self.assertEqual(len(path.ask(query(POOL, "A", opt(payload=512))).records.answer), 60)

    def test_rfc_6891_section_7_errors_have_an_opt_too(self):
        self.serve()
        refused = {
            "not ours": query("example.net", "A", opt()),
            "a transfer": query(POOL, "AXFR", opt()),
            "NOTIFY": query(POOL, "SOA", opt(), opcode=NOTIFY),
            "UPDATE": query(POOL, "SOA", opt(), opcode=UPDATE),
            "STATUS": query(POOL, "A", opt(), opcode=STATUS),
            "octets behind the last record": query(POOL, "A", opt()) + b"\0",
            "a class that nobody has": query(POOL, "A", opt(), qclass=7),
        }
        for path in self.each_path():
            for what, wire in refused.items():
                self.assertTrue(path.ask(wire).edns, what)

    def test_rfc_5001_section_2_nsid_for_who_asks(self):
        self.serve()
        for path in self.each_path():
            reply = path.ask(query(POOL, "A", opt(option(NSID))))
            self.assertEqual(reply.options, {NSID: b"ns1.test"})
        self.serve({"hide_identity": True})
        for path in self.each_path():
            self.assertEqual(path.ask(query(POOL, "A", opt(option(NSID)))).options, {})

    def test_rfc_7871_section_6_a_client_subnet_is_repeated_with_scope_0(self):
        self.serve()
        for path in self.each_path():
            for subnet in (
                b"\0\1\x18\0\xc0\0\2", b"\0\1\x17\0\xc0\0\2", b"\0\1\0\0", b"\0\0\0\0",
                b"\0\2\x30\0\x20\1\x0d\xb8\0\1",
            ):  # fmt: skip
                reply = path.ask(query(POOL, "A", opt(option(SUBNET, subnet))))
                self.assertEqual((reply.rcode, reply.options), (dns.NOERROR, {SUBNET: subnet}))

    def test_rfc_7871_section_6_a_malformed_client_subnet_is_formerr(self):
        self.serve()
        for path in self.each_path():
            for subnet in (
                b"", b"\0\1\x18", b"\0\1\x18\0\xc0\0", b"\0\1\x18\0\xc0\0\2\0",
                b"\0\1\x17\0\xc0\0\3", b"\0\1\x21\0\xc0\0\2\1\0", b"\0\1\x18\x18\xc0\0\2",
                b"\0\3\x08\0\1",
            ):  # fmt: skip
                reply = path.ask(query(POOL, "A", opt(option(SUBNET, subnet))))
                self.assertEqual((reply.rcode, reply.options), (dns.FORMERR, {}), subnet)
                self.assertTrue(reply.edns)

    def test_rfc_7828_section_3_keepalive_over_tcp_alone(self):
        self.serve()
        for path in self.each_path():
            reply = path.ask(query(POOL, "A", opt(option(KEEPALIVE))))
            told = {KEEPALIVE: struct.pack(">H", 100)} if path.tcp else {}  # ten seconds
            self.assertEqual((reply.rcode, reply.options), (dns.NOERROR, told))
            reply = path.ask(query(POOL, "A", opt(option(KEEPALIVE, b"\0\1"))))
            self.assertEqual(reply.rcode, dns.FORMERR if path.tcp else dns.NOERROR)
            self.assertNotIn(KEEPALIVE, path.ask(query(POOL, "A", opt())).options)

    def test_rfc_8914_section_4_21_not_authoritative(self):
        self.serve()
        for path in self.each_path():
            reply = path.ask(query("example.net", "A", opt()))
            self.assertEqual((reply.rcode, reply.error), (dns.REFUSED, (20, "")))
            self.assertEqual(path.ask(query("example.net", "A")).counts, (0, 0, 0))

    def test_rfc_8914_section_4_19_prohibited(self):
        self.serve()
        for path in self.each_path():
            for wire in (
                query(POOL, "AXFR", opt()), query(POOL, "IXFR", opt()),
                query(POOL, "SOA", opt(), opcode=NOTIFY), query(POOL, "SOA", opt(), opcode=UPDATE),
            ):  # fmt: skip
                reply = path.ask(wire)
                self.assertEqual((reply.rcode, reply.error[0]), (dns.REFUSED, 18))

    def test_rfc_8914_section_4_22_not_supported(self):
        self.serve()
        for path in self.each_path():
            for wire in (query(POOL, "A", opt(), opcode=STATUS), query(POOL, 253, opt())):
                reply = path.ask(wire)
                self.assertEqual((reply.rcode, reply.error), (dns.NOTIMP, (21, "")))

    def test_rfc_8914_section_4_1_a_pool_says_when_it_answers_as_a_last_resort(self):
        daemon = self.serve()
        for path in self.each_path():
            self.assertIsNone(path.ask(query(POOL, "A", opt())).error)
        for number in (1, 2, 3):
            daemon.agent(number).say(health="down")
        for path in self.each_path():
            reply = path.ask(query(POOL, "A", opt()))
            self.assertEqual(reply.error, (0, "no server is well: these may not answer"))
            self.assertEqual(len(reply.records.answer), 3)
            self.assertEqual(path.ask(query(POOL, "A")).counts, (3, 0, 0))

    def test_rfc_8914_section_4_1_when_all_held_says_so(self):
        cases = {
            "nodata": ("every server is held or forced down", 0),
            "serve_held": ("no server is left: held ones answer", 3),
        }
        for policy, (text, members) in cases.items():
            daemon = self.serve(when_all_held=policy)
            for number in (1, 2, 3):
                daemon.api().drain(server_name(number))
            for path in self.each_path():
                reply = path.ask(query(POOL, "A", opt()))
                self.assertEqual((reply.error, len(reply.records.answer)), ((0, text), members))
            daemon.stop()
        daemon = self.serve(when_all_held={"addresses": ["192.0.2.9"]})
        for number in (1, 2, 3):
            daemon.api().drain(server_name(number))
        for path in self.each_path():
            reply = path.ask(query(POOL, "A", opt()))
            self.assertEqual(reply.error, (0, "no server is left: last resort answers"))

    def test_rfc_8914_section_3_an_explanation_never_truncates(self):
        daemon = self.serve(servers=28)  # 28 addresses fill 512 octets but for a few
        for number in range(1, 29):
            daemon.agent(number).say(health="down")
        for path in self.each_path(tcp=False):
            full = path.ask(query(POOL, "A", opt(payload=512)))
            self.assertFalse(full.flags & TC)
            self.assertEqual((len(full.records.answer), full.error), (28, None))
            self.assertIsNotNone(path.ask(query(POOL, "A", opt())).error)

    def test_all_options_at_once(self):
        self.serve()
        subnet = b"\0\1\x18\0\xc0\0\2"
        options = [
            option(NSID), option(COOKIE, b"12345678"), option(SUBNET, subnet), option(KEEPALIVE),
            UNKNOWN,
        ]  # fmt: skip
        for path in self.each_path():
            reply = path.ask(query("example.net", "A", opt(*options)))
            wanted = {NSID, COOKIE, SUBNET, EDE} | ({KEEPALIVE} if path.tcp else set())
            self.assertEqual(set(reply.options), wanted)

    def test_dig_kdig_and_drill_understand_the_answers(self):
        self.serve()
        asked = ["pool01.contoso.example", "A"]
        for path in self.each_path():
            tcp = ["+tcp"] if path.tcp else ["+notcp"]
            place = [f"@{path.address}", "-p", path.port]
            done = processes.run(
                ["dig", *place, *tcp, *asked, "+cookie", "+nsid", "+subnet=192.0.2.0/24"]
            )
            self.assertEqual(done.returncode, 0, done.stdout)
            for said in ("(good)", "CLIENT-SUBNET: 192.0.2.0/24/0", '"ns1.test"', "ANSWER: 3"):
                self.assertIn(said, done.stdout)
            self.assertNotIn("Warning", done.stdout + done.stderr)
            done = processes.run(
                ["kdig", *place, *tcp, *asked, "+cookie", "+nsid", "+subnet=2001:db8::/33"]
            )
            self.assertEqual(done.returncode, 0, done.stdout)
            for said in ("COOKIE", "CLIENT-SUBNET: 2001:db8::/33/0", '"ns1.test"', "ANSWER: 3"):
                self.assertIn(said, done.stdout)
            self.assertNotIn("WARNING", done.stdout + done.stderr)
            drill = ["drill", "-t" if path.tcp else "-u", "-p", path.port, f"@{path.address}"]
            done = processes.run([*drill, *asked])
            self.assertIn("rcode: NOERROR", done.stdout)


if __name__ == "__main__":
    main()
