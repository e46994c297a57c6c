"""Sluice beside stock Knot and NSD: 10,000 generated questions, the same zone, the same answers."""

import pathlib
import random
import shutil
import socket
import struct
import sys
import unittest
from collections import Counter

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, wire
from support.peers import Knot, Nsd, program
from support.scenario import Scenario, main

HERE = pathlib.Path(__file__).resolve().parent
ZONE = "differential.test"
APEX = b"\x0cdifferential\4test\0"
QUESTIONS = 10_000
SEED = 20261120

A, NS, CNAME, SOA, HINFO, AAAA, DNAME, SVCB, HTTPS, ANY = 1, 2, 5, 6, 13, 28, 39, 64, 65, 255
TYPES = [1, 2, 5, 6, 12, 13, 15, 16, 17, 18, 28, 29, 33, 35, 37, 39, 42, 43, 44, 46, 47, 48,
         49, 50, 51, 52, 53, 59, 60, 61, 64, 65, 99, 108, 255, 256, 257, 1234, 65280, 65281]  # fmt: skip
IN, CH, HS, NONE, ANY_CLASS = 1, 3, 4, 254, 255
NSEC, RRSIG, NSEC3 = 47, 46, 50
REFUSED, YXDOMAIN = 5, 6
AAAA_OCTETS = 28  # of a record whose owner is a pointer
FULL_OCTETS = 100  # of this zone's SOA record, or a CNAME of the usual kind


class Question:
    def __init__(self, rng, names, ident):
        self.name = _any_name(rng, names)
        self.type = rng.choice([A, A, A, AAAA, rng.choice(TYPES), rng.choice(TYPES)])
        self.rrclass = IN if rng.random() < 0.98 else rng.choice([CH, HS, NONE, ANY_CLASS, 5])
        self.flags = rng.choice([0, wire.RD]) | rng.choice([0, 0, wire.CD]) | rng.choice([0, 0, wire.AD])
        self.payload = rng.choice([None, None, 0, 512, 513, 800, 1232, 1232, 1400, 4096, 65535])
        self.dnssec_ok = self.payload is not None and rng.random() < 0.3
        self.tcp = rng.random() < 0.1
        # Over UDP; what servers take at most by default is 1,232 octets.
        self.limit = max(512, min(self.payload or 0, 1232))
        self.octets = wire.encode_query(
            ident, self.flags, self.name, self.type, self.rrclass, self.payload, self.dnssec_ok
        )

    def __str__(self):
        return (
            f"{wire.text_of(self.name)!r} type{self.type} class{self.rrclass} flags {self.flags:#06x}"
            f" payload {self.payload} DO {self.dnssec_ok} {'TCP' if self.tcp else 'UDP'}"
        )


def _owners(folder):
    """The zone's owner names in wire form: what a question may be about or near to."""
    owners = {APEX}
    for file, origin in (("differential.zone", APEX), ("differential.included", b"\3big" + APEX)):
        owners.add(origin)
        for line in (folder / file).read_text().splitlines():
            if line and line[0] not in "$;@\t ":
                owners.add(_labels(line.split()[0]) + origin)
    return sorted(owners)


def _labels(text):
    labels, label, at = b"", b"", 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1].isdigit():
            label += bytes([int(text[at + 1 : at + 4])])
            at += 4
        elif text[at] == "\\":
            label += text[at + 1].encode()
            at += 2
        elif text[at] == ".":
            labels, label, at = labels + bytes([len(label)]) + label, b"", at + 1
        else:
            label += text[at].encode()
            at += 1
    return labels + bytes([len(label)]) + label


def _any_name(rng, names):
    """A name of the zone, or one near to it: below it, above it, beside it; any case."""
    name = rng.choice(names)
    turn = rng.random()
    if turn < 0.35:
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            name = _any_label(rng) + name
    elif turn < 0.42 and name != APEX:
        name = name[1 + name[0] :]  # its parent: often an empty non-terminal
    elif turn < 0.47 and name != APEX:
        name = _any_label(rng) + name[1 + name[0] :]  # its sibling
    elif turn < 0.49:
        name = rng.choice([b"\0", b"\4test\0", b"\7example\0", b"\1x" + APEX[:-6] + b"\4tesT\0"])
    elif turn < 0.53:
        while len(name) < 200:  # long ones, up to the limit of 255 octets
            name = b"\x27" + b"l" * 39 + name
        room = 255 - len(name)
        name = (bytes([room - 1]) + b"m" * (room - 1) if room > 1 else b"") + name
    elif turn < 0.59:
        name = rng.choice([b"\4near", b"\4long", b"\4tree", b"\5round"]) + APEX
        for _ in range(rng.randrange(1, 5)):  # up to and beyond what DNAMEs can make of them
            size = rng.randrange(1, 64)
            name = bytes([size]) + b"n" * size + name
    if len(name) > 255:
        name = APEX
    # 0x20: the case of letters is random, and must come back as it was.
    return bytes(c ^ 0x20 if chr(c).isalpha() and rng.random() < 0.3 else c for c in name)


