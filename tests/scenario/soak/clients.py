"""Clients: they ask the authority by UDP and TCP, directly and through a relay, and resolvers; they
hold every answer against the model, and go where the answer sends them."""

import contextlib
import random
import socket
import struct
import time

from soak.faults import CLIENT
from soak.hosts import address
from soak.site import AUTHORITY, DNS_PORT, LAST_RESORT, RELAYS, TTL
from support import dns
from support.sluiced import POOL, server_name, v6

SRV = f"_sip._tcp.{POOL}"
MISSING = f"nobody.{POOL}"
WEB = f"web.{POOL}"
# Of one try; there are several, since the kernel may drop a datagram when this machine is busy.
ANSWER_SECONDS, TRIES = 1.5, 4
# What a cache adds to a TTL: it counts in whole seconds, and answers are under way.
CACHE_SECONDS = 2.0


def exchange(server, query, tcp=False):
    """The answer's octets; raises OSError without one."""
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(ANSWER_SECONDS)
        # A firewall that loses packets of clients must not hit those of the relay.
        client.bind((CLIENT, 0))
        client.connect((server, DNS_PORT))
        if tcp:
            client.sendall(struct.pack(">H", len(query)) + query)
            return dns.read_tcp(client)
        client.send(query)
        return client.recv(65535)


class Client:
    """`rate`: questions a second."""

    def __init__(self, run, name, server, rate, tcp=False, resolver=None):
        self.run, self.truth, self.journal = run, run.truth, run.journal
        self.name, self.server, self.tcp, self.resolver = name, server, tcp, resolver
        self.rate = rate
        self.random = random.Random(f"{run.seed}/{name}")
        self.sets = [(POOL, "front-end", ("A", "AAAA")), (SRV, "front-end", ("SRV",))] + [
            (f"{service}.{POOL}", service, ("A", "AAAA")) for service in self.truth.services[1:]
        ]
        self.members = {address(n): n for n in self.truth.numbers}
        self.members |= {v6(n): n for n in self.truth.numbers}
        self.members |= {server_name(n): n for n in self.truth.numbers}
        self.unanswered = 0
        self.journal.thread(name, self._work)

    def _work(self):
        while not self.journal.over.wait(self.random.expovariate(self.rate)):
            draw = self.random.random()
            if self.resolver is not None or draw < 0.75:
                owner, service, types = self.random.choice(self.sets)
                self.ask_set(owner, service, self.random.choice(types))
            elif draw < 0.85:
                self.ask_serial()
            else:
                self.ask_other(self.random.choice((MISSING, WEB, server_name(1))))

    def ask(self, owner, qtype):
        """(message, asked, answered), or None."""
        flags = dns.RD if self.resolver is not None else 0
        begun = time.monotonic()
        for _ in range(TRIES):
            query = dns.encode_query(owner, qtype, payload=1232, flags=flags)
            asked = time.monotonic()
            try:
                octets = exchange(self.server, query, self.tcp)
            except OSError:
                continue
            finally:
                answered = time.monotonic()
            try:
                message = dns.decode(octets)
            except (ValueError, IndexError, struct.error) as error:
                self.journal.violate(f"{self.name}: {owner} {qtype}: no message: {error}: {octets.hex()}")
                return None
            if octets[:2] != query[:2]:
                continue  # a late answer to somebody who had this port before
            self.journal.counts[f"answers to {self.name}"] += 1
            return message, asked, answered
        self.no_answer(owner, qtype, begun)
        return None

    def no_answer(self, owner, qtype, begun):
        self.journal.counts[f"no answer to {self.name}"] += 1
        now = time.monotonic()
        excused = self.truth.away.touch(begun, now) or self.truth.deaf.touch(begun, now)
        if self.resolver is None and not excused and not self.journal.over.is_set():
            self.journal.violate(
                f"{self.name}: no answer to {owner} {qtype} in {now - begun:.1f} s, and nothing was "
                f"in the way"
            )

    def ask_set(self, owner, service, qtype):
        got = self.ask(owner, qtype)
        if not got:
            return None
        message, asked, answered = got
        where = f"{self.name}: {owner} {qtype}, asked at {self.journal.at(asked).strip()}"
        if message.truncated:
            return None
        if self.resolver is not None and message.rcode == dns.SERVFAIL:
            self.journal.counts[f"SERVFAIL to {self.name}"] += 1
            return None
        if not self.journal.check(message.rcode == dns.NOERROR, f"{where}: RCODE {message.rcode}"):
            return None
        records = [record for record in message.answer if record.type == qtype]
        data = [record.data[3] if qtype == "SRV" else record.data for record in records]
        members = frozenset(self.members[each] for each in data if each in self.members)
        others = {each for each in data if each not in self.members}
        self.journal.check(len(set(data)) == len(data), lambda: f"{where}: twice in {data}")
        self.journal.check(
            all(record.ttl <= TTL for record in records), lambda: f"{where}: TTLs of {records}"
        )
        check = self.check_direct if self.resolver is None else self.check_cached
        check(where, service, qtype, members, others, asked, answered)
        return members

    def check_direct(self, where, service, qtype, members, others, asked, answered):
        allowed = self.truth.answers(service, asked, answered)
        last_resort = {LAST_RESORT[qtype == "AAAA"]} if qtype != "SRV" else set()
        found = any(
            members == each and others == (last_resort if fallback == "addresses" else set())
            for each, fallback in allowed
        )
        self.journal.counts["answers with one right answer"] += len(allowed) == 1
        self.journal.check(
            found, lambda: f"{where}: names {sorted(members)} {sorted(others)}, answered at "
            f"{self.journal.at(answered).strip()}; allowed: "
            f"{sorted((sorted(each), fallback) for each, fallback in allowed)[:20]}",
        )  # fmt: skip

    def check_cached(self, where, service, qtype, members, others, asked, answered):
        for number in members:
            self.journal.check(
                not self.truth.is_forbidden(number, service, asked - TTL - CACHE_SECONDS, answered),
                lambda number=number: f"{where}: names {number}, which has been held for longer than "
                f"any cache may keep it",
            )
            why = self.run.promises.broken(number, service, asked, answered)
            self.journal.check(not why, lambda number=number, why=why: f"{where}: names {number}; {why}")
        allowed = set(LAST_RESORT) if self.truth.policy == "addresses" else set()
        self.journal.check(not others - allowed, lambda: f"{where}: {sorted(others)}")
        del qtype

    def ask_serial(self):
        begun = self.run.views.serial.begin()
        got = self.ask(POOL, "SOA")
        if not got:
            return
        serials = got[0].data("SOA")
        if self.journal.check(len(serials) == 1, f"{self.name}: SOA of {POOL}: {got[0]}"):
            self.journal.check(
                self.run.views.serial.end(begun, serials[0]),
                f"{self.name}: the serial went from {begun} back to {serials[0]}",
            )

    def ask_other(self, owner):
        got = self.ask(owner, "A")
        if not got:
            return
        message, asked, answered = got
        if owner == MISSING:
            self.journal.check(message.rcode == dns.NXDOMAIN, f"{owner}: RCODE {message.rcode}")
            return
        with self.truth.lock:
            may = self.truth.web.over(asked, answered) if owner == WEB else {address(1)}
        self.journal.check(
            message.rcode == dns.NOERROR and len(message.data("A")) == 1 and set(message.data("A")) <= may,
            f"{self.name}: {owner} A is {message.data('A')}, RCODE {message.rcode}; may be {may}",
        )


