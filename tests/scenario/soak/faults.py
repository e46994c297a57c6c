"""What is done to the processes, their network, disk and clock. Of the main thread, which starts and
ends all children. Each fault tells the model what is in doubt, before it does anything."""

import contextlib
import heapq
import itertools
import re
import shutil
import signal
import socket
import time

from soak import damage
from soak.site import API_PORT, AUTHORITY, DNS_PORT, FIRST_ANSWER_SECONDS, HEARTBEAT, RELAYS
from support import dns, processes
from support.network import SBIN
from support.polling import eventually
from support.sluiced import POOL, ZONE

NFT = shutil.which("nft", path=SBIN)
# Only what is between these is hit: what goes from a relay or a client to the authority.
CLIENT = "127.0.4.1"
LOSSES = {
    "dns-udp": ("ip daddr 127.0.0.1 udp dport 53", "ip saddr 127.0.0.1 udp sport 53"),
    "dns-tcp": (f"ip saddr {CLIENT} tcp dport 53", f"ip daddr {CLIENT} tcp sport 53"),
    "api": (f"ip daddr {RELAYS} tcp dport {API_PORT}", f"ip saddr {RELAYS} tcp sport {API_PORT}"),
}
RELOAD_SECONDS = 15.0
# To read the configuration, to open the store, and what this machine takes.
TAKE_OVER_SECONDS = 60.0
# What was lost is sent again by kernels for so long, and perhaps longer, after the loss.
LOST_SECONDS = 10.0
# A TLS handshake and what is pushed after it take four times a relay's delay at most; an agent gives
# up after half a heartbeat, and begins with a new connection.
HANDSHAKE_DELAY = HEARTBEAT / 2 / 4 - 0.01
# What is written within so long before a kill may be missing in the copy of the store: "at most a
# second behind", and what this machine adds.
COPIED_SECONDS = 2.0


