"""What the API shows of a server, held against the model; and what only grows."""

import math
import threading
import time

from soak.site import LEASE, TTL
from soak.truth import SCOPES
from support.sluiced import server_name

# What was pushed is known for a lease, the zero of a moment before a session, too; and leases are
# judged late when this machine is busy.
COUNTED_SECONDS = LEASE + 1.0
# A zero from before the horizon is no proof; what an agent has counted is under way for so long at
# most. Less than the horizon's margin: whom a cache sent was there by then.
PUSHED_SECONDS = 1.5
# A plan, an end: how late the authority may be.
LATE_SECONDS = 4.0


class Growing:
    """A number that never goes back; asked from several threads, so that only what was asked after
    another answer had come must not be less."""

    def __init__(self, less=lambda one, other: one < other):
        self.less, self.lock, self.largest = less, threading.Lock(), None

    def begin(self):
        with self.lock:
            return self.largest

    def end(self, begun, value):
        """Whether it grew, or stayed."""
        with self.lock:
            if self.largest is None or self.less(self.largest, value):
                self.largest = value
        return begun is None or not self.less(value, begun)


def serial_less(one, other):
    """RFC 1982 section 3.2."""
    return one != other and (other - one) % 2**32 < 2**31


class Views:
    def __init__(self, truth, promises, sessions, journal):
        self.truth, self.promises = truth, promises
        self.sessions, self.journal = sessions, journal
        self.generation, self.serial = Growing(), Growing(serial_less)
        self.greens = 0

    def look(self, api, number, pin=False):
        """Asks for a server and checks all that is shown. `pin`: nobody gives orders meanwhile, so
        what is shown is true from now on."""
        truth = self.truth
        keys = [(number, service, scope) for service in truth.services for scope in SCOPES]
        with truth.lock:
            versions = {key: truth.holds[key].version for key in keys}
            forced_versions = {s: truth.forced[number, s].version for s in truth.services}
        begin = time.monotonic()
        shown = api.server(server_name(number))
        end = time.monotonic()
        for key in keys:
            service, scope = key[1:]
            origin = "schedule" if scope.startswith("schedule") else "operator"
            wanted = scope.rsplit("-", maxsplit=1)[-1], origin
            stands = any(
                (hold["scope"], hold["origin"]) == wanted
                for hold in shown["services"][service]["holds"]
            )
            with truth.lock:
                hold = truth.holds[key]
                may = hold.over(begin, end)
                ends = math.inf if hold.may_stay or hold.wild else hold.ends
                if pin and self._is_at_rest(key, versions[key], begin, end):
                    hold.settle(end, stands)
            self.journal.check(
                stands in may,
                lambda key=key, may=may, stands=stands:
                f"server {key[0]}, {key[1]}: a hold of scope and origin {key[2]} is "
                f"{'shown' if stands else 'not shown'}; it may be {set(may)}",
            )  # fmt: skip
            self.journal.check(
                not stands or begin < ends + self.patience(ends, end),
                lambda key=key, ends=ends: f"the hold {key} outlived its end by {begin - ends:.1f} s",
            )
        for service in truth.services:
            self._look_at_service(shown["services"][service], number, service, begin, end,
                                  pin and forced_versions[service])  # fmt: skip
        if shown["verdict"]["safe_to_stop"]:
            for service in truth.services:
                self.green(number, service, begin, end, "the server's verdict")
        return shown

    def patience(self, since, end):
        """How late it may be: as long as the authority was away, and a little."""
        if since == math.inf:
            return 0.0
        away = sum(
            max(0.0, min(last, end) - max(first, since))
            for first, last in (*self.truth.away.spans, *self.truth.renewed.spans)
            if last > since and first < end
        )  # fmt: skip
        return LATE_SECONDS + 2 * away

    def _is_at_rest(self, key, version, begin, end):
        truth, hold = self.truth, self.truth.holds[key]
        if hold.version != version or end < hold.volatile_until or hold.wild:
            return False
        if truth.not_durable.touch(begin - LATE_SECONDS, end):
            return False
        if any(start - 0.5 < end < start + self.patience(start, end) for start in hold.starts):
            return False
        if hold.ends - 0.5 < end < hold.ends + self.patience(hold.ends, end):
            return False
        return truth.startups.get(key) == {"manual"} or truth.is_settled(*key[:2], begin, end)

    def _look_at_service(self, shown, number, service, begin, end, version):
        truth = self.truth
        with truth.lock:
            forced = truth.forced[number, service]
            may_be_forced = forced.over(begin, end)
            if version is not False and version == forced.version and forced.volatile_until < begin:
                forced.settle(end, shown["forced"])
            named = {number in members for members, _ in truth.answers(service, begin, end)}
        self.journal.check(
            shown["forced"] in may_be_forced,
            lambda: f"server {number}, {service}: forced {shown['forced']}, may be {set(may_be_forced)}",
        )
        self.journal.check(
            shown["in_answers"] in named,
            lambda: f"server {number}, {service}: in_answers is {shown['in_answers']}",
        )
        if shown["verdict"]["safe_to_stop"]:
            self.green(number, service, begin, end, "its verdict")

    def _counted(self, number, service, since, begin, end):
        """No earlier than then were the sessions counted that this verdict is by."""
        truth, counted = self.truth, begin - COUNTED_SECONDS
        held, horizon = truth.horizons.get((number, service), (None, -math.inf))
        if held != since or truth.late.touch(horizon - PUSHED_SECONDS, end):
            return counted
        return max(counted, horizon - PUSHED_SECONDS)

    def green(self, number, service, begin, end, what):
        """The authority says that it is safe: nobody may be there, nobody may come."""
        truth, who = self.truth, f"{what}: {service} of server {number} is safe to stop"
        self.greens += 1
        with truth.lock:
            held = truth.held(number, service, begin, end)
            since = truth.held_since(number, service)
            last_named = truth.surely_named.get((number, service), -math.inf)
        self.journal.check(True in held, f"{who}, and it is not held")
        self.journal.check(
            end >= last_named + TTL,
            lambda: f"{who} {end - last_named:.2f} s after an answer named it, with a TTL of {TTL} s",
        )
        counted = self._counted(number, service, since, begin, end)
        left = self.sessions.open_throughout(number, service, counted, end)
        self.journal.check(
            not left, lambda: f"{who}, and it has {len(left)} sessions, the oldest for "
            f"{end - min(each[0] for each in left):.1f} s",
        )  # fmt: skip
        if since < begin:
            self.promises.add(number, service, since, end, f"its verdict was green ({what})")
