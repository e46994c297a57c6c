"""Watches the processes from outside: who ends by itself, who grows; and this machine, which may be
too busy for anything to be sure."""

import pathlib
import re
import time

# Of one life of the authority, after its first seconds: what caches, connections and the audit of a
# run may add.
RESIDENT_MEBIBYTES, DESCRIPTORS = 24, 64
WARM_SECONDS = 5.0
# Who sleeps for 0.1 s and wakes so much later cannot ask that others be in time.
BUMP_SECONDS = 0.5


def resident(pid):
    """MiB; None: it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE).group(1)) / 1024
    except (OSError, AttributeError):
        return None


def descriptors(pid):
    try:
        return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return None


class Watch:
    def __init__(self, run):
        self.run, self.journal = run, run.journal
        self.first = self.last = None  # (MiB, descriptors) of this life
        self.largest = (0.0, 0)
        self.grown = (0.0, 0)  # at most in one life
        self.measured = 0.0
        self.journal.thread("pulse", self._pulse)

    def turn(self):
        """From the main thread, often."""
        for name, process in self.run.site.children().items():
            if name not in self.run.faults.down and process.poll() is not None:
                self.journal.violate(
                    f"{name} ended by itself with {process.returncode}:\n"
                    f"{self.run.site.authority.log()[-3000:] if name == 'sluiced' else ''}"
                )
        authority = self.run.site.authority
        now = time.monotonic()
        if now < self.measured + 1.0 or now < authority.started + WARM_SECONDS:
            return
        self.measured = now
        seen = resident(authority.process.pid), descriptors(authority.process.pid)
        if None in seen:
            return
        self.last = seen
        self.first = self.first or seen
        self.largest = tuple(map(max, self.largest, seen))

    def end_of_life(self):
        """The authority is about to be ended: what it has grown."""
        if self.first and self.last:
            memory, files = (last - first for last, first in zip(self.last, self.first))
            self.grown = max(self.grown[0], memory), max(self.grown[1], files)
            self.journal.check(
                memory < RESIDENT_MEBIBYTES and files < DESCRIPTORS,
                f"sluiced grew from {self.first} to {self.last} (MiB, descriptors)",
            )
        self.first = self.last = None

    def _pulse(self):
        while not self.journal.over.is_set():
            begun = time.monotonic()
            time.sleep(0.1)
            now = time.monotonic()
            if now > begun + 0.1 + BUMP_SECONDS:
                self.journal.note(f"this machine stood still for {now - begun:.1f} s")
                self.journal.counts["bumps"] += 1
                self.run.truth.disturb(begun, until=now)
                self.run.truth.deaf.during(begun - 1.0, now + 1.0)
                self.run.truth.away.during(begun, now + 0.5)