class Faults:
    def __init__(self, run):
        self.run, self.site, self.truth, self.journal = run, run.site, run.truth, run.journal
        self.authority = run.site.authority
        self.pending, self.numbers = [], itertools.count()
        self.down = set()  # children that are meant to be dead
        self.stopped = {}  # what ends a stop, by name
        self.losses = {}  # what ends a loss, by path
        self.disk = None  # ends a full disk
        self.web = 80

    # --- time

    def later(self, seconds, action):
        heapq.heappush(self.pending, (time.monotonic() + seconds, next(self.numbers), action))

    def last(self, seconds, lasting, name, end):
        """What `lasting` has by this name ends by itself then, unless something ends it before."""
        lasting[name] = end
        self.later(seconds, lambda: lasting.get(name) is end and self.end(lasting, name))

    @staticmethod
    def end(lasting, name):
        end = lasting.pop(name, None)
        if end:
            end()

    def turn(self, everything=False):
        """What is due by now, or all that is to come."""
        while self.pending and (everything or self.pending[0][0] <= time.monotonic()):
            heapq.heappop(self.pending)[2]()

    def inject(self, event):
        self.journal.note(f"event {event.number}: {event.kind} {event.with_}")
        self.journal.counts[event.kind] += 1
        getattr(self, f"_{event.kind}")(**event.with_)

    # --- the authority

    def _restart(self, signal_number, pause, between=lambda: None):
        self.go_on("sluiced")
        self.down.add("sluiced")
        began = time.monotonic()
        span = self.truth.away.begin(began)
        if self.truth.not_durable.touch(began - self.truth.settle, began):
            # What agents said last is perhaps not on disk.
            self.truth.disturb(began, until=time.monotonic() + pause)
        process = self.authority.process
        self.truth.time_moves(began, restarted=True)
        self.run.watch.end_of_life()
        process.send_signal(signal_number)
        status = process.wait(timeout=30)
        self.journal.check(
            status == (0 if signal_number == signal.SIGTERM else -signal_number),
            f"sluiced ended with {status} on signal {signal_number}",
        )
        between()
        time.sleep(pause)
        self._start()
        span[1] = time.monotonic() + 0.3
        self.down.discard("sluiced")

    def _start(self):
        # Else no first answer would be seen before the loss has gone by.
        self.lose_no_more("dns-udp")
        self.authority.launch()
        if self.authority.await_answer():
            took = time.monotonic() - self.authority.started
            self.journal.check(
                took < FIRST_ANSWER_SECONDS, f"the first answer came {took:.1f} s after the start"
            )
            self.authority.await_ready()
            self.journal.note(f"sluiced runs again, first answer after {took:.3f} s")
            return
        status = self.authority.process.poll()
        if self.disk and status == 1:
            self.journal.note("sluiced does not start on a full disk, which is freed now")
            self.free_disk()
            return self._start()
        self.journal.violate(
            f"sluiced does not start (status {status}):\n{self.authority.log()[-3000:]}"
        )

    def _kill_authority(self, pause):
        self._restart(signal.SIGKILL, pause, self._forget if self.site.broken == "forget" else lambda: None)

    def _forget(self):
        """On purpose: a store that loses what was acknowledged."""
        for file in (self.authority.folder / "state").glob("sluice*"):
            file.unlink()

    def _end_authority(self, pause):
        self._restart(signal.SIGTERM, pause)

    def _damage(self, pause, how, draw):
        state = self.authority.folder / "state"

        def harm():
            killed = time.monotonic()
            db, copy = damage.commits(state)
            if how != "copy" and (copy == 0 or self.truth.not_durable.touch(killed - 15, killed)):
                self.journal.note("not damaged: there is no whole copy to go on from")
                return
            self.journal.note(f"damage: {how}, {db} commits, {copy} in the copy")
            done = damage.DAMAGES[how](state, draw)
            self.journal.note(f"damaged: {done}")
            if how == "copy" or copy >= db:
                return  # nothing is lost
            self.truth.all_uncertain(self._copied_until(killed), killed)

        self._restart(signal.SIGKILL, pause, harm)
        if how == "copy":
            eventually(
                lambda: damage.copy_is_whole(state) or self.journal.over.is_set(), "the copy is whole"
            )

    def _copied_until(self, killed):
        """When all that was written before is in the copy: time in which it stood still is none."""
        since = killed - COPIED_SECONDS
        for first, last in reversed(self.truth.away.spans):
            if last > since and first < killed:
                since = min(since, first - COPIED_SECONDS)
        return since

    def _take_over(self):
        """Another process takes its place: nobody loses a query, nothing is in doubt but moments."""
        if not self.authority.can_be_replaced:
            return
        self.go_on("sluiced")
        begun = time.monotonic()
        span = self.truth.renewed.begin(begun)
        late = self.truth.late.begin(begun)
        self.truth.time_moves(begun, restarted=True)
        self.run.watch.end_of_life()
        former, said = self.authority.process, len(self.authority.log())
        former.send_signal(signal.SIGUSR2)

        def ended():
            log = self.authority.log()[said:]
            back = re.search(r"(?m)^.*(did not take over|could be started).*$", log)
            return (back and back.group()) or (former.poll() is not None and "it ended")

        outcome = eventually(ended, "a take-over ends", within=TAKE_OVER_SECONDS)
        span[1] = late[1] = time.monotonic() + 1.0
        took = time.monotonic() - begun
        if former.poll() is None:
            self.journal.check(self.disk, f"no other process took over: {outcome}")
            return
        # Not the one that was started: that only attends it (tools/sluiced/attendant.h).
        heir = re.findall(r"process (\d+) has taken over", self.authority.log()[said:])
        self.journal.check(
            former.poll() == 0 and heir,
            lambda: f"sluiced ended with {former.poll()} on SIGUSR2:\n{self.authority.log()[said:]}",
        )
        self.authority.process = processes.Adopted(int(heir[-1]))
        self.authority.started = time.monotonic()
        self.authority.lives += 1
        self.journal.note(f"process {heir[-1]} took over after {took:.3f} s")

    def _stop_authority(self, seconds):
        self._stop("sluiced", self.authority.process, seconds, self.truth.away.begin)

    def _stop(self, name, process, seconds, doubt):
        """Does not run for so long."""
        if name in self.down or name in self.stopped:
            return
        span = doubt(time.monotonic())
        process.send_signal(signal.SIGSTOP)

        def go_on():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            span[1] = time.monotonic() + (self.truth.settle if name.startswith("agent") else 0.5)

        self.last(seconds, self.stopped, name, go_on)

    def go_on(self, name):
        self.end(self.stopped, name)

    # --- agents and resolvers

    def _kill_agent(self, server, pause):
        agent, name = self.site.agents[server], f"agent {server}"
        if name in self.down:
            return
        self.go_on(name)
        span = self.truth.disturb(time.monotonic(), server)
        self.down.add(name)
        agent.kill()

        def start():
            agent.start()
            self.down.discard(name)
            self.truth.calm(span, time.monotonic())

        self.later(pause, start)

    def _stop_agent(self, server, seconds):
        self._stop(f"agent {server}", self.site.agents[server].process, seconds,
                   lambda moment: self.truth.disturb(moment, server))  # fmt: skip

    def _kill_resolver(self, resolver, pause):
        each = self.site.resolvers[resolver]
        if each.name in self.down:
            return
        self.go_on(each.name)
        self.down.add(each.name)
        each.process.kill()
        each.process.wait()

        def start():
            each.start()
            self.down.discard(each.name)

        self.later(pause, start)

    def _stop_resolver(self, resolver, seconds):
        each = self.site.resolvers[resolver]
        self._stop(each.name, each.process, seconds, lambda moment: [moment, moment])

    # --- the network

    def _nft(self, rules):
        done = processes.run([NFT, rules], timeout=20)
        if done.returncode != 0:
            raise RuntimeError(f"nft: {done.stderr}")

    def _loss(self, path, percent, seconds):
        table = f"loss_{path.replace('-', '_')}"
        if path in self.losses:
            return
        begun = time.monotonic()
        span = self.truth.disturb(begun) if path == "api" else self.truth.deaf.begin(begun)
        late = self.truth.late.begin(begun) if path == "api" else None
        share = "" if percent == 100 else f"numgen random mod 100 < {percent} "
        drop = "".join(f"    {match} {share}drop\n" for match in LOSSES[path])
        self._nft(f"table inet {table} {{\n  chain input {{\n    type filter hook input priority 0\n"
                  f"{drop}  }}\n}}")  # fmt: skip

        def end():
            self._nft(f"delete table inet {table}")
            if late:
                self.truth.calm(span, time.monotonic())
                # As streams of agents that have given them up.
                late[1] = time.monotonic() + LOST_SECONDS
            else:
                # Streams that lost segments wait for the kernel to send them again.
                span[1] = time.monotonic() + 3.0

        self.last(seconds, self.losses, path, end)

    def lose_no_more(self, path):
        self.end(self.losses, path)

    def _relay(self, relay, delay, duplicates, seconds):
        each = self.site.relays[relay]
        # Without TLS what an agent pushes arrives, though the agent has given it up by then.
        late = self.truth.late.begin(time.monotonic()) if relay == "api" else None
        is_in_time = relay != "api" or not self.authority.certificates or delay < HANDSHAKE_DELAY
        span = None if is_in_time else self.truth.disturb(time.monotonic())
        each.delay, each.duplicates = delay, duplicates

        def end():
            each.delay, each.duplicates = 0.0, 0.0
            if span:
                self.truth.calm(span, time.monotonic())
            if late:
                late[1] = time.monotonic() + delay

        self.later(seconds, end)

    def _cut(self, relay):
        if relay == "dns":
            self.truth.deaf.during(time.monotonic(), time.monotonic() + 1.0)
        self.site.relays[relay].cut_all.set()

    def _burst(self, packets):
        """As fast as this can: the responder is saturated for a moment."""
        span = self.truth.deaf.begin(time.monotonic())
        query = dns.encode_query(POOL, "A", payload=1232)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect((AUTHORITY, DNS_PORT))
            client.setblocking(False)
            for _ in range(packets):
                with contextlib.suppress(OSError):
                    client.send(query)
        span[1] = time.monotonic() + 1.0

    # --- clock and disk

    def _clock(self, seconds):
        clock = self.authority.clock
        if abs(clock.ahead + seconds) > 3 * 86400:
            seconds = -seconds
        self.run.clock_moved = time.monotonic()
        self.truth.time_moves(time.monotonic(), jumped=True)
        clock.jump(seconds)
        self.run.clock_moved = time.monotonic()

    def _full_disk(self, seconds):
        if self.disk:
            return
        begun = time.monotonic()
        span = self.truth.not_durable.begin(begun)
        filler = self.authority.folder / "state" / "filler"
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            for size in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

        def end():
            filler.unlink()
            self.disk = None
            span[1] = time.monotonic() + 2.0

        self.disk = end
        self.later(seconds, lambda: self.disk is end and self.free_disk())

    def free_disk(self):
        if self.disk:
            self.disk()

    # --- services

    def _health(self, server, service, health):
        if (server, service) in self.down:
            return
        now = time.monotonic()
        self.truth.disturb(now, server, service, until=now)
        with self.truth.lock:
            self.truth.health[server, service].becomes(now, {health})
        each = self.site.hosts.services[server, service]
        if health == "up":
            each.listen()
        else:
            each.refuse()

    def _flap(self, server, service, turns):
        if (server, service) in self.down:
            return
        listens = self.site.hosts.services[server, service].listener is not None
        self._health(server, service, "out" if listens else "up")
        if turns > 1:
            self.later(1.0, lambda: self._flap(server, service, turns - 1))

    def _new_instance(self, server, service, pause):
        if (server, service) in self.down:
            return
        self.down.add((server, service))
        now = time.monotonic()
        span = self.truth.disturb(now, server, service)
        self.truth.new_instance(server, service, now)
        self.run.sessions.cut(server, service)
        each = self.site.hosts.services[server, service]
        each.stop()

        def start():
            self.truth.new_instance(server, service, time.monotonic())
            each.start()
            self.down.discard((server, service))
            self.truth.calm(span, time.monotonic())

        self.later(pause, start)

    # --- configuration

    def _said(self, words):
        return self.authority.log().count(words)

    def _hang_up(self):
        """Returns whether it took the file, or refused it."""
        self.go_on("sluiced")
        taken, refused = self._said("reloaded by"), self._said("refused, the old configuration")
        self.authority.hang_up()
        return eventually(
            lambda: (["taken"] if self._said("reloaded by") > taken else [])
            or (["refused"] if self._said("refused, the old configuration") > refused else []),
            "sluiced tells what became of the reload", within=RELOAD_SECONDS,
        )[0]  # fmt: skip

    def _reload(self, web, floor, certificate=False):
        if certificate and self.authority.certificates:
            self.authority.certify()
        config = self.authority.config
        former = config["zones"][0]["records"], config["pools"][0]["min_accepting"]
        config["zones"][0]["records"] = ZONE.replace("192.0.2.80", f"192.0.2.{web}")
        config["pools"][0]["min_accepting"] = floor
        begun = time.monotonic()
        with self.truth.lock:
            old = self.truth.floor.now, self.truth.web.now
            self.truth.floor.may_become(begun, {floor})
            self.truth.web.may_become(begun, {f"192.0.2.{web}"})
        self.authority.write_config()
        outcome = self._hang_up()
        end = time.monotonic()
        if outcome == "taken":
            now = {floor}, {f"192.0.2.{web}"}
        else:
            self.journal.check(self.disk, f"a good file was refused:\n{self.authority.log()[-2000:]}")
            config["zones"][0]["records"], config["pools"][0]["min_accepting"] = former
            self.authority.write_config()
            now = old
        with self.truth.lock:
            self.truth.floor.becomes(end, now[0])
        # Until every worker serves it.
        time.sleep(0.5)
        with self.truth.lock:
            self.truth.web.becomes(time.monotonic(), now[1])

    def _bad_reload(self, how):
        good = self.authority.file.read_text(encoding="utf-8")
        bad = {
            "syntax": good[: len(good) // 2],
            "key": good.replace('"min_accepting"', '"min_acepting"'),
            "zone": good.replace("300 IN SOA", "300 IN SOAP"),
        }[how]
        self.authority.file.write_text(bad, encoding="utf-8")
        outcome = self._hang_up()
        self.authority.write_config()
        self.journal.check(outcome == "refused", f"a bad file ({how}) was {outcome}")

    # --- healing

    def _calm(self):
        self.heal()
        self.run.converge()

    def heal(self):
        """All that is broken is whole again."""
        self.turn(everything=True)
        for name in list(self.stopped):
            self.go_on(name)
        self.free_disk()
        for (server, service), each in self.site.hosts.services.items():
            if each.listener is None:
                self._health(server, service, "up")
