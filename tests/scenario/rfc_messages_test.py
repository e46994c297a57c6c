"""Opcodes, classes, types and names: what each message gets, RFC by RFC, on every path."""

import pathlib
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes
from support.rfc import (
    AA, AD, ANY_CLASS, CD, CH, IQUERY, NONE, NOTIFY, QR, RA, RD, STATUS, UPDATE, RfcScenario, opt,
    query, wire_name,
)  # fmt: skip
from support.scenario import main
from support.sluiced import POOL

ZONE_LABELS = [label.encode() for label in POOL.split(".")]


class Messages(RfcScenario):
    def test_rfc_1035_section_4_1_1_a_response_is_never_answered(self):
        self.serve()
        for path in self.each_path():
            for opcode in range(16):
                self.assertTrue(path.ignores(query(opcode=opcode, flags=QR)), opcode)
            self.assertTrue(path.ignores(query(POOL, "A", opt(), flags=QR | AA)))
            self.assertTrue(path.ignores(b"\0" * 11), "no whole header")

    def test_rfc_1035_section_4_1_1_id_question_and_rd_are_copied(self):
        self.serve()
        for path in self.each_path():
            for flags, said in ((0, AA), (RD, AA | RD), (RD | CD, AA | RD | CD), (RA | AD, AA)):
                wire = query(flags=flags, ident=0x4711)
                reply = path.ask(wire)
                self.assertEqual(reply.flags, QR | said)
                self.assertEqual(reply.question, wire[12:])

    def test_rfc_1996_and_rfc_2136_notify_and_update_are_refused(self):
        self.serve()
        for path in self.each_path():
            for opcode in (NOTIFY, UPDATE):
                wire = query(POOL, "SOA", opcode=opcode)
                reply = path.ask(wire)
                self.assertEqual((reply.rcode, reply.opcode), (dns.REFUSED, opcode))
                self.assertEqual((reply.question, reply.counts), (wire[12:], (0, 0, 0)))
            # An UPDATE with records in its sections.
            record = wire_name(POOL) + struct.pack(">HHIH", 1, 1, 300, 4) + b"\xc0\0\2\1"
            update = bytearray(query(POOL, "SOA", opcode=UPDATE) + record + opt())
            update[9], update[11] = 1, 1
            reply = path.ask(bytes(update))
            self.assertEqual((reply.rcode, reply.edns), (dns.REFUSED, True))

    def test_rfc_1035_section_4_1_1_other_opcodes_are_notimp(self):
        self.serve()
        for path in self.each_path():
            for opcode in (IQUERY, STATUS, 3, *range(6, 16)):
                reply = path.ask(query(opcode=opcode))
                self.assertEqual((reply.rcode, reply.opcode), (dns.NOTIMP, opcode))
                self.assertEqual(reply.counts, (0, 0, 0))

    def test_rfc_9619_one_question(self):
        self.serve()
        for path in self.each_path():
            for count in (0, 2, 65535):
                wire = bytearray(query())
                wire[4:6] = struct.pack(">H", count)
                self.assertEqual(path.ask(bytes(wire)).rcode, dns.FORMERR, count)

    def test_rfc_5936_and_rfc_1995_no_transfers(self):
        self.serve()
        for path in self.each_path():
            for qtype in ("AXFR", "IXFR"):
                reply = path.ask(query(POOL, qtype))
                self.assertEqual((reply.rcode, reply.counts), (dns.REFUSED, (0, 0, 0)))
        place = [f"@{self.paths[0].address}", "-p", self.paths[0].port]
        # A real one has the SOA of what the client has in its authority section.
        for transport in ("+notcp", "+tcp"):
            asked = processes.run(["dig", *place, POOL, "ixfr=1", transport, "+comments"])
            self.assertIn("status: REFUSED", asked.stdout)
        self.assertIn("Transfer failed", processes.run(["dig", *place, POOL, "AXFR"]).stdout)

    def test_rfc_8482_section_4_2_any_is_small(self):
        self.serve(servers=30)
        for path in self.each_path():
            reply = path.ask(query(POOL, "ANY"))
            self.assertEqual([each.type for each in reply.records.answer], ["13"])  # HINFO
            self.assertEqual(reply.records.answer[0].data, b"\7RFC8482\0")
            self.assertLess(len(reply.octets), 80)
            self.assertEqual(path.ask(query(f"nowhere.{POOL}", "ANY")).rcode, dns.NXDOMAIN)

    def test_rfc_4892_section_2_id_server_and_its_elders(self):
        self.serve({"version": "a server"})
        for path in self.each_path():
            for name, text in (
                ("id.server", b"ns1.test"), ("hostname.bind", b"ns1.test"),
                ("version.bind", b"a server"), ("VERSION.server", b"a server"),
            ):  # fmt: skip
                reply = path.ask(query(name, "TXT", qclass=CH))
                self.assertEqual((reply.rcode, reply.counts), (dns.NOERROR, (1, 0, 0)), name)
                self.assertEqual(reply.records.answer[0].data, bytes([len(text)]) + text)
                self.assertEqual(reply.records.answer[0].ttl, 0)
            self.assertEqual(path.ask(query("authors.bind", "TXT", qclass=CH)).rcode, dns.REFUSED)
            self.assertEqual(path.ask(query(POOL, "A", qclass=CH)).rcode, dns.REFUSED)
            place = [f"@{path.address}", "-p", path.port, "+tcp" if path.tcp else "+notcp"]
            done = processes.run(["dig", *place, "CH", "TXT", "id.server", "+short"])
            self.assertEqual(done.stdout, '"ns1.test"\n')

    def test_rfc_4892_section_3_1_they_may_be_hidden(self):
        self.serve({"version": "hidden", "hide_identity": True})
        for path in self.each_path():
            for name in ("id.server", "hostname.bind", "version.bind", "version.server"):
                reply = path.ask(query(name, "TXT", qclass=CH))
                self.assertEqual((reply.rcode, reply.counts), (dns.REFUSED, (0, 0, 0)))

    def test_rfc_3597_section_2_unknown_types_are_just_types(self):
        records = "unknown 300 IN TYPE65280 \\# 5 0102030405\n"
        self.serve(records=records)
        for path in self.each_path():
            reply = path.ask(query(f"unknown.{POOL}", 65280))
            self.assertEqual(reply.records.answer[0].data, b"\1\2\3\4\5")
            nodata = path.ask(query(POOL, 65281))
            self.assertEqual((nodata.rcode, nodata.counts), (dns.NOERROR, (0, 1, 0)))
            self.assertEqual(path.ask(query(f"no.{POOL}", 65281)).rcode, dns.NXDOMAIN)
            self.assertEqual(path.ask(query(POOL, 0)).rcode, dns.FORMERR)
            self.assertEqual(path.ask(query(POOL, 200)).rcode, dns.NOTIMP)  # RFC 6895 section 3.1

    def test_rfc_3597_section_2_unknown_classes_are_not_ours(self):
        self.serve()
        for path in self.each_path():
            for qclass in (0, 2, 4, 255, NONE, ANY_CLASS, 65280):
                self.assertEqual(path.ask(query(POOL, "A", qclass=qclass)).rcode, dns.REFUSED)

    def test_rfc_1035_section_2_3_4_names_of_255_octets(self):
        rest = 255 - len(wire_name(POOL))  # for labels before the zone's
        labels = [b"a" * 63] * (rest // 64)
        labels.append(b"b" * (rest % 64 - 1))
        text = ".".join(label.decode() for label in labels)
        self.serve(records=f"{text} 300 IN A 192.0.2.7\n")
        for path in self.each_path():
            longest = labels + ZONE_LABELS
            self.assertEqual(len(wire_name(longest)), 255)
            self.assertEqual(path.ask(query(longest)).records.data("A"), ["192.0.2.7"])
            for payload in (512, 1232):
                reply = path.ask(query(longest, "AAAA", opt(payload=payload)))
                self.assertEqual((reply.rcode, reply.counts), (dns.NOERROR, (0, 1, 1)))
            absent = [b"x" * 63, *longest[1:]]
            self.assertEqual(path.ask(query(absent)).rcode, dns.NXDOMAIN)
            too_long = [labels[0], labels[1], labels[2], labels[3] + b"b", *ZONE_LABELS]
            self.assertEqual(path.ask(query(too_long)).rcode, dns.FORMERR)
            many = [b"a"] * ((255 - len(wire_name(POOL))) // 2) + ZONE_LABELS
            self.assertEqual(path.ask(query(many)).rcode, dns.NXDOMAIN)

    def test_rfc_2181_section_11_any_octets_in_labels(self):
        self.serve(records="a\\.b 300 IN A 192.0.2.8\n\\000\\255 300 IN A 192.0.2.9\n")
        for path in self.each_path():
            dotted = path.ask(query([b"a.b", *ZONE_LABELS]))
            self.assertEqual(dotted.records.data("A"), ["192.0.2.8"])
            self.assertEqual(path.ask(query([b"a", b"b", *ZONE_LABELS])).rcode, dns.NXDOMAIN)
            odd = path.ask(query([b"\0\xff", *ZONE_LABELS]))
            self.assertEqual(odd.records.data("A"), ["192.0.2.9"])
            self.assertEqual(path.ask(query([b"\0", *ZONE_LABELS])).rcode, dns.NXDOMAIN)
            # One label with the dots of the zone's whole name is not the zone.
            self.assertEqual(path.ask(query([POOL.encode()])).rcode, dns.REFUSED)

    def test_rfc_4343_case_is_ignored_and_the_question_keeps_its_own(self):
        self.serve()
        for path in self.each_path():
            for name in (POOL.upper(), "PooL01.cOnToSo.eXaMpLe"):
                wire = query(name)
                reply = path.ask(wire)
                self.assertEqual(reply.question, wire[12:], "0x20: as it was sent")
                self.assertEqual(len(reply.records.answer), 3)
            # Letters alone have a case: [ is not {, though a bit is all between them.
            self.assertEqual(path.ask(query([b"[", *ZONE_LABELS])).rcode, dns.NXDOMAIN)

    def test_rfc_1035_section_4_1_4_no_pointer_in_a_question(self):
        self.serve()
        for path in self.each_path():
            head = struct.pack(">6H", 1, 0, 1, 0, 0, 0)
            for name in (b"\xc0\x0c", b"\3www\xc0\x0c", b"\x40abc\0", b"\x80abc\0"):
                reply = path.ask(head + name + b"\0\1\0\1")
                self.assertEqual((reply.rcode, reply.question), (dns.FORMERR, b""), name)


if __name__ == "__main__":
    main()
