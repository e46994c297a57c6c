"""DNS over TCP: RFC 7766, and what clients that mean harm, or nothing at all, may not do."""

import contextlib
import pathlib
import resource
import select
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.rfc import RfcScenario, bare, has_ipv6, opt, option, query, read
from support.scenario import main
from support.sluiced import POOL

# The daemon's (dns/server/tcp_clients.h), with what a tick and a busy machine add.
IDLE, HALF, UNREAD, LATE = 10, 5, 10, 5
COOKIE_LIKE = option(65001, b"x")
LARGE = "large"
LARGE_TXT = f"{LARGE} 300 IN TXT " + " ".join(f'"{"t" * 255}"' for _ in range(250)) + "\n"


def framed(*messages):
    return b"".join(struct.pack(">H", len(each)) + each for each in messages)


def closed(client):
    """Whether the server has closed; for a socket with nothing left to read."""
    if not select.select([client], [], [], 0)[0]:
        return False
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


class Tcp(RfcScenario):
    def assert_prompt(self, path):
        """A new client is answered at once, whoever else is there."""
        start = time.monotonic()
        self.assertEqual(len(path.ask(query()).records.answer), 3)
        self.assertLess(time.monotonic() - start, 1.0 * (10 if self.sanitized else 1))

    def test_section_6_2_1_many_queries_on_one_connection(self):
        self.serve()
        for path in self.each_path(tcp=True):
            with path.connect() as client:
                for turn in range(20):
                    path.send(client, query(ident=turn))
                    self.assertEqual(read(path.receive(client)).octets[:2], bytes([0, turn]))

    def test_section_6_2_1_1_pipelining(self):
        self.serve()
        for path in self.each_path(tcp=True):
            with path.connect() as client:
                count = 1000
                path.send(client, *[query(ident=turn) for turn in range(count)])
                # In any order (section 7); each once.
                seen = [
                    struct.unpack(">H", read(path.receive(client)).octets[:2])[0]
                    for _ in range(count)
                ]
                self.assertEqual(sorted(seen), list(range(count)))

    def test_section_7_answers_do_not_wait_for_a_query_that_is_not_whole(self):
        self.serve()
        for path in self.each_path(tcp=True):
            with path.connect() as client:
                second = framed(query(ident=2))
                client.sendall(framed(query(ident=1)) + second[:9])
                self.assertEqual(path.receive(client)[:2], b"\0\1")
                client.sendall(second[9:])
                self.assertEqual(path.receive(client)[:2], b"\0\2")

    def test_section_8_a_message_may_come_octet_by_octet(self):
        self.serve()
        for path in self.each_path(tcp=True):
            with path.connect() as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for octet in framed(query(ident=7)):
                    client.send(bytes([octet]))
                self.assertEqual(path.receive(client)[:2], b"\0\7")

    def test_section_6_2_4_a_half_closed_connection_gets_its_answers(self):
        self.serve()
        for path in self.each_path(tcp=True):
            with path.connect() as client:
                count = 300
                path.send(client, *[query(ident=turn) for turn in range(count)])
                client.shutdown(socket.SHUT_WR)
                for _ in range(count):
                    read(path.receive(client))
                self.assertEqual(client.recv(1), b"", "and then it ends")

    def test_rfc_1035_section_4_2_2_queries_of_65535_octets(self):
        self.serve()
        for path in self.each_path(tcp=True):
            plain = query(POOL, "A", opt(option(65001)))
            wire = query(POOL, "A", opt(option(65001, bytes(65535 - len(plain)))))
            self.assertEqual(len(wire), 65535)
            with path.connect() as client:
                path.send(client, wire, wire, query(ident=9))
                for _ in range(2):
                    self.assertEqual(len(read(path.receive(client)).records.answer), 3)
                self.assertEqual(path.receive(client)[:2], b"\0\x09")

    def test_rfc_1035_section_4_2_2_answers_of_nearly_64_kib(self):
        self.serve(records=LARGE_TXT)
        for path in self.each_path(tcp=True):
            with path.connect() as client:
                path.send(client, *[query(f"{LARGE}.{POOL}", "TXT")] * 8)
                for _ in range(8):
                    reply = read(path.receive(client))
                    self.assertGreater(len(reply.octets), 64000)
                    self.assertEqual(reply.counts[0], 1)

    def test_scraps_do_not_end_a_connection_nor_get_an_answer(self):
        self.serve()
        for path in self.each_path(tcp=True):
            with path.connect() as client:
                path.send(client, b"", b"x", query(flags=0x8000), bare(), query(ident=3))
                self.assertEqual(path.receive(client)[2:4], b"\x80\1")  # FORMERR, to bare()
                self.assertEqual(path.receive(client)[:2], b"\0\3")

    def test_section_6_2_3_connections_that_are_idle_half_sent_or_not_read_end(self):
        daemon = self.serve(records=LARGE_TXT)
        (path, *_) = [path for path in self.paths if path.tcp]
        greedy = framed(*[query(f"{LARGE}.{POOL}", "TXT")] * 200)
        with path.connect() as idle, path.connect() as half, path.connect() as unread:
            start = time.monotonic()
            half.sendall(b"\0\x40half")
            unread.setblocking(False)
            sent = 0
            try:
                while sent < 64 << 20:  # far more than all buffers between us
                    sent += unread.send(greedy)
            except BlockingIOError:
                pass
            self.assertLess(sent, 32 << 20, "it stops reading who does not read")
            self.assert_prompt(path)
            eventually(lambda: closed(half), "the half-sent message ends", within=HALF + LATE)
            self.assertGreaterEqual(time.monotonic() - start, HALF - 0.1)
            self.assertFalse(closed(idle))
            eventually(lambda: closed(idle), "the idle one ends", within=IDLE + LATE)
            self.assertGreaterEqual(time.monotonic() - start, IDLE - 0.1)

            def timed_out():
                page = daemon.api().call("GET", "/metrics").text
                return "sluice_dns_tcp_timed_out_total 3\n" in page

            eventually(timed_out, "the one that does not read ends", within=UNREAD + LATE)

    def test_section_6_2_2_activity_keeps_a_connection(self):
        self.serve()
        (path, *_) = [path for path in self.paths if path.tcp]
        with path.connect() as busy, path.connect() as idle:
            # One that asks every now and then outlives one that does not.
            def idle_is_gone():
                path.send(busy, query())
                read(path.receive(busy))
                return closed(idle)

            eventually(idle_is_gone, "the idle one ends", within=IDLE + LATE)
            path.send(busy, query())
            read(path.receive(busy))

    def test_section_10_idle_and_half_sent_connections_keep_nobody_waiting(self):
        self.serve()
        for path in self.each_path(tcp=True):
            with contextlib.ExitStack() as clients:
                for number in range(350):
                    client = clients.enter_context(path.connect())
                    if number >= 300:
                        client.sendall(framed(query())[:20])
                for _ in range(20):
                    self.assert_prompt(path)

    def test_section_10_the_longest_idle_makes_room(self):
        # More than the daemon takes (1,024 a worker): a new one is served nevertheless.
        daemon = self.serve()
        for path in self.each_path(tcp=True):
            with path.connect() as first, contextlib.ExitStack() as others:
                path.send(first, query())
                read(path.receive(first))
                for _ in range(1200):
                    others.enter_context(path.connect())
                eventually(lambda end=first: closed(end), "the longest idle ends", within=LATE)
                self.assert_prompt(path)
        page = daemon.api().call("GET", "/metrics").text
        self.assertNotIn("sluice_dns_tcp_evicted_total 0\n", page)

    def test_section_5_tcp_and_udp_say_the_same(self):
        self.serve()
        self.assertEqual(len(self.paths), 4 if has_ipv6() else 2)
        for name, qtype in ((POOL, "A"), (POOL, "SOA"), (f"_sip._tcp.{POOL}", "SRV"),
                            (f"nowhere.{POOL}", "A"), ("example.net", "A"), (POOL, "ANY")):  # fmt: skip
            wire = query(name, qtype, opt(COOKIE_LIKE), ident=1)
            replies = [path.ask(wire) for path in self.paths]
            for reply in replies[1:]:
                self.assertEqual(reply.rcode, replies[0].rcode)
                self.assertEqual(reply.counts, replies[0].counts)
                self.assertEqual(
                    sorted(str(each) for each in reply.records.answer),
                    sorted(str(each) for each in replies[0].records.answer),
                )

    def test_dig_keeps_one_connection_for_several_questions(self):
        self.serve()
        for path in self.each_path(tcp=True):
            lines = dns.dig(
                path.port, "+tcp", "+keepopen", POOL, "A", POOL, "AAAA", address=path.address
            )
            self.assertEqual(len(lines), 6)


if __name__ == "__main__":
    # For 1,200 connections at once; the usual limit is 1,024.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096) if hard > 0 else 4096, hard))
    main()