class Callers:
    """Ask a resolver, connect to a server of the answer, stay for a while."""

    def __init__(self, run, resolver, rate):
        self.client = Client(run, f"caller-{resolver.name}", resolver.address, 0.001, resolver=resolver)
        self.run, self.rate = run, rate
        self.random = random.Random(f"{run.seed}/callers/{resolver.name}")
        self.open = []  # (when it leaves, socket, session)
        run.journal.thread(f"callers of {resolver.name}", self._work)

    def _work(self):
        while not self.run.journal.over.wait(0.1):
            for each in [each for each in self.open if each[0] < time.monotonic()]:
                self.open.remove(each)
                each[2][1] = each[2][1] or time.monotonic()
                each[1].close()
            self._forget_the_cut()
            if self.random.random() < 0.1 * self.rate:
                self._call()

    def _call(self):
        service = self.random.choice(self.run.truth.services[:2])
        owner = POOL if service == "front-end" else f"{service}.{POOL}"
        members = self.client.ask_set(owner, service, "A")
        stay = self.random.uniform(0.5, 5.0)
        if not members:
            return
        number = self.random.choice(sorted(members))
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.settimeout(1.0)
        try:
            connection.connect((address(number), self.run.site.hosts.port(number, service)))
        except OSError:
            connection.close()
            return
        connection.setblocking(False)
        self.run.journal.counts["sessions"] += 1
        session = self.run.sessions.opened(number, service)
        self.open.append((time.monotonic() + stay, connection, session))

    def _forget_the_cut(self):
        """Whose server has ended."""
        for each in list(self.open):
            with contextlib.suppress(BlockingIOError):
                try:
                    if each[1].recv(1):
                        continue
                except ConnectionError:
                    pass
                each[2][1] = each[2][1] or time.monotonic()
                each[1].close()
                self.open.remove(each)


def start(run, rate):
    """All of them."""
    Client(run, "udp", AUTHORITY, rate)
    Client(run, "tcp", AUTHORITY, rate / 2, tcp=True)
    Client(run, "udp-relayed", RELAYS, rate)
    Client(run, "tcp-relayed", RELAYS, rate / 2, tcp=True)
    for resolver in run.site.resolvers:
        Client(run, resolver.name, resolver.address, 1.5 * rate, resolver=resolver)
        Callers(run, resolver, 3.0)
