"""What the authority has promised of caches: from a moment on no resolver names a server. Each lasts
as long as the hold that it was given for surely stands."""

import threading

KEPT = 30  # of each service: later ones say the same, since the hold must have stood throughout


class Promises:
    def __init__(self, truth):
        self.truth, self.lock, self.all = truth, threading.Lock(), {}
        self.count = 0

    def add(self, number, service, since, moment, why):
        """The hold has surely stood since `since`."""
        with self.lock:
            mine = self.all.setdefault((number, service), [])
            mine.append((since, moment, why))
            del mine[:-KEPT]
            self.count += 1

    def broken(self, number, service, asked, answered):
        """Why no resolver may name the server in an answer to what was asked then, or None."""
        with self.lock:
            mine = list(self.all.get((number, service), ()))
        for since, moment, why in mine:
            if asked > moment and self.truth.is_forbidden(number, service, since, answered):
                return f"{why}, {asked - moment:.3f} s before it was asked"
        return None
