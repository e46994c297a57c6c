"""What was done and seen, with times; the first violation ends the run."""

import collections
import threading
import time
import traceback

LAST = 120  # events that a violation shows


class Journal:
    def __init__(self, folder):
        self.began = time.monotonic()
        self.file = open(folder / "events.log", "w", encoding="utf-8", buffering=1)
        self.last = collections.deque(maxlen=LAST)
        self.counts = collections.Counter()
        self.violations, self.over = [], threading.Event()
        self._lock = threading.Lock()

    def at(self, moment):
        return f"{moment - self.began:9.3f}"

    def note(self, text):
        line = f"{self.at(time.monotonic())} {text}"
        with self._lock:
            self.last.append(line)
            self.file.write(line + "\n")

    def violate(self, text):
        """Never raises: whoever saw it goes on, the run ends."""
        self.note(f"VIOLATION: {text}")
        with self._lock:
            self.violations.append(text)
        self.over.set()

    def check(self, truth, text):
        """`text` may be a function: most checks hold, and what would be said costs time."""
        if not truth:
            self.violate(text() if callable(text) else text)
        return truth

    def thread(self, name, function):
        """Runs `function()` until the run is over; what it raises is a fault of the soak's."""

        def body():
            try:
                function()
            except Exception:
                if not self.over.is_set():
                    self.violate(f"the soak's own thread {name} failed:\n{traceback.format_exc()}")

        thread = threading.Thread(target=body, name=name, daemon=True)
        thread.start()
        return thread