def _any_label(rng):
    return rng.choice(
        [b"\1x", b"\1a", b"\1b", b"\1*", b"\3www", b"\2ns", b"\3sub", b"\4real", b"\1c", b"\4wild",
         b"\3a.b", b"\2\0\xff", b"\x3f" + b"z" * 63, b"\5_sctp", b"\4host"]
    )  # fmt: skip


class Client:
    """Asks one server over both transports."""

    def __init__(self, port):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(5)
        self.udp.connect(("127.0.0.1", port))
        self.port, self.tcp = port, None

    def send(self, question):
        if not question.tcp:
            return self.udp.send(question.octets)
        if self.tcp is None:
            self.tcp = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        return self.tcp.sendall(struct.pack(">H", len(question.octets)) + question.octets)

    def receive(self, question):
        return dns.read_tcp(self.tcp) if question.tcp else self.udp.recv(65535)

    def close(self):
        self.udp.close()
        if self.tcp:
            self.tcp.close()


def difference(ours, theirs):
    """The names of what differs, modulo order within sections."""
    parts = []
    if ours.flags & 0xFFF0 != theirs.flags & 0xFFF0:
        parts.append("flags")
    if ours.rcode != theirs.rcode:
        parts.append("rcode")
    parts += [
        part
        for part in ("ident", "question", "answer", "authority", "additional")
        if getattr(ours, part) != getattr(theirs, part)
    ]
    if (ours.opt is None) != (theirs.opt is None) or (
        ours.opt and (ours.opt[2:] != theirs.opt[2:] or ours.opt[0] != theirs.opt[0])
    ):
        parts.append("opt")
    return parts


def clears_cd(question, ours, theirs):
    """RFC 4035 section 3.1.6: CD is copied from the query. Knot and NSD clear it."""
    if (ours.flags ^ theirs.flags) & 0xFFF0 == wire.CD == question.flags & ours.flags & wire.CD:
        return {"flags"}


def serves_any(question, ours, theirs):
    """RFC 8482 section 4.2: we answer ANY with an HINFO of our own, they with all or one RRset."""
    if question.type == ANY and HINFO in {record.type for record in ours.answer}:
        return {"flags", "answer", "authority", "additional"}


def serves_class_any(question, ours, theirs):
    """We refuse QCLASS ANY: no class is meant by it, and nobody but probes asks for it. Knot and
    NSD answer with records of class IN, Knot with AA, NSD without."""
    if question.rrclass == ANY_CLASS and ours.rcode == REFUSED:
        return {"flags", "rcode", "answer", "authority", "additional"}


def drops_the_question(question, ours, theirs):
    """NSD sends what it refuses for its class back without the question; we repeat it, as RFC 9619
    wants one question in all messages."""
    if question.rrclass != IN and theirs.question == b"" and ours.rcode == theirs.rcode:
        return {"question"}


def adds_name_servers(question, ours, theirs):
    """NSD adds the apex's NS RRset and its addresses to positive answers unless built or told
    otherwise. RFC 1034 asks for them nowhere; small answers are worth more. What NSD spends on them
    it lacks for other addresses when the message is full."""
    if theirs.answer != ours.answer or ours.authority:
        return None
    if {(record.owner, record.type) for record in theirs.authority} != {(APEX, NS)}:
        return None
    more, less = theirs.additional - ours.additional, ours.additional - theirs.additional
    servers = {b"\3ns1" + APEX, b"\3ns2" + APEX}
    only_servers = all(record.owner in servers for record in more)
    full = not question.tcp and theirs.size + AAAA_OCTETS > question.limit
    return {"authority", "additional"} if full or (only_servers and not less) else {"authority"}


def swaps_types_of_denial_at_aliases(question, ours, theirs):
    """RRSIG and NSEC may stand beside a CNAME (RFC 4035 section 2.5), so a question for them is not
    led on; we and Knot agree. NSD leads it on, and one for NSEC3, which may not, it does not."""
    followed = ours if question.type == NSEC3 else theirs if question.type in (NSEC, RRSIG) else None
    if followed and CNAME in {record.type for record in followed.answer}:
        return {"rcode", "answer", "authority", "additional"}


def proves_yxdomain(question, ours, theirs):
    """Knot adds the SOA to YXDOMAIN. Nothing is denied there: the DNAME says it all (RFC 6672
    section 2.2), and NSD agrees."""
    if ours.rcode == theirs.rcode == YXDOMAIN and {record.type for record in theirs.authority} == {SOA}:
        return {"authority"}


