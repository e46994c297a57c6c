#!/usr/bin/env python3
"""The soak: everything at once, faults at random, every answer and acknowledgement held against a
model (truth.py). Called by tools/soak.

    run.py BUILD [--minutes N] [--seed S] [--replay FILE] [--break WHAT]
"""

import argparse
import contextlib
import datetime
import http.client
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

from soak import clients, plan
from soak.faults import Faults
from soak.hosts import Sessions
from soak.journal import Journal
from soak.operators import Operator
from soak.promises import Promises
from soak.site import NUMBERS, SERVICES, Site
from soak.truth import Truth
from soak.views import Views
from soak.watch import Watch
from support import dns, network
from support.api import Api
from support.sluiced import OPERATOR, POOL, READER, server_name

INSIDE = "SLUICE_SOAK_FOLDER"
SKIPPED = 77
BREAKS = {
    "forget": "a killed authority starts with an empty store",
    "relay": "the DNS relay gives its first answers again for ever",
    "sessions": "agents count no sessions",
    "resume": "holds are lifted behind the model's back",
    "serial": "the model is told of a serial that is ahead",
}
# All that agents see is in the answers after so long: three checks, a heartbeat, a damped change,
# a lease that has to come back, on a busy machine.
SETTLE_SECONDS = 7.0
CONVERGE_SECONDS = 40.0
# In which nothing happens and everything is known.
EXACT_SECONDS = 2.0
RATE = 8.0


