"""What will happen, and when: drawn from the seed alone, so that the same seed gives the same again.
Each event has a random source of its own, so that one more draw in one changes no other."""

import dataclasses
import json
import random

# Mean seconds between two events, orders and faults together.
GAP = 0.7
# One in so many events heals everything and has the pool looked at while nothing happens.
CALM_EACH = 40

ORDERS = {
    "drain": 24, "resume": 22, "force": 8, "plan": 5, "cancel": 2, "resume_all": 1,
}  # fmt: skip
FAULTS = {
    "kill_authority": 5, "damage": 3, "stop_authority": 3, "end_authority": 1,
    "kill_agent": 3, "stop_agent": 2, "kill_resolver": 1, "stop_resolver": 2,
    "loss": 3, "relay": 4, "cut": 2, "clock": 3, "full_disk": 2,
    "health": 8, "flap": 2, "new_instance": 5,
    "reload": 3, "bad_reload": 2, "take_over": 4, "burst": 1,
}  # fmt: skip
DAMAGES = ("bits", "zeros", "journal", "gone", "copy")


@dataclasses.dataclass
class Event:
    number: int
    at: float  # seconds after the beginning
    kind: str
    with_: dict

    def text(self):
        return json.dumps(dataclasses.asdict(self))


class Plan:
    """Iterates over events for ever."""

    def __init__(self, seed, numbers, services):
        self.seed, self.numbers, self.services = seed, list(numbers), list(services)

    def __iter__(self):
        number, at = 0, 1.0
        while True:
            number += 1
            chance = random.Random(f"{self.seed}/{number}")
            at += chance.expovariate(1 / GAP)
            if number % CALM_EACH == 0:
                yield Event(number, at, "calm", {})
                continue
            # Three orders for each fault: what is in doubt after most faults is so for some seconds.
            kinds = ORDERS if chance.random() < 0.75 else FAULTS
            kind = chance.choices(list(kinds), list(kinds.values()))[0]
            yield Event(number, at, kind, getattr(self, f"_{kind}")(chance))

    def policy(self):
        """What the whole run has for `when_all_held`."""
        return random.Random(f"{self.seed}/policy").choice(("nodata", "addresses", "serve_held"))

    def tls(self):
        """Whether the API speaks TLS."""
        return random.Random(f"{self.seed}/tls").random() < 0.5

    # --- orders

    def _target(self, chance):
        return {
            "server": chance.choice(self.numbers),
            "service": chance.choice([None, None, *self.services]),
            "by_ctl": chance.random() < 0.15,
        }

    def _drain(self, chance):
        more = {"startup": chance.choice(("manual", "manual", "automatic"))}
        if chance.random() < 0.25:
            more["force"] = True
        if chance.random() < 0.12:
            more["expires"] = chance.randint(2, 12)
        return self._target(chance) | more

    def _plan(self, chance):
        return self._target(chance) | {
            "startup": "manual", "seconds": chance.randint(7, 14), "by_ctl": False,
        }  # fmt: skip

    _cancel = _resume = _target

    def _force(self, chance):
        return self._target(chance) | {"health": chance.choice(("up", "down", None, None))}

    def _resume_all(self, _):
        return {}

    # --- faults

    def _kill_authority(self, chance):
        return {"pause": round(chance.choice((0, 0.2, 1, 4)) * chance.random(), 3)}

    def _damage(self, chance):
        return self._kill_authority(chance) | {
            "how": chance.choice(DAMAGES), "draw": chance.randrange(10**9),
        }  # fmt: skip

    def _stop_authority(self, chance):
        return {"seconds": round(chance.uniform(0.2, 6), 3)}

    _end_authority = _kill_authority

    def _agent(self, chance):
        return {"server": chance.choice(self.numbers)}

    def _kill_agent(self, chance):
        return self._agent(chance) | {"pause": round(chance.choice((0, 1, 6)) * chance.random(), 3)}

    def _stop_agent(self, chance):
        return self._agent(chance) | {"seconds": round(chance.uniform(0.5, 7), 3)}

    def _kill_resolver(self, chance):
        return {"resolver": chance.choice((0, 1)), "pause": round(chance.random(), 3)}

    def _stop_resolver(self, chance):
        # Answers under way and the stop together must be well within horizon_margin.
        return {"resolver": chance.choice((0, 1)), "seconds": round(chance.uniform(0.1, 0.5), 3)}

    def _loss(self, chance):
        return {
            "path": chance.choice(("dns-udp", "dns-tcp", "api")),
            "percent": chance.choice((5, 20, 60, 100)), "seconds": round(chance.uniform(1, 6), 3),
        }  # fmt: skip

    def _relay(self, chance):
        return {
            "relay": chance.choice(("dns", "dns", "api")), "delay": round(chance.uniform(0, 0.4), 3),
            "duplicates": chance.choice((0, 0.3)), "seconds": round(chance.uniform(1, 8), 3),
        }  # fmt: skip

    def _cut(self, chance):
        return {"relay": chance.choice(("dns", "api"))}

    def _clock(self, chance):
        return {"seconds": chance.choice((1, 60, 3600, 86400)) * chance.choice((-1, 1))}

    def _full_disk(self, chance):
        return {"seconds": round(chance.uniform(1, 5), 3)}

    def _health(self, chance):
        return {
            "server": chance.choice(self.numbers), "service": chance.choice(self.services),
            "health": chance.choice(("up", "out")),
        }  # fmt: skip

    def _flap(self, chance):
        return {
            "server": chance.choice(self.numbers), "service": chance.choice(self.services),
            "turns": chance.randint(4, 9),
        }  # fmt: skip

    def _new_instance(self, chance):
        return {
            "server": chance.choice(self.numbers), "service": chance.choice(self.services),
            "pause": round(chance.choice((0, 2)) * chance.random(), 3),
        }  # fmt: skip

    def _reload(self, chance):
        return {
            "web": chance.randint(1, 250), "floor": chance.choice((0, 1, 1, 2)),
            "certificate": chance.random() < 0.5,
        }  # fmt: skip

    def _take_over(self, _):
        return {}

    def _bad_reload(self, chance):
        return {"how": chance.choice(("syntax", "key", "zone"))}

    def _burst(self, chance):
        return {"packets": chance.choice((2000, 20000))}


def replayed(file):
    """The events of a journal that an earlier run kept: a line each, of which any may be removed."""
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield Event(**json.loads(line))
