"""What is claimed of calls and drains; each claim that does not hold is an AssertionError."""

from real.site import MARGIN, rfc3339_seconds
from support.polling import eventually

# Longer than the longest call, so that calls are as many as they get.
WARM_UP = 120.0


def claim(truth, text):
    if not truth:
        raise AssertionError(text)


def everywhere_calls(site, callers, service="front-end", turn=lambda: None):
    """Waits until each front end is well in use by `callers`."""

    def ready():
        turn()
        counts = [
            sum(1 for call in front_end.open_calls(service) if call.id.startswith(callers))
            for front_end in site.front_ends
        ]
        return min(counts) >= site.well_in_use

    eventually(ready, f"calls of {callers} at each {service}", within=WARM_UP)


def new_calls_at(front_end, since, callers, service="front-end", turn=lambda: None):
    def came():
        turn()
        return front_end.last_invite(service, callers) > since

    eventually(came, f"{front_end.label} takes calls again", within=WARM_UP)


def hang_up(site, *callers):
    """All calls of the callers must have gone from end to end, by either end's records; returns how
    many there were."""
    outcomes = [caller.end() for caller in callers]
    whole(site, callers, outcomes)
    return sum(outcome.made for outcome in outcomes)


def whole(site, callers, outcomes, service="front-end"):
    for caller, outcome in zip(callers, outcomes):
        claim(
            outcome.status == 0 and outcome.failed == outcome.dropped == 0
            and outcome.made == outcome.counted == outcome.succeeded > 0,
            f"{caller.name}: {outcome.made} calls, {outcome.failed} failed, {outcome.dropped} "
            f"dropped; sipp ended with {outcome.status}, made {outcome.counted}, succeeded with "
            f"{outcome.succeeded}\n{outcome.errors[:2000]}",
        )  # fmt: skip
        mine = [
            call for front_end in site.front_ends for call in front_end.calls(service).values()
            if call.id.startswith(f"{caller.name}-")
        ]  # fmt: skip
        claim(
            len(mine) == outcome.made and all(call.ended for call in mine),
            f"{caller.name}: the front ends took {len(mine)} of {outcome.made} calls, "
            f"{sum(1 for call in mine if not call.ended)} did not end there",
        )
    claim(not site.proxy.errors(), f"kamailio: {site.proxy.errors()[:3]}")
    claim(site.balancer.errors() == 0, f"HAProxy: {site.balancer.servers()}")


def drained_at(site, front_end, service, since):
    """When the authority said of itself that the service became drained."""

    def said():
        for event in site.events.blocks():
            data = event["data"]
            at = rfc3339_seconds(data["at"]) if "at" in data else 0.0
            if (event["event"], data.get("server"), data.get("service"), data.get("status")) == (
                "status", front_end.name, service, "drained",
            ) and at >= since:  # fmt: skip
                return at
        return None

    return eventually(said, f"{front_end.label}: {service} is drained")


def left_without_loss(site, drain, safe, service="front-end", callers=""):
    """The order of things, by both sides' records: the answers changed, the last new call came,
    the last call ended, the verdict turned. Returns it as a sentence."""
    front_end = drain.front_end
    changed = drain.horizon - site.ttl - MARGIN
    calls = front_end.calls(service).values()
    last_new = front_end.last_invite(service, callers)
    cut = [call for call in calls if not call.ended]
    claim(not cut, f"{len(cut)} calls at {front_end.label} are not over when it is safe")
    last_end = max(call.ended for call in calls)
    drained = drained_at(site, front_end, service, changed)
    claim(changed <= drain.acknowledged, "the answers changed after the acknowledgement")
    claim(
        last_new <= drain.horizon,
        f"a new call at {front_end.label} {last_new - changed:.2f} s after the answers changed; "
        f"the caches were to have forgotten it after {site.ttl + MARGIN:.0f} s",
    )
    claim(
        min(safe, drained) > last_end,
        f"safe {min(safe, drained) - last_end:.2f} s after the last call ended",
    )
    claim(min(safe, drained) > drain.horizon - 0.001, "safe before the cache horizon")
    return (
        f"last new call at {front_end.label} {max(0.0, last_new - changed):.1f} s after the "
        f"answers changed (bound {site.ttl + MARGIN:.0f} s), last one ended after "
        f"{last_end - changed:.1f} s, verdict safe {drained - last_end:.1f} s after that"
    )