class Run:
    def __init__(self, options, folder):
        self.options, self.folder, self.seed = options, folder, options.seed
        self.journal = Journal(folder)
        self.plan = plan.Plan(self.seed, NUMBERS, SERVICES)
        policy = self.plan.policy()
        # Half of the runs, once all programs can.
        tls = b"SLUICE_CA" in (options.build / "sluicectl").read_bytes() and self.plan.tls()
        self.journal.note(f"seed {self.seed}, when_all_held {policy}, {'TLS' if tls else 'no TLS'}")
        self.truth = Truth(NUMBERS, SERVICES, policy, 1, SETTLE_SECONDS)
        self.promises, self.sessions = Promises(self.truth), Sessions()
        self.views = Views(self.truth, self.promises, self.sessions, self.journal)
        self.site = Site(options.build, folder, self.seed, policy, self.journal, options.broken, tls)
        self.token_file = folder / "operator.token"
        self.token_file.write_text(OPERATOR + "\n", encoding="utf-8")
        self.token_file.chmod(0o600)
        self.clock_moved = 0.0
        self.plans = {}  # by key: when plans place the hold
        self.faults = Faults(self)
        self.watch = Watch(self)
        self.operators = []

    # --- what threads ask

    def monotonic_of(self, text, begun):
        """A moment of the authority's wall clock; None: that has jumped since."""
        wall = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
        left = wall - (time.time() + self.site.authority.clock.ahead)
        moment = time.monotonic() + left
        return None if self.clock_moved >= begun else moment

    def planned(self, number, keys, moment):
        del number
        with self.truth.lock:
            for key in keys:
                self.plans.setdefault(key, []).append(moment)

    def forget_plans(self, number):
        with self.truth.lock:
            self.plans = {key: each for key, each in self.plans.items() if key[0] != number}

    # --- the watcher

    def watcher(self):
        chance = random.Random(f"{self.seed}/watcher")
        api = self.site.api(READER, 10)
        while not self.journal.over.wait(0.12):
            try:
                self.views.look(api, chance.choice(NUMBERS))
                if chance.random() < 0.2:
                    self._look_at_generation(api)
                self.journal.counts["looks"] += 1
            except (OSError, http.client.HTTPException):
                api.close()
            except (AssertionError, ValueError) as error:
                if "503" not in str(error):
                    self.journal.violate(f"watcher: {error}")
            self._keep_plans()

    def _look_at_generation(self, api):
        begun = self.views.generation.begin()
        reply = api.call("GET", "/metrics")
        if reply.status != 200:
            return
        value = next(
            int(float(line.split()[1]))
            for line in reply.text.splitlines() if line.startswith("sluice_generation ")
        )  # fmt: skip
        self.journal.check(
            self.views.generation.end(begun, value), f"the generation went from {begun} back to {value}"
        )

    def _keep_plans(self):
        """A plan whose hold stands has promised that no cache names the server at its moment."""
        now = time.monotonic()
        with self.truth.lock:
            for key, moments in list(self.plans.items()):
                due = [moment for moment in moments if moment < now]
                if not due:
                    continue
                hold = self.truth.holds[key]
                alone = len(moments) == 1 and not hold.starts and not hold.wild
                if alone and hold.sets[-1] == {True} and due[0] - 6 < hold.since:
                    self.promises.add(*key[:2], hold.since, due[0], "the moment of its plan had passed")
                    del self.plans[key]
                elif due[0] < now - 20:
                    moments.remove(due[0])

    def breaker(self):
        """What is wrong on purpose, where nobody else does it."""
        api = Api(path=self.site.authority.folder / "sluice.sock", timeout=5)
        while not self.journal.over.wait(0.5):
            if self.options.broken == "serial" and self.views.serial.largest:
                self.views.serial.largest += 1000
            if self.options.broken != "resume":
                continue
            with contextlib.suppress(OSError, http.client.HTTPException):
                for number in NUMBERS:
                    api.try_resume(server_name(number))

    # --- the main thread

    def turn(self):
        self.faults.turn()
        self.watch.turn()

    def sleep_until(self, moment):
        while time.monotonic() < moment and not self.journal.over.is_set():
            self.turn()
            time.sleep(0.02)

    def converge(self):
        """Nothing is broken any more: in bounded time all is as it should be, and is exactly known."""
        begun = time.monotonic()
        for operator in self.operators:
            operator.give(plan.Event(0, 0.0, "tame", {}))
            while not operator.is_idle and not self.journal.over.is_set():
                self.sleep_until(time.monotonic() + 0.05)
                if time.monotonic() > begun + CONVERGE_SECONDS:
                    return self.journal.violate(f"{operator.name} gets no replies")
        while time.monotonic() < self.truth.unsettled_until():
            self.sleep_until(time.monotonic() + 0.1)
            if self.journal.over.is_set():
                return None
        api = self.site.api(READER, 10)
        last = "nothing was looked at"
        end = time.monotonic() + CONVERGE_SECONDS
        while (last := self._not_well(api)) and not self.journal.over.is_set():
            if time.monotonic() > end:
                return self.journal.violate(
                    f"{CONVERGE_SECONDS:.0f} s after all faults had ended: {last}"
                )
            self.sleep_until(time.monotonic() + 0.2)
        api.close()
        if self.journal.over.is_set():
            return None
        self.journal.note(f"all is well, {time.monotonic() - begun:.1f} s after the faults")
        self.journal.counts["converged"] += 1
        return self.sleep_until(time.monotonic() + EXACT_SECONDS)

    def _not_well(self, api):
        """What is not yet as it should be, or None."""
        try:
            for number in NUMBERS:
                shown = self.views.look(api, number, pin=True)
                if shown["lease"]["state"] != "current":
                    return f"the lease of {number} is {shown['lease']}"
                down = [
                    name for name, each in shown["services"].items()
                    if each["health"] != "up" or each["status"] in ("down", "unknown")
                ]  # fmt: skip
                if down:
                    return f"server {number}: {down} are not up"
            for resolver in self.site.resolvers:
                message = dns.ask(53, POOL, "A", address=resolver.address, flags=dns.RD, timeout=2)
                if message.rcode != dns.NOERROR:
                    return f"{resolver.name} answers RCODE {message.rcode}"
        except (OSError, http.client.HTTPException, AssertionError, ValueError) as error:
            return repr(error)
        return None

    def events(self):
        events = iter(plan.replayed(self.options.replay) if self.options.replay else self.plan)
        with open(self.folder / "plan.jsonl", "w", encoding="utf-8") as file:
            for event in events:
                file.write(event.text() + "\n")
                file.flush()
                yield event

    def go(self):
        self.site.start()
        self.converge()
        if self.journal.over.is_set():
            return
        self.operators = [Operator("A", NUMBERS[:2], self), Operator("B", NUMBERS[2:], self)]
        self.journal.thread("watcher", self.watcher)
        if self.options.broken in ("resume", "serial"):
            self.journal.thread("breaker", self.breaker)
        clients.start(self, RATE)
        begun = time.monotonic()
        slipped = 0.0
        for event in self.events():
            self.sleep_until(begun + event.at + slipped)
            if self.journal.over.is_set() or time.monotonic() > begun + 60 * self.options.minutes:
                break
            if event.kind in plan.ORDERS:
                for operator in self.operators:
                    if event.with_.get("server", operator.numbers[0]) in operator.numbers:
                        operator.give(event)
            else:
                was = time.monotonic()
                self.faults.inject(event)
                # What takes long moves all that follows.
                slipped += max(0.0, time.monotonic() - was - plan.GAP)
        if not self.journal.over.is_set():
            self.faults.heal()
            self.converge()

    def finish(self):
        self.watch.end_of_life()
        self.journal.over.set()
        for problem in self.site.end():
            self.journal.violate(problem)
        for line in self.site.unhealthy_lines():
            self.journal.violate(f"a log says: {line}")

    def summary(self):
        counts = self.journal.counts
        answers = sum(count for name, count in counts.items() if name.startswith("answers to"))
        lines = [
            f"{answers} answers checked ({counts['answers with one right answer']} could be one thing "
            f"only), {counts['looks']} looks at the API, {self.views.greens} green verdicts, "
            f"{self.promises.count} promises about caches, {counts['sessions']} sessions",
            f"orders: {_sorted(counts, ('drain', 'resume', 'force'))}",
            f"faults: {_sorted(counts, tuple(plan.FAULTS))}; all well again {counts['converged']} times",
            f"first answer {self.site.authority.slowest:.3f} s after a start at most, "
            f"{self.site.authority.lives} lives; at most {self.watch.largest[0]:.1f} MiB and "
            f"{self.watch.largest[1]} descriptors, grown by {self.watch.grown[0]:.1f} and "
            f"{self.watch.grown[1]} in a life; {counts['bumps']} bumps of this machine",
        ]
        return "\n".join(f"  {line}" for line in lines)


