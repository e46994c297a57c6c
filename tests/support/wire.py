"""Whole DNS messages as octets, for comparing servers: every record, names out of compression."""

import dataclasses
import struct

QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
OPT = 41
DO = 0x8000

# Octets of RDATA before its names, and how many names: types whose RDATA may hold pointers
# (RFC 3597 section 4), and those whose names compare without regard to case.
_NAMES = {
    2: (0, 1), 5: (0, 1), 6: (0, 2), 12: (0, 1), 15: (2, 1), 17: (0, 2), 18: (2, 1), 33: (6, 1),
    36: (2, 1), 39: (0, 1), 64: (2, 1), 65: (2, 1),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Record:
    owner: bytes  # wire form, lower case
    type: int
    rrclass: int
    ttl: int
    rdata: bytes  # names written out, lower case

    def __str__(self):
        return f"{text_of(self.owner)} {self.ttl} class{self.rrclass} type{self.type} {self.rdata!r}"


@dataclasses.dataclass(frozen=True)
class Message:
    ident: int
    flags: int  # the second word of the header, RCODE included
    question: bytes  # as it stands there
    answer: frozenset
    authority: frozenset
    additional: frozenset  # without OPT
    counts: tuple  # of records in the three sections, OPT not counted
    opt: tuple | None  # payload, upper bits of the RCODE, version, flags
    size: int

    @property
    def rcode(self):
        return (self.flags & 15) | ((self.opt[1] << 4) if self.opt else 0)

    @property
    def truncated(self):
        return bool(self.flags & TC)


def text_of(wire):
    labels, at = [], 0
    while wire[at]:
        labels.append(wire[at + 1 : at + 1 + wire[at]].decode("latin-1"))
        at += 1 + wire[at]
    return ".".join(labels) + "."


def read_name(octets, at):
    """The name in wire form, lower case, and where it ends."""
    name, end = b"", None
    limit = at
    while octets[at]:
        length = octets[at]
        if length >= 0xC0:
            end = end or at + 2
            target = struct.unpack_from(">H", octets, at)[0] & 0x3FFF
            if target >= limit:
                raise ValueError("a pointer that does not point back")
            at = limit = target
        else:
            name += octets[at : at + 1 + length]
            at += 1 + length
    if len(name) > 254:
        raise ValueError("a name of more than 255 octets")
    return name.lower() + b"\0", end or at + 1


def _read_rdata(octets, at, size, rrtype):
    end = at + size
    if end > len(octets):
        raise ValueError("RDATA beyond the message")
    if rrtype not in _NAMES:
        return octets[at:end]
    first, names = _NAMES[rrtype]
    rdata = octets[at : at + first]
    at += first
    for _ in range(names):
        name, at = read_name(octets, at)
        rdata += name
    if at > end:
        raise ValueError("a name beyond its RDATA")
    return rdata + octets[at:end]


def _read_section(octets, at, count):
    records = []
    for _ in range(count):
        owner, at = read_name(octets, at)
        rrtype, rrclass, ttl, size = struct.unpack_from(">HHIH", octets, at)
        at += 10
        rdata = _read_rdata(octets, at, size, rrtype)
        records.append(Record(owner, rrtype, rrclass, ttl, rdata))
        at += size
    return records, at


def decode(octets):
    """A whole message with one question at most; raises ValueError on what is not one."""
    try:
        ident, flags, questions, *counts = struct.unpack_from(">6H", octets)
        at = 12
        for _ in range(questions):
            at = read_name(octets, at)[1] + 4
        question = octets[12:at]
        sections = []
        for count in counts:
            records, at = _read_section(octets, at, count)
            sections.append(records)
    except (IndexError, struct.error) as error:
        raise ValueError(f"ends early: {error}") from error
    if at != len(octets):
        raise ValueError(f"{len(octets) - at} octets after the message")
    opts = [record for record in sections[2] if record.type == OPT]
    if len(opts) > 1:
        raise ValueError("two OPT records")
    opt = None
    if opts:
        ttl = opts[0].ttl
        opt = (opts[0].rrclass, ttl >> 24, ttl >> 16 & 255, ttl & 0xFFFF)
        sections[2].remove(opts[0])
    return Message(
        ident, flags, question, *map(frozenset, sections), tuple(map(len, sections)), opt,
        len(octets),
    )  # fmt: skip


def encode_query(ident, flags, name, rrtype, rrclass=1, payload=None, dnssec_ok=False):
    """`name` in wire form, its case as it is to be sent; with a payload, an OPT record."""
    message = struct.pack(">6H", ident, flags, 1, 0, 0, 0 if payload is None else 1)
    message += name + struct.pack(">2H", rrtype, rrclass)
    if payload is not None:
        message += b"\0" + struct.pack(">HHIH", OPT, payload, DO if dnssec_ok else 0, 0)
    return message
