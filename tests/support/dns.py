"""DNS as clients see it: dig for what operators type, and octets of our own for the rest."""

import dataclasses
import ipaddress
import random
import socket
import struct

from support import processes

TYPES = {"A": 1, "NS": 2, "SOA": 6, "PTR": 12, "TXT": 16, "AAAA": 28, "SRV": 33, "ANY": 255}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)


def dig(port, *words, address="127.0.0.1"):
    """The lines of `dig +short`, sorted; fails the test when dig does."""
    done = processes.run(
        ["dig", f"@{address}", "-p", port, "+short", "+tries=2", "+timeout=3", *words]
    )
    assert done.returncode == 0, f"dig {words}: {done.returncode} {done.stdout}{done.stderr}"
    return sorted(done.stdout.split("\n")[:-1])


def encode_name(name):
    octets = b""
    for label in name.rstrip(".").split("."):
        if label:
            octets += bytes([len(label)]) + label.encode()
    return octets + b"\0"


def encode_query(name, qtype, ident=None, payload=None, flags=0):
    """A query in wire form; with `payload`, an OPT record that offers so many octets."""
    ident = random.randrange(65536) if ident is None else ident
    message = struct.pack(">6H", ident, flags, 1, 0, 0, 0 if payload is None else 1)
    message += encode_name(name) + struct.pack(">2H", TYPES.get(qtype, qtype), 1)
    if payload is not None:
        message += b"\0" + struct.pack(">HHIH", 41, payload, 0, 0)
    return message


@dataclasses.dataclass
class Record:
    owner: str
    type: str
    ttl: int
    data: object  # A, AAAA: text; SRV: (priority, weight, port, target); SOA: its serial


@dataclasses.dataclass
class Message:
    ident: int
    rcode: int
    authoritative: bool
    truncated: bool
    answer: list
    authority: list
    additional: list

    def data(self, rrtype):
        return sorted(record.data for record in self.answer if record.type == rrtype)


def _read_name(octets, at):
    labels, end, jumps = [], None, 0
    while octets[at]:
        if octets[at] & 0xC0 == 0xC0:
            end = end or at + 2
            at = struct.unpack_from(">H", octets, at)[0] & 0x3FFF
            jumps += 1
            if jumps > 63:
                raise ValueError("compression loop")
        else:
            labels.append(octets[at + 1 : at + 1 + octets[at]].decode("latin-1").lower())
            at += 1 + octets[at]
    return ".".join(labels), end or at + 1


def _read_data(octets, at, size, number):
    if number in (TYPES["A"], TYPES["AAAA"]):
        return str(ipaddress.ip_address(octets[at : at + size]))
    if number == TYPES["SRV"]:
        return (*struct.unpack_from(">3H", octets, at), _read_name(octets, at + 6)[0])
    if number == TYPES["SOA"]:
        _, at = _read_name(octets, at)
        _, at = _read_name(octets, at)
        return struct.unpack_from(">I", octets, at)[0]
    return octets[at : at + size]


def decode(octets):
    """A whole message; raises on what is not one."""
    ident, flags, questions, *counts = struct.unpack_from(">6H", octets)
    at = 12
    for _ in range(questions):
        at = _read_name(octets, at)[1] + 4
    sections = []
    for count in counts:
        section = []
        for _ in range(count):
            owner, at = _read_name(octets, at)
            number, _, ttl, size = struct.unpack_from(">HHIH", octets, at)
            at += 10
            if at + size > len(octets):
                raise ValueError("RDATA beyond the message")
            data = _read_data(octets, at, size, number)
            section.append(Record(owner, TYPE_NAMES.get(number, str(number)), ttl, data))
            at += size
        sections.append(section)
    if at != len(octets):
        raise ValueError(f"{len(octets) - at} octets after the message")
    return Message(ident, flags & 15, bool(flags & 0x400), bool(flags & 0x200), *sections)


RD = 0x0100  # asks a resolver to resolve


def ask(port, name, qtype, tcp=False, payload=1232, address="127.0.0.1", timeout=5.0, flags=0):
    """One query, one answer."""
    query = encode_query(name, qtype, payload=payload, flags=flags)
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(timeout)
        client.connect((address, port))
        if tcp:
            client.sendall(struct.pack(">H", len(query)) + query)
            octets = read_tcp(client)
        else:
            client.send(query)
            octets = client.recv(65535)
    message = decode(octets)
    assert message.ident == struct.unpack_from(">H", query)[0], "an answer to another query"
    return message


def read_exactly(client, size):
    octets = b""
    while len(octets) < size:
        part = client.recv(size - len(octets))
        if not part:
            raise ConnectionError("closed in the middle of a message")
        octets += part
    return octets


def read_tcp(client):
    return read_exactly(client, struct.unpack(">H", read_exactly(client, 2))[0])
