"""The model: what may be true of the pool at any moment, by what was ordered, acknowledged and
injected. Whatever is sure here and seen otherwise outside is a violation; where time or a fault
leaves a doubt, everything that the doubt covers is allowed, and no more."""

import math
import threading

from soak import rules
from soak.timeline import Spans, Timeline

SCOPES = ("server", "service", "schedule-server", "schedule-service")
ALL = 0  # in place of a server's number: each of them


class Truth:
    """For all threads: `lock` is held around each look and each change."""

    def __init__(self, numbers, services, policy, floor, settle):
        self.lock = threading.RLock()
        self.numbers, self.services, self.policy = list(numbers), list(services), policy
        self.settle = settle  # seconds after which all that agents saw is in the answers
        self.holds = {
            (n, service, scope): Timeline(False)
            for n in numbers for service in services for scope in SCOPES
        }  # fmt: skip
        self.startups = {}  # by the same key: what the hold's may be
        self.forced = {(n, service): Timeline(None) for n in numbers for service in services}
        self.health = {(n, service): Timeline(rules.UP) for n in numbers for service in services}
        self.floor, self.web = Timeline(floor), Timeline("192.0.2.80")
        self.unsettled = {(n, service): Spans() for n in [ALL, *numbers] for service in [None, *services]}
        self.away = Spans()  # the authority is dead, starting or stopped
        self.renewed = Spans()  # another process is taking over
        self.deaf = Spans()  # questions may get lost
        self.not_durable = Spans()  # the disk is full
        self.late = Spans()  # what agents push may be long under way
        self.horizons = {}  # (n, service): since when it is held, and the horizon that a reply told
        self.surely_named = {}  # (n, service): when it was last sure that answers name it

    # --- doubts about what agents see and say

    def disturb(self, moment, number=ALL, service=None, until=None):
        """From now on it is not known what the authority believes; returns the span, to be ended by
        calm(). Without a service: of all of the server."""
        with self.lock:
            span = self.unsettled[number, service].begin(moment)
            if until is not None:
                span[1] = until + self.settle
            return span

    def calm(self, span, moment):
        with self.lock:
            span[1] = moment + self.settle

    def is_settled(self, number, service, begin, end):
        return not any(
            self.unsettled[n, s].touch(begin, end) for n in (ALL, number) for s in (None, service)
        )

    def unsettled_until(self):
        return max(spans.latest_end for spans in self.unsettled.values())

    # --- what may be

    def claims(self, number, service, begin, end):
        if not self.is_settled(number, service, begin, end):
            return frozenset((rules.UP, rules.KEPT, rules.OUT))
        health = self.health[number, service].over(begin, end)
        if rules.UP in health and (
            self.away.touch(begin - self.settle, end) or self.renewed.touch(begin - self.settle, end)
        ):
            return health | {rules.KEPT}
        return health

    def held(self, number, service, begin, end):
        each = [self.holds[number, service, scope].over(begin, end) for scope in SCOPES]
        may = {True} if any(True in values for values in each) else set()
        return frozenset(may | ({False} if all(False in values for values in each) else set()))

    def surely_held(self, number, service, begin, end):
        return any(
            self.holds[number, service, scope].over(begin, end) == {True} for scope in SCOPES
        )

    def held_since(self, number, service):
        """Since when it has surely been held by one hold; infinite: it is not sure."""
        since = [
            self.holds[number, service, scope].since
            for scope in SCOPES if self.holds[number, service, scope].now == {True}
        ]  # fmt: skip
        return min(since, default=math.inf)

    def _standings(self, service, begin, end):
        return tuple(
            rules.standings(
                self.held(n, service, begin, end),
                self.forced[n, service].over(begin, end),
                self.claims(n, service, begin, end),
            )
            for n in self.numbers
        )

    def answers(self, service, begin, end):
        """All (members, fallback) that may have been answered at some moment of [begin, end]."""
        with self.lock:
            return rules.answers(self.policy, self._standings(service, begin, end))

    def refusals(self, number, services, begin, end):
        """Whether the floor may refuse to drain these."""
        with self.lock:
            floors = self.floor.over(begin, end)
            each = [
                rules.refusals(self._standings(service, begin, end), number, floors)
                for service in services
            ]
        may = {True} if any(True in outcome for outcome in each) else set()
        return may | ({False} if all(False in outcome for outcome in each) else set())

    def may_serve_held(self, service, begin, end):
        return self.policy == "serve_held" and any(
            fallback == "serve-held" for _, fallback in self.answers(service, begin, end)
        )

    def is_forbidden(self, number, service, begin, end):
        """Whether no answer that was sent between these moments may name it."""
        with self.lock:
            return self.surely_held(number, service, begin, end) and not self.may_serve_held(
                service, begin, end
            )

    def is_surely_named(self, number, service, moment):
        """Whether each answer at that moment names it."""
        return all(number in members for members, _ in self.answers(service, moment, moment))

    # --- orders

    def keys(self, number, service, origin="operator"):
        """What an order for the whole server, or one service of it, is about."""
        scope = "service" if service else "server"
        if origin == "schedule":
            scope = f"schedule-{scope}"
        return [(number, each, scope) for each in ([service] if service else self.services)]

    def may_hold(self, keys, moment, values):
        with self.lock:
            for key in keys:
                self.holds[key].may_become(moment, values)

    def hold(self, keys, moment, values):
        with self.lock:
            for key in keys:
                self.holds[key].becomes(moment, values)

    def volatile(self, keys, until):
        with self.lock:
            for key in keys:
                self.holds[key].volatile_until = max(self.holds[key].volatile_until, until)

    def new_instance(self, number, service, moment):
        """Its service starts anew: what startup automatic releases may be released."""
        with self.lock:
            for scope in SCOPES:
                key = number, service, scope
                if True in self.holds[key].now and self.startups.get(key) != {"manual"}:
                    self.holds[key].may_become(moment, {False})

    def time_moves(self, moment, jumped=False, restarted=False):
        """A clock jumped, or the authority started anew: both together make a moment unknown."""
        with self.lock:
            for hold in self.holds.values():
                if not hold.is_timed:
                    continue
                hold.jumped, hold.restarted = hold.jumped or jumped, hold.restarted or restarted
                if hold.jumped and hold.restarted and not hold.wild:
                    hold.may_become(moment, {True, False})
                    hold.wild = True

    def wild_servers(self):
        with self.lock:
            return sorted({number for (number, _, _), hold in self.holds.items() if hold.wild})

    def all_uncertain(self, since, moment):
        """What changed after `since` may be lost: each thing is what it may have been since then."""
        with self.lock:
            for each in (*self.holds.values(), *self.forced.values()):
                each.may_become(moment, each.over(since, moment))
                each.wild = each.wild or each.tamed > since