def _sorted(counts, beginnings):
    return ", ".join(
        f"{name} {count}" for name, count in sorted(counts.items())
        if name in beginnings or name.split()[0] in beginnings
    )  # fmt: skip


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--minutes", type=float, default=10.0, help="how long; default 10")
    parser.add_argument("--seed", type=int, help="what is drawn; default: another one each time")
    parser.add_argument(
        "--replay", type=pathlib.Path, metavar="FILE",
        help="gives the events of that plan.jsonl, of which lines may have been removed",
    )  # fmt: skip
    parser.add_argument(
        "--break", dest="broken", choices=BREAKS,
        help="shows that it can fail: " + "; ".join(f"{name}: {text}" for name, text in BREAKS.items()),
    )
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10**9)
    return options


def outside(options):
    """Makes the folder and the namespaces, waits, and leaves nothing behind but what is to be kept."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-soak-"))
    rights = [] if os.geteuid() == 0 else ["--map-root-user"]
    unshare = ["unshare", *rights, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    tried = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        shutil.rmtree(folder)
        print(f"soak: skipped, may not have namespaces here: {tried.stderr.strip()}")
        return SKIPPED
    words = [str(options.build), "--minutes", str(options.minutes), "--seed", str(options.seed)]
    if options.replay:
        words += ["--replay", str(options.replay.resolve())]
    if options.broken:
        words += ["--break", options.broken]
    child = subprocess.Popen(
        [*unshare, sys.executable, str(pathlib.Path(__file__).resolve()), *words],
        env=os.environ | {INSIDE: str(folder)},
    )

    def end(*_):
        # The first process of a namespace ends all others with it.
        child.kill()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    status = child.wait()
    if status != 1:
        shutil.rmtree(folder, ignore_errors=True)
    if status < 0:
        print("soak: interrupted", file=sys.stderr)
        return 130
    return status


def inside(options, folder):
    network.loopback_up()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"soak: seed {options.seed}, {options.minutes:g} minutes", flush=True)
    run = Run(options, folder)
    try:
        run.go()
    except Exception as error:
        run.journal.violate(f"the soak itself failed: {error!r}\n{traceback.format_exc()}")
    run.finish()
    print(run.summary(), flush=True)
    if not run.journal.violations:
        print(f"soak: no violation, seed {options.seed}, {options.minutes:g} minutes", flush=True)
        return 0
    shutil.copytree(run.site.authority.folder / "state", folder / "kept-state", dirs_exist_ok=True)
    print("\n".join(run.journal.last))
    for text in run.journal.violations[:5]:
        print(f"soak: violation: {text}")
    print(
        f"soak: {len(run.journal.violations)} violations, seed {options.seed}; logs, state and events "
        f"are kept in {folder}\n"
        f"soak: again: tools/soak --minutes {options.minutes:g} --seed {options.seed}; its events alone: "
        f"tools/soak --replay {folder}/plan.jsonl --seed {options.seed}", flush=True,
    )  # fmt: skip
    return 1


def main():
    options = arguments()
    folder = os.environ.get(INSIDE)
    sys.exit(inside(options, pathlib.Path(folder)) if folder else outside(options))


if __name__ == "__main__":
    main()
