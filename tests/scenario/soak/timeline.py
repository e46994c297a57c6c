"""What may have been true of one thing, and when: who asks later gets all that was possible."""

import bisect
import math
import time

# Older than anything that is still asked about: a TTL, a margin, the longest order.
KEPT_SECONDS = 300.0


class Timeline:
    """Of one variable: from each moment on, a set of possible values. Not locked: its owner does."""

    def __init__(self, *values):
        self.moments, self.sets = [-math.inf], [frozenset(values)]
        self.volatile_until = -math.inf  # until then it may change by itself
        self.version = 0
        # Of a hold: when it ends by itself, and when plans place it, at the earliest.
        self.ends, self.starts = math.inf, []
        # It may have been placed anew since, without an end.
        self.may_stay = False
        # Its end or its plan is a moment of the wall clock once the authority has started anew: when
        # that has jumped, too, nobody knows when it comes.
        self.jumped = self.restarted = self.wild = False
        self.tamed = -math.inf

    @property
    def now(self):
        moment = time.monotonic()
        return self.sets[-1] | self._by_time(moment)

    def _by_time(self, moment):
        """What time alone may have made of it."""
        if self.wild:
            return {True, False}
        found = {False} if moment >= self.ends else set()
        return found | ({True} if any(moment >= start for start in self.starts) else set())

    @property
    def is_sure(self):
        return len(self.now) == 1

    @property
    def since(self):
        """When the newest set began."""
        return self.moments[-1]

    def becomes(self, moment, values):
        values = frozenset(values)
        self.version += 1
        if values == self.sets[-1]:
            return
        self.moments.append(max(moment, self.moments[-1]))
        self.sets.append(values)
        while len(self.moments) > 2 and self.moments[1] < moment - KEPT_SECONDS:
            del self.moments[0], self.sets[0]

    def may_become(self, moment, values):
        self.becomes(moment, self.now | frozenset(values))

    def over(self, begin, end):
        """All that was possible at some moment of [begin, end]."""
        first = bisect.bisect_right(self.moments, begin) - 1
        found = set()
        for at in range(max(first, 0), len(self.moments)):
            if at > first and self.moments[at] > end:
                break
            found |= self.sets[at]
        return frozenset(found | self._by_time(end))

    @property
    def is_timed(self):
        """Time alone will change it."""
        return self.wild or self.ends < math.inf or bool(self.starts)

    def tame(self, moment):
        """All that time would have changed is called off."""
        self.tamed = moment
        self.ends, self.starts, self.may_stay = math.inf, [], False
        self.jumped = self.restarted = self.wild = False

    def settle(self, moment, value):
        """It was seen to be so, and nothing was under way that could change it."""
        self.becomes(moment, {value})
        self.starts = [start for start in self.starts if start > moment]
        if value is False or moment >= self.ends:
            self.ends, self.may_stay = math.inf, False
        if not self.is_timed:
            self.jumped = self.restarted = False


class Spans:
    """Stretches of time in which something was going on."""

    def __init__(self):
        self.spans = []  # [begin, end], end is infinite while it goes on

    def begin(self, moment):
        span = [moment, math.inf]
        self.spans.append(span)
        while self.spans[0][1] < moment - KEPT_SECONDS:
            del self.spans[0]
        return span

    def during(self, begin, end):
        self.begin(begin)[1] = end

    def touch(self, begin, end):
        return any(first <= end and last >= begin for first, last in self.spans)

    @property
    def latest_end(self):
        return max((last for _, last in self.spans), default=-math.inf)
