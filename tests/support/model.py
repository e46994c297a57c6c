"""What semantics.md allows, as somebody outside sees it: who may be in an answer, which status and
verdict may be shown. Where time decides and nobody outside can know the moment, several things are
allowed, and no more than that.

Times are of time.monotonic(). What happened between two readings has a `lo` and a `hi`."""

import itertools
import math

# How late the authority may do what time makes it do: a busy machine, sanitizers. It is waited for,
# so nothing gets slower by it.
LATE_SECONDS = 15.0
# What a moment of the authority's may be beside one that was read here: milliseconds are rounded.
ROUNDING_SECONDS = 0.005
# Who leaves by a push or by time is named until every worker serves that: on a busy machine a while.
SERVED_SECONDS = 0.3


class Reason:
    """Why a service takes no new connections: one for each service that a hold covers."""

    def __init__(self, hold, startup, placed_on, hide_host=False, ends=None, then="lift"):
        self.hold, self.startup, self.placed_on = hold, startup, placed_on
        self.hide_host, self.ends, self.then = hide_host, ends, then
        self.on_disk_by = -math.inf  # nobody waited for it

    def __repr__(self):
        return f"{'/'.join(self.hold)} {self.startup} on {self.placed_on} ends {self.ends}"


OPERATOR, SCHEDULE, HOST = "operator", "schedule", "host"


class Plan:
    """A drain that is to come; the server leaves between `lo` and `hi`."""

    def __init__(self, server, names, scope, lo, hi, **how):
        self.server, self.names, self.scope, self.lo, self.hi = server, names, scope, lo, hi
        self.how = how

    def covers(self, server, name):
        return self.server == server and name in self.names

    @property
    def hides_host(self):
        return self.how.get("hide_host", False)


class Service:
    def __init__(self):
        self.reasons = {}  # by (scope, origin)
        self.said = None  # health, since the authority's start
        self.last_known = {None}  # what it may remember from before
        self.instance = None
        self.sessions = None
        self.forced = None
        self.pause_is_void = False
        # A cache may have it until then: surely, and at most.
        self.cached_lo = self.cached_hi = -math.inf
        self.counted_lo = self.counted_hi = -math.inf  # when what it said came
        self.flaps = Damping()

    def forget(self):
        """What only the running authority knows."""
        if self.said is not None:
            self.last_known = {self.said}
        self.said = self.instance = self.sessions = None
        self.pause_is_void = False


class Damping:
    """Changes that an agent's health makes may be shown late once a server flaps: five at once, then
    one a second, the last truth wins. Until then any of those that wait may be shown."""

    BURST, A_SECOND = 5, 1.0

    def __init__(self):
        self.waiting, self.until = set(), -math.inf


class Server:
    def __init__(self, services):
        self.services = {name: Service() for name in services}
        self.configured = True
        self.lease = "never"  # or current, expired, guarded: as far as it was seen
        self.pushed_lo = self.pushed_hi = -math.inf
        self.may_be_marked = False  # a mass loss may have marked it already
        self.host_lo = self.host_hi = -math.inf  # as cached_lo and cached_hi, of the host record
        self.changes = []  # when its agent's health changed something
        self.settled_at = -math.inf  # all that it said is shown from then on

    def forget(self):
        self.lease, self.may_be_marked = "never", False
        self.changes = []
        for service in self.services.values():
            service.forget()


