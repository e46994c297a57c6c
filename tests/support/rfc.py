"""Octets of queries that no tool writes, read back strictly; and the four ways to ask: UDP and TCP,
IPv4 and IPv6."""

import contextlib
import dataclasses
import random
import re
import socket
import struct
import sys

from support import dns
from support.scenario import Scenario
from support.sluiced import POOL, configuration

NSID, SUBNET, COOKIE, KEEPALIVE, EDE = 3, 8, 10, 11, 15
BADVERS, BADCOOKIE = 16, 23
IN, CH, NONE, ANY_CLASS = 1, 3, 254, 255
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
QUERY, IQUERY, STATUS, NOTIFY, UPDATE = 0, 1, 2, 4, 5
TYPES = {**dns.TYPES, "CNAME": 5, "HINFO": 13, "MX": 15, "DS": 43, "IXFR": 251, "AXFR": 252}


def option(code, data=b""):
    return struct.pack(">2H", code, len(data)) + data


def opt(*options, payload=1232, version=0, do=False, owner=b"\0"):
    rdata = b"".join(options)
    flags = version << 16 | (0x8000 if do else 0)
    return owner + struct.pack(">HHIH", 41, payload, flags, len(rdata)) + rdata


def wire_name(name):
    """Text, or a list of labels of any octets."""
    if isinstance(name, str):
        return dns.encode_name(name)
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def query(name=POOL, qtype="A", *additional, qclass=IN, opcode=QUERY, flags=0, ident=None):
    """`additional` are whole records."""
    ident = random.randrange(65536) if ident is None else ident
    head = struct.pack(">6H", ident, opcode << 11 | flags, 1, 0, 0, len(additional))
    question = wire_name(name) + struct.pack(">2H", TYPES.get(qtype, qtype), qclass)
    return head + question + b"".join(additional)


def bare(*additional):
    """Without a question."""
    return struct.pack(">6H", 7, 0, 0, 0, 0, len(additional)) + b"".join(additional)


@dataclasses.dataclass
class Reply:
    octets: bytes
    rcode: int  # with OPT's upper bits
    flags: int
    opcode: int
    question: bytes
    counts: tuple
    records: dns.Message
    edns: bool = False
    payload: int = 0
    version: int = 0
    do: bool = False
    options: dict = dataclasses.field(default_factory=dict)

    @property
    def error(self):
        """The extended error's code and text, or None."""
        data = self.options.get(EDE)
        return data and (struct.unpack(">H", data[:2])[0], data[2:].decode())


def read(octets):
    """Whatever is not as it should be raises."""
    message = dns.decode(octets)
    _, flags, questions, *counts = struct.unpack_from(">6H", octets)
    at = 12
    while questions and octets[at]:
        at += 1 + octets[at]
    question = octets[12 : at + 5] if questions else b""
    reply = Reply(
        octets, flags & 15, flags & 0x87F0, flags >> 11 & 15, question, tuple(counts), message
    )
    opts = [index for index, each in enumerate(message.additional) if each.type == "41"]
    if not opts:
        return reply
    assert opts == [len(message.additional) - 1], "one OPT, the last record"
    rdata = message.additional[-1].data
    head = octets[len(octets) - len(rdata) - 11 :]
    assert head[0] == 0, "OPT is the root's"
    _, reply.payload, upper, reply.version, bits, size = struct.unpack_from(">HHBBHH", head, 1)
    assert size == len(rdata)
    reply.edns, reply.do = True, bool(bits & 0x8000)
    reply.rcode |= upper << 4
    assert bits & 0x7FFF == 0, "Z is zero"
    while rdata:
        code, length = struct.unpack_from(">2H", rdata)
        assert code not in reply.options and len(rdata) >= 4 + length
        reply.options[code], rdata = rdata[4 : 4 + length], rdata[4 + length :]
    return reply


@dataclasses.dataclass
class Path:
    address: str
    port: int
    tcp: bool

    def __str__(self):
        return f"{'tcp' if self.tcp else 'udp'} {self.address}"

    @property
    def transport(self):
        return "tcp" if self.tcp else "udp"

    @contextlib.contextmanager
    def connect(self, timeout=5.0):
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        kind = socket.SOCK_STREAM if self.tcp else socket.SOCK_DGRAM
        with socket.socket(family, kind) as client:
            client.settimeout(timeout)
            client.connect((self.address, self.port))
            yield client

    def send(self, client, *messages):
        if self.tcp:
            client.sendall(b"".join(struct.pack(">H", len(each)) + each for each in messages))
        else:
            for each in messages:
                client.send(each)

    def receive(self, client):
        return dns.read_tcp(client) if self.tcp else client.recv(65535)

    def ask(self, wire):
        """The reply, whose ID, opcode and flags belong to the query."""
        with self.connect() as client:
            self.send(client, wire)
            reply = read(self.receive(client))
        assert reply.octets[:2] == wire[:2], "another ID"
        assert reply.octets[2] & 0x80, "no response"
        return reply

    def ignores(self, wire):
        """Whether it gets silence: a query sent behind it is answered first."""
        with self.connect() as client:
            mark = query(ident=0xBEEF)
            self.send(client, wire, mark)
            return self.receive(client)[:2] == b"\xbe\xef"


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class RfcScenario(Scenario):
    """A sluiced on both families; each test asks on every path."""

    def serve(self, dns_block=None, records="", agents=True, **pool):
        config = configuration(**pool)
        listen = ["127.0.0.1@0"] + (["::1@0"] if has_ipv6() else [])
        config["dns"] = {"identity": "ns1.test", "listen": listen, "workers": 1}
        config["dns"].update(dns_block or {})
        config["zones"][0]["records"] += records
        daemon = self.start(config, folder=f"authority{len(self.daemons)}", agents=agents)
        found = re.findall(r"\bdns listening on (\S+)@(\d+)", daemon.log())
        self.paths = [
            Path(address, int(port), tcp) for address, port in found for tcp in (False, True)
        ]
        return daemon

    def each_path(self, tcp=None):
        for path in self.paths:
            if tcp in (None, path.tcp):
                try:
                    yield path
                except GeneratorExit:  # the test failed on this one
                    print(f"on {path}:", file=sys.stderr)
                    raise
