"""A relay between two ends, for UDP and TCP of one port: it delays, doubles and reorders datagrams,
delays streams, and cuts connections. One thread for each relay."""

import contextlib
import heapq
import itertools
import random
import selectors
import socket
import threading
import time

# Who asked by UDP and got nothing until then gets nothing any more.
FORGET_SECONDS = 10.0


class Relay:
    def __init__(self, journal, name, listen, upstream, seed, udp=True, change=None):
        """`change(octets)`: what becomes of a datagram or of the octets of a stream on their way
        back; for showing that the soak can fail."""
        self.journal, self.upstream, self.change = journal, upstream, change
        self.random = random.Random(seed)
        self.delay, self.duplicates = 0.0, 0.0
        self.selector = selectors.DefaultSelector()
        self.due, self.numbers = [], itertools.count()
        self.flows = {}  # client's address: (socket towards upstream, when used)
        self.pairs = {}  # socket: the other one
        self.cut_all = threading.Event()
        self.tcp = socket.create_server(listen, backlog=256)
        self.tcp.setblocking(False)
        self.selector.register(self.tcp, selectors.EVENT_READ, self._accept)
        if udp:
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.udp.bind(listen)
            self.udp.setblocking(False)
            self.selector.register(self.udp, selectors.EVENT_READ, self._from_client)
        journal.thread(name, self._run)

    def _run(self):
        while not self.journal.over.is_set():
            wait = max(0.0, min(0.2, self.due[0][0] - time.monotonic())) if self.due else 0.2
            for key, _ in self.selector.select(wait):
                with contextlib.suppress(OSError):
                    key.data(key.fileobj)
            while self.due and self.due[0][0] <= time.monotonic():
                with contextlib.suppress(OSError, ValueError):
                    heapq.heappop(self.due)[2]()
            if self.cut_all.is_set():
                self.cut_all.clear()
                for each in list(self.pairs):
                    self._reset(each)

    def _later(self, seconds, action):
        heapq.heappush(self.due, (time.monotonic() + seconds, next(self.numbers), action))

    # --- datagrams

    def _times(self):
        """When a datagram is handed on: once, or twice, each in its own time."""
        times = [self.random.uniform(0, self.delay)]
        if self.random.random() < self.duplicates:
            times.append(self.random.uniform(0, self.delay))
        return times

    def _send(self, function, *arguments):
        for seconds in self._times():
            if seconds < 0.001:
                with contextlib.suppress(OSError):
                    function(*arguments)
            else:
                self._later(seconds, lambda: function(*arguments))

    def _from_client(self, udp):
        for _ in range(64):
            try:
                octets, client = udp.recvfrom(65535)
            except BlockingIOError:
                return
            flow = self.flows.get(client)
            if flow is None:
                self._forget()
                upward = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                upward.setblocking(False)
                upward.connect(self.upstream)
                flow = self.flows[client] = [upward, 0.0]
                self.selector.register(
                    upward, selectors.EVENT_READ, lambda sock, to=client: self._from_upstream(sock, to)
                )
            flow[1] = time.monotonic()
            self._send(flow[0].send, octets)

    def _from_upstream(self, upward, client):
        octets = upward.recv(65535)
        if self.change:
            octets = self.change(octets)
        self._send(self.udp.sendto, octets, client)

    def _forget(self):
        old = time.monotonic() - FORGET_SECONDS
        for client, (upward, used) in list(self.flows.items()):
            if used < old:
                self.selector.unregister(upward)
                upward.close()
                del self.flows[client]

    # --- streams

    def _accept(self, listener):
        client, _ = listener.accept()
        client.setblocking(False)
        upward = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        upward.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            upward.connect(self.upstream)
        self.pairs[client], self.pairs[upward] = upward, client
        for each in (client, upward):
            self.selector.register(each, selectors.EVENT_READ, self._pass_on)

    def _pass_on(self, source):
        other = self.pairs.get(source)
        if other is None:
            return
        try:
            octets = source.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            return self._reset(source)
        # In order: a delay holds up all that follows.
        seconds = self.random.uniform(0, self.delay) if self.delay else 0.0
        if seconds:
            self.selector.unregister(source)
            self._later(seconds, lambda: self._deliver(source, other, octets, True))
        else:
            self._deliver(source, other, octets, False)

    def _deliver(self, source, other, octets, again):
        if self.pairs.get(source) is not other:
            return
        try:
            if not octets:
                return self._reset(source, gently=True)
            # What does not fit at once is little here: heartbeats, single questions.
            other.setblocking(True)
            other.settimeout(1.0)
            other.sendall(octets)
            other.setblocking(False)
        except OSError:
            return self._reset(source)
        if again:
            self.selector.register(source, selectors.EVENT_READ, self._pass_on)

    def _reset(self, source, gently=False):
        other = self.pairs.pop(source, None)
        self.pairs.pop(other, None)
        for each in (source, other):
            if each is None:
                continue
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(each)
            if not gently:
                with contextlib.suppress(OSError):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            each.close()