def cuts_full_chains_elsewhere(question, ours, theirs):
    """What a chain of aliases loses when the message is full: we write targets out, and set TC when
    anything of the answer, SOA included, is missing. NSD compresses the targets and so has a little
    more room; Knot leaves out the last alias or the SOA and sets no TC."""
    aliases = {CNAME, DNAME} & {record.type for record in ours.answer | theirs.answer}
    full = max(ours.size, theirs.size) > question.limit - FULL_OCTETS
    if not question.tcp and aliases and (full or ours.truncated or theirs.truncated):
        return {"flags", "rcode", "answer", "authority", "additional"}


def stops_after_five(question, ours, theirs):
    """Knot follows five CNAMEs, we sixteen, NSD as many as there are."""
    aliases = [record for record in ours.answer if record.type == CNAME]
    if len(aliases) > 5 and theirs.answer < ours.answer:
        return {"rcode", "answer", "authority", "additional"}


def leaves_out_service_addresses(question, ours, theirs):
    """RFC 9460 section 4.1: the addresses of an SVCB target, "." included, and the target's own
    HTTPS records belong into the additional section. Knot and NSD know a part of that."""
    types = {record.type for record in ours.additional - theirs.additional}
    if types <= {A, AAAA, HTTPS} and {SVCB, HTTPS} & {record.type for record in ours.answer}:
        return {"additional"}


# What may differ, for whom, and why: each a function that names the parts of the message that it
# accounts for. Whatever is left is a failure.
EXPLAINED = {
    "knot": [
        clears_cd, serves_any, serves_class_any, proves_yxdomain, stops_after_five,
        leaves_out_service_addresses, cuts_full_chains_elsewhere,
    ],
    "nsd": [
        clears_cd, serves_any, serves_class_any, drops_the_question, adds_name_servers,
        swaps_types_of_denial_at_aliases, leaves_out_service_addresses, cuts_full_chains_elsewhere,
    ],
}  # fmt: skip


def unexplained(peer, question, ours, theirs, counts):
    """The parts that differ without a reason; what had one is counted."""
    parts = set(difference(ours, theirs))
    for explain in EXPLAINED[peer.name] if parts else ():
        accounted = (explain(question, ours, theirs) or set()) & parts
        if accounted:
            counts[f"{peer.name} {explain.__name__}"] += 1
            parts -= accounted
    return sorted(parts)


@unittest.skipUnless(program("knotd") and program("nsd"), "needs knotd and nsd")
class Differential(Scenario):
    def serve(self):
        """The same zone thrice. Ours moves its serial by design, so theirs gets what ours is at."""
        for name in ("differential.zone", "differential.included"):
            shutil.copy(HERE / name, self.folder)
        config = {
            "dns": {"listen": ["127.0.0.1@0"], "workers": 1},
            "store": {"directory": "state"},
            "zones": [{"name": ZONE, "file": str(self.folder / "differential.zone")}],
        }
        daemon = self.start(config, agents=False)
        serial = dns.ask(daemon.dns_port, ZONE, "SOA").answer[0].data
        zone_file = self.folder / "differential.zone"
        text = zone_file.read_text().replace("hostmaster 1 ", f"hostmaster {serial} ")
        zone_file.write_text(text)
        peers = [Knot(self.folder, ZONE, zone_file), Nsd(self.folder, ZONE, zone_file)]
        for peer in peers:
            self.addCleanup(peer.end)
        return daemon, peers

    def test_answers_are_those_of_knot_and_nsd(self):
        daemon, peers = self.serve()
        clients = [Client(port) for port in (daemon.dns_port, *(peer.port for peer in peers))]
        for client in clients:
            self.addCleanup(client.close)
        rng = random.Random(SEED)
        names = _owners(self.folder)
        found, counts = [], Counter()
        for ident in range(QUESTIONS):
            question = Question(rng, names, ident)
            for client in clients:
                client.send(question)
            ours, *others = [wire.decode(client.receive(question)) for client in clients]
            self.assertEqual(ours.ident, ident)
            self.assertEqual(ours.question, question.octets[12 : 12 + len(ours.question)])
            for peer, theirs in zip(peers, others):
                if parts := unexplained(peer, question, ours, theirs, counts):
                    found.append(f"{peer.name} differs in {parts}: {question}")
                    found += [f"  {part}: {_both(ours, theirs, part)}" for part in parts]
        print("explained:", dict(sorted(counts.items())), file=sys.stderr)
        self.assertFalse(found, f"{len(found)} lines, the first:\n" + "\n".join(found[:40]))
        # A reason that explains nothing any more must go.
        for peer in peers:
            for explain in EXPLAINED[peer.name]:
                self.assertIn(f"{peer.name} {explain.__name__}", counts)


def _both(ours, theirs, part):
    one, other = getattr(ours, part, None), getattr(theirs, part, None)
    if isinstance(one, frozenset):
        one, other = [[str(record) for record in more] for more in (one - other, other - one)]
    return f"ours {one}, theirs {other}"


if __name__ == "__main__":
    main()