class Model:
    """One pool. `settings`: lease, heartbeat, mass_loss_hold in seconds."""

    def __init__(self, servers, services, settings):
        self.servers = {name: Server(services) for name in servers}
        self.services = list(services)
        self.settings = settings
        self.ttl, self.floor, self.policy = 1, 0, "nodata"
        self.old_ttl_until = -math.inf  # caches keep what was sent with another TTL
        self.grace_lo = self.grace_hi = -math.inf  # when the start's grace ends
        self.plans = {}  # by number
        self.stood_still = -math.inf  # when this machine did so last

    def here(self):
        return [name for name, server in self.servers.items() if server.configured]

    # --- what each server may be taken for

    def leases(self, server, now):
        """What its lease may be at a moment near `now`."""
        if server.lease == "current" and now >= self.lease_ends(server):
            return {"current", "expired", "guarded"}
        if server.lease == "guarded" and now >= self.guard_ends(server):
            return {"guarded", "expired"}
        return {server.lease}

    def lease_ends(self, server):
        return server.pushed_lo + self.settings["lease"] - ROUNDING_SECONDS

    def guard_ends(self, server):
        """No mass loss marks who was heard in the last two heartbeats."""
        marked = server.pushed_lo + 2 * self.settings["heartbeat"]
        return marked + self.settings["mass_loss_hold"] - ROUNDING_SECONDS

    def claims(self, server, name, now):
        """(claim, whether the agent says so now)"""
        service = server.services[name]
        found = set()
        for lease in self.leases(server, now):
            if lease == "never" or service.said is None:
                if now <= self.grace_hi + LATE_SECONDS and self.in_grace_hi(now):
                    found |= {(known or "up", False) for known in service.last_known}
                if now >= self.grace_lo:
                    found.add(("unknown", False))
            elif lease == "expired":
                found.add(("unknown", False))
            else:
                found.add((service.said, lease == "current"))
        if now < server.settled_at:
            found |= {(health, True) for health in service.flaps.waiting}
        return found

    def in_grace_hi(self, now):
        return now <= self.grace_hi

    def held(self, server_name, name, now):
        reasons = self.servers[server_name].services[name].reasons.values()
        if any(not (r.ends and r.then == "lift" and now >= r.ends) for r in reasons):
            return {True}
        comes = any(p.covers(server_name, name) and now >= p.lo for p in self.plans.values())
        return {True, False} if reasons or comes else {False}

    def cap(self, server_names, name):
        """When TTLs end that name one of these: (earliest, latest), or infinitely late."""
        caps = [
            (plan.lo, plan.hi)
            for plan in self.plans.values()
            if plan.server in server_names and name in plan.names
        ]
        return min(caps, default=(math.inf, math.inf))

    def _host_cap(self, server_name):
        caps = [
            (plan.lo, plan.hi)
            for plan in self.plans.values()
            if plan.server == server_name and plan.hides_host
        ]
        return min(caps, default=(math.inf, math.inf))

    def standings(self, name, now):
        """All that may be true of the pool's servers for a service: dicts by server of
        (held, forced, claim, current)."""
        each = []
        for server_name in self.here():
            server = self.servers[server_name]
            forced = server.services[name].forced
            each.append(
                [
                    (server_name, (held, forced, *claim))
                    for held in self.held(server_name, name, now)
                    for claim in self.claims(server, name, now)
                ]
            )
        return [dict(combination) for combination in itertools.product(*each)]

    # --- section 3

    @staticmethod
    def accepting(standings):
        """In by rules 2 to 5."""
        return frozenset(
            name
            for name, (held, forced, claim, _) in standings.items()
            if not held and (forced == "up" or (forced is None and claim == "up"))
        )

    def answer(self, standings):
        """(members, fallback)"""
        members = self.accepting(standings)
        if members:
            return members, "none"
        members = frozenset(
            name for name, (held, forced, _, _) in standings.items() if not held and forced != "down"
        )
        if members:
            return members, "never-empty"
        if self.policy == "serve_held":
            members = frozenset(
                name
                for name, (_, forced, claim, current) in standings.items()
                if claim == "up" and current and forced != "down"
            )
            if members:
                return members, "serve-held"
        return frozenset(), "addresses" if isinstance(self.policy, dict) else "nodata"

    def answers(self, name, now):
        return {self.answer(standings) for standings in self.standings(name, now)}

    def refusals(self, server_name, names, now):
        """Whether rule 1 may refuse to hold these services of the server: {True}, {False}, both."""
        outcomes = {False}
        for name in names:
            may = set()
            for standings in self.standings(name, now):
                accepting = self.accepting(standings)
                may.add(server_name in accepting and len(accepting) - 1 < self.floor)
            outcomes = {one or other for one in outcomes for other in may}
        return outcomes

    # --- horizon, status, verdict

    def note(self, now, ended=False):
        """Answers may have been sent until now: caches have what these named. `ended`: an order was
        carried out by now, so the last of them may have been sent a little earlier."""
        for name in self.services:
            members = [members for members, _ in self.answers(name, now)]
            for server_name in self.here():
                service = self.servers[server_name].services[name]
                lo = min(self.cap(each, name)[0] for each in members)
                if any(server_name in each for each in members):
                    service.cached_hi = max(service.cached_hi, now + self.ttl)
                if not ended and all(server_name in each for each in members):
                    service.cached_lo = max(service.cached_lo, min(now + self.ttl, max(now, lo)))
        for server_name in self.here():
            server = self.servers[server_name]
            if not self.hides_host(server):
                server.host_hi = max(server.host_hi, now + self.ttl)
                if not ended:
                    lo = max(now, self._host_cap(server_name)[0])
                    server.host_lo = max(server.host_lo, min(now + self.ttl, lo))

    @staticmethod
    def hides_host(server):
        return any(r.hide_host for s in server.services.values() for r in s.reasons.values())

    def sessions(self, server, name, now):
        """What may be shown: None (not known), or a dict."""
        service = server.services[name]
        found = []
        for lease in self.leases(server, now):
            if lease != "current" or service.said is None:
                found.append(None)
            else:
                found.append({} if service.said == "stopped" else service.sessions)
        return found

    def horizon(self, server, name):
        """When no cache has it any more: (earliest, latest)."""
        service = server.services[name]
        lo, hi = service.cached_lo, service.cached_hi
        if self.hides_host(server):
            lo, hi = max(lo, server.host_lo), max(hi, server.host_hi)
        return lo - ROUNDING_SECONDS, hi + SERVED_SECONDS

    def gone(self, server, name, now):
        """Whether no cache has it any more, and its agent spoke since: {True}, {False}, both."""
        service = server.services[name]
        lo, hi = self.horizon(server, name)
        if min(now, service.counted_hi) < lo:
            return {False}
        # What comes soon after the authority stood still may have waited.
        heartbeat = self.settings["heartbeat"]
        sure = max(hi + 3 * heartbeat, self.stood_still + 2 * heartbeat)
        return {True} if now > hi and service.counted_lo > sure else {True, False}

    def named(self, server_name, name, now):
        return {server_name in members for members, _ in self.answers(name, now)}

    def shown(self, server_name, name, before, after):
        """All (status, safe) that may be shown at a moment between the two."""
        server = self.servers[server_name]
        found = set()
        for now in (before, after):
            service = server.services[name]
            known = [lease == "current" for lease in self.leases(server, now)]
            found |= {
                self._shown(service, current, held, named, sessions, gone)
                for current in known
                for held in self.held(server_name, name, now)
                for named in self.named(server_name, name, now)
                for sessions in map(freeze, self.sessions(server, name, now))
                for gone in self.gone(server, name, now)
            }
        return found

    @staticmethod
    def _shown(service, current, held, named, sessions, gone):
        zero = sessions is not None and all(count == 0 for _, count in sessions)
        safe = held and zero and gone and not named
        newer = any(
            service.instance and r.placed_on and r.placed_on != service.instance
            for r in service.reasons.values()
        )
        if not current or service.said is None:
            return "unknown", False
        if service.said == "stopped" or (service.said == "down" and not held):
            return "down", safe
        if not held:
            return "accepting", False
        if newer:
            return "held", safe
        return ("drained" if safe else "draining"), safe

    # --- what happens

    def push(self, server_name, services, lo, hi):
        """An accepted heartbeat, sent and answered at these moments. Returns what may come of each
        pause: {service: {True, False}}, True for refused."""
        server = self.servers[server_name]
        self._note_changes(server, services, lo, hi)
        server.lease, server.may_be_marked = "current", False
        server.pushed_lo, server.pushed_hi = lo, hi
        refusals = {}
        for name in sorted(services):
            server.services[name].counted_lo, server.services[name].counted_hi = lo, hi
            refusals[name] = self._report(server_name, name, services[name], hi)
        return refusals

    def _note_changes(self, server, services, lo, hi):
        """Remembers what may still be shown for a while when a server flaps."""
        changed = server.lease in ("expired", "guarded", "never") and bool(services)
        for name, report in services.items():
            service = server.services[name]
            said = (service.said, freeze(service.sessions), service.instance)
            says = (report["health"], freeze(report.get("sessions")), report.get("instance"))
            changed = changed or said != says
        if not changed:
            return
        server.changes = [at for at in server.changes if at > lo - 30] + [lo]
        for name, report in services.items():
            service = server.services[name]
            if lo >= server.settled_at:
                service.flaps.waiting = set()
            service.flaps.waiting.add(service.said or "unknown")
        if self._flaps(server):
            server.settled_at = hi + Damping.A_SECOND + LATE_SECONDS / 10

    @staticmethod
    def _flaps(server):
        """Whether more changes came than are shown at once: tokens, as few as there may be."""
        tokens, last = float(Damping.BURST), None
        for at in server.changes:
            if last is not None:
                tokens = min(Damping.BURST, tokens + (at - last) * 0.9 / Damping.A_SECOND)
            tokens, last = tokens - 1, at
        return tokens < 0.5

    def _report(self, server_name, name, report, now):
        server = self.servers[server_name]
        service = server.services[name]
        service.said, service.sessions = report["health"], report.get("sessions")
        service.last_known = {service.said}
        if report.get("instance"):
            service.instance = report["instance"]
        elif service.said != "stopped":
            service.instance = None
            for reason in service.reasons.values():
                reason.placed_on = None
        for hold, reason in list(service.reasons.items()):
            if service.instance and reason.placed_on is None:
                reason.placed_on = service.instance
            if service.instance and reason.placed_on != service.instance:
                if reason.startup != "manual":
                    del service.reasons[hold]
                    service.pause_is_void = service.pause_is_void or hold[1] == HOST
        paused = report.get("paused")
        if not paused:
            service.pause_is_void = False
            service.reasons.pop(("service", HOST), None)
            return {False}
        if service.pause_is_void or ("service", HOST) in service.reasons:
            return {False}
        return {False} if paused["force"] else self.refusals(server_name, [name], now)

    def hold(self, server_name, names, hold, **how):
        for name in names:
            service = self.servers[server_name].services[name]
            on = service.instance or ("stopped" if service.said == "stopped" else None)
            service.reasons[hold] = Reason(hold, how.get("startup"), on, how.get("hide_host", False),
                                           how.get("ends"), how.get("then", "lift"))  # fmt: skip

    def lift(self, server_name, names, hold):
        for name in names:
            self.servers[server_name].services[name].reasons.pop(hold, None)

    def begin(self, number, now):
        """A planned drain took its place; over one that an earlier plan placed, the later end
        counts."""
        plan = self.plans.pop(number)
        hold = (plan.scope, SCHEDULE)
        ends, then = plan.how.get("ends"), plan.how.get("then", "lift")
        if not self.stands(plan.server, plan.names, hold):
            self.hold(plan.server, plan.names, hold, **plan.how)
            for name in plan.names:
                reason = self.servers[plan.server].services[name].reasons[hold]
                reason.on_disk_by = now + LATE_SECONDS
            return
        for name in plan.names:
            standing = self.servers[plan.server].services[name].reasons[hold]
            standing.hide_host = standing.hide_host or plan.hides_host
            if standing.ends and (not ends or ends > standing.ends):
                standing.ends, standing.then = ends, then

    def stands(self, server_name, names, hold):
        services = self.servers[server_name].services
        return all(hold in services[name].reasons for name in names)

    def force(self, server_name, names, health):
        server = self.servers[server_name]
        for name in names:
            server.services[name].forced = health

    def doubt(self, server, now):
        """Nobody knows what of it was named until now, and with which of the pool's TTLs."""
        until = max(now + self.ttl, self.old_ttl_until)
        server.host_hi = max(server.host_hi, until)
        for service in server.services.values():
            service.cached_hi = max(service.cached_hi, until)

    def restart(self, ready, grace_end):
        """`ready`: it served by then at the latest. `grace_end`: (earliest, latest)."""
        for server in self.servers.values():
            server.forget()
            self.doubt(server, ready)
        self.grace_lo, self.grace_hi = grace_end

    def reload(self, now, absent=(), **settings):
        if settings.get("ttl", self.ttl) != self.ttl:
            self.old_ttl_until = max(self.old_ttl_until, now + self.ttl)
        for key, value in settings.items():
            setattr(self, key, value)
        for name, server in self.servers.items():
            if server.configured != (name not in absent):
                server.configured = not server.configured
                server.forget()
                self.doubt(server, now)


def freeze(sessions):
    return None if sessions is None else tuple(sorted(sessions.items()))
