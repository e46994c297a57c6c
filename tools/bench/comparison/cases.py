"""What is asked, and how."""

import dataclasses

from comparison import data

POOL = f"pool01.{data.ZONE}"
A = f"{POOL} A NOERROR {data.SERVERS}"
AAAA = f"{POOL} AAAA NOERROR {data.SERVERS}"
SRV = f"_sip._tcp.{POOL} SRV NOERROR {data.SERVERS}"
NXDOMAIN = f"nobody.{POOL} A NXDOMAIN 0"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    transport: str  # "udp", "tcp", or "half load"
    text: str
    questions: tuple[str, ...]  # asked in turn
    options: tuple[str, ...] = ()  # of bench_load


def mix():
    """60 of A, 15 of AAAA, 15 of SRV, 10 of NXDOMAIN in a hundred, well stirred."""
    shares = {A: 60, AAAA: 15, SRV: 15, NXDOMAIN: 10}
    order = []
    for step in range(1, 101):
        # Whoever is farthest behind its share is next.
        order.append(max(shares, key=lambda kind: shares[kind] * step / 100 - order.count(kind)))
    return tuple(order)


def each_pool():
    return tuple(f"{pool}.{data.ZONE} A NOERROR {data.SERVERS}" for pool in data.pools()[1:])


EDNS = ("--edns",)
MANY = ("--edns", "--sockets", "256", "--window", "256")

ALL = [
    Case("a", "udp", "8 A", (A,), EDNS),
    Case("aaaa", "udp", "8 AAAA", (AAAA,), EDNS),
    Case("srv", "udp", "8 SRV, addresses in additional", (SRV,), EDNS),
    Case("nxdomain", "udp", "NXDOMAIN", (NXDOMAIN,), EDNS),
    Case("pools", "udp", "1,000 pools in turn, 8 A each", each_pool(), EDNS),
    Case("mix", "udp", "60 A, 15 AAAA, 15 SRV, 10 NXDOMAIN", mix(), EDNS),
    Case("ports", "udp", "8 A, asked from 256 ports in turn", (A,), MANY),
    Case("ports-mix", "udp", "the mix, from 256 ports in turn", mix(), MANY),
    Case("tcp", "tcp", "8 A, 4 connections, 200 in flight", (A,), ("--tcp", "--sockets", "4", "--window", "200")),
    Case("tcp-burst", "tcp", "8 A, 1 connection, bursts of 100", (A,), ("--tcp", "--burst", "100")),
    Case("half", "half load", "8 A at half its rate, both CPUs busy", (A,), ("--edns", "--sockets", "16")),
]
