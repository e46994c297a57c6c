"""Operators: each has servers of its own, and gives one order after the other. What an order may do
is written into the model before it is sent, what it did once that is known."""

import http.client
import json
import math
import queue
import time

from soak.site import MARGIN
from support import processes
from support.api import Reply
from support.sluiced import OPERATOR, server_name

# Longer than the authority is ever stopped.
ORDER_SECONDS = 12.0
# Orders wait for one that hangs; more than so many are not given.
WAITING = 6
# Answers follow what is no drain's acknowledgement so soon.
SERVED_SECONDS = 0.7
# After an order of unknown outcome: what is left of it in the kernel has been read by then.
LEFT_OVER_SECONDS = 1.0
# A clock that a plan is counted by is read a little before the reply is sent.
ROUNDING_SECONDS = 0.1


class Operator:
    def __init__(self, name, numbers, run):
        self.name, self.numbers = name, list(numbers)
        self.run, self.truth, self.journal = run, run.truth, run.journal
        self.queue = queue.Queue()
        self.api = None
        self.busy = False
        self.journal.thread(f"operator {name}", self._work)

    def give(self, event):
        if self.queue.qsize() < WAITING:
            self.queue.put(event)
        else:
            self.journal.counts["orders not given"] += 1

    @property
    def is_idle(self):
        return self.queue.empty() and not self.busy

    def _work(self):
        while not self.journal.over.is_set():
            try:
                event = self.queue.get(timeout=0.2)
            except queue.Empty:
                continue
            self.busy = True
            for number in self.truth.wild_servers():
                if number in self.numbers:
                    self.tame(number)
            if event.kind == "tame":
                pass
            elif event.kind == "resume_all":
                for number in self.numbers:
                    for service in [None, *self.truth.services]:
                        if any(True in self.truth.holds[key].now for key in self.truth.keys(number, service)):
                            self.resume(event, number, service)
            else:
                number = event.with_["server"]
                getattr(self, event.kind)(event, number, event.with_["service"])
            self.busy = False

    # --- talking

    def _api(self):
        if self.api is None:
            self.api = self.run.site.api(OPERATOR, ORDER_SECONDS)
        return self.api

    def call(self, method, target, body=None):
        """None: nobody knows what became of it."""
        try:
            return self._api().call(method, target, body)
        except (OSError, http.client.HTTPException, ValueError):
            self.api.close()
            self.api = None
            return None

    def order(self, event, verb, number, body):
        path = f"/v1/servers/{server_name(number)}/{verb}"
        if event.with_.get("by_ctl"):
            reply = self._by_ctl(verb, number, body)
        else:
            reply = self.call("POST", path, body)
        said = "no reply" if reply is None else f"{reply.status} {reply.text.strip()[:300]}"
        self.journal.note(f"event {event.number}, {self.name}: {verb} {number} {body} -> {said}")
        self.journal.counts[f"{verb} {reply.status if reply else 'unknown'}"] += 1
        if reply and reply.status not in (200, 201, 409, 503, 507):
            self.journal.violate(f"{verb} {number} {body}: {reply.status} {reply.text}")
        return reply

    def _by_ctl(self, verb, number, body):
        words = [*self.run.site.ctl(), "--token-file", self.run.token_file, "--json"]
        if verb == "force":
            verb = {"up": "force-up", "down": "force-down", None: "unforce"}[body["health"]]
        words += [verb, server_name(number)]
        for option in ("service", "startup", "expires"):
            if body.get(option):
                words += [f"--{option}", body[option]]
        if body.get("force"):
            words.append("--force")
        try:
            done = processes.run([self.run.site.build / "sluicectl", *words], timeout=60)
        except processes.subprocess.TimeoutExpired:
            self.journal.violate(f"sluicectl {words} did not end within a minute")
            return None
        self.journal.check(
            done.returncode in (0, 1, 3, 4, 5), f"sluicectl {words} ended with {done.returncode}: "
            f"{done.stdout}{done.stderr}",
        )  # fmt: skip
        if done.returncode == 0:
            return Reply(200, {}, done.stdout)
        if done.returncode == 3:
            return Reply(409, {}, json.dumps({"rule": "floor", "text": done.stderr}))
        if done.returncode == 1 and "the store failed" in " ".join(done.stderr.split()):
            return Reply(507, {}, json.dumps({"in_force": True, "text": done.stderr}))
        return None

    def settle(self, number, keys=()):
        """After an order of unknown outcome: it is over once the authority has answered somebody
        else, and a little later what it shows is true."""
        while not self.journal.over.is_set():
            if self.call("GET", "/v1/schedules") is not None:
                break
            time.sleep(0.1)
        self.journal.over.wait(LEFT_OVER_SECONDS)
        self.rest(keys)
        self.look(number)

    def look(self, number):
        try:
            self.run.views.look(self._api(), number, pin=True)
        except (OSError, http.client.HTTPException, AssertionError, ValueError):
            if self.api:
                self.api.close()
                self.api = None

    # --- orders

    def drain(self, event, number, service):
        truth, with_ = self.truth, event.with_
        services = [service] if service else truth.services
        keys = truth.keys(number, service)
        body = {"reason": f"event {event.number}", "startup": with_["startup"]}
        if service:
            body["service"] = service
        if with_.get("force"):
            body["force"] = True
        if with_.get("expires"):
            body["expires"] = f"{with_['expires']}s"
        if any(len(truth.holds[key].now) > 1 for key in keys):
            self.look(number)
        generation = self.run.views.generation.begin()
        begin = time.monotonic()
        with truth.lock:
            before = {key: truth.holds[key].now for key in keys}
            stood = {key: before[key] == {True} for key in keys}
            for each in services:
                capped = any(
                    truth.holds[n, each, scope].is_timed
                    for n in truth.numbers for scope in ("schedule-server", "schedule-service")
                )  # fmt: skip
                if not capped and truth.is_surely_named(number, each, begin):
                    truth.surely_named[number, each] = begin
            for key in keys:
                hold = truth.holds[key]
                hold.may_become(begin, {True})
                if not stood[key]:
                    old = truth.startups.get(key, set()) if True in before[key] else set()
                    truth.startups[key] = old | {with_["startup"]}
                    ends = begin + with_["expires"] - ROUNDING_SECONDS if "expires" in with_ else math.inf
                    hold.may_stay = True in before[key]
                    hold.ends = min(hold.ends, ends) if hold.may_stay else ends
            versions = {key: truth.holds[key].version for key in keys}
            truth.volatile(keys, math.inf)
        reply = self.order(event, "drain", number, body)
        end = time.monotonic()
        status = reply.status if reply else None
        if status == 200:
            if not with_.get("force"):
                may = truth.refusals(number, services, begin, end)
                self.journal.check(
                    False in may,
                    f"event {event.number}: a drain of {service or 'all'} on {number} was accepted, "
                    f"and would leave fewer than the floor",
                )
            self._held(keys, versions, end)
            self._acknowledged(number, services, reply, begin, end, generation)
        elif status == 409:
            rule = reply.json.get("rule")
            may = truth.refusals(number, services, begin, end)
            self.journal.check(
                rule == "floor" and not with_.get("force") and True in may,
                f"event {event.number}: a drain of {service or 'all'} on {number} was refused by "
                f"{rule}, and would leave enough",
            )
            with truth.lock:
                for key in keys:
                    if truth.holds[key].version == versions[key]:
                        truth.holds[key].becomes(end, before[key])
        elif status == 507:
            # In force, but a restart would forget it.
            self.journal.check(reply.json.get("in_force") is True, f"507 without in_force: {reply.text}")
        if status in (None, 503):
            self.settle(number, keys)
            return
        # One that is not on disk is in doubt until the next order.
        if status != 507:
            self.rest(keys)
        self.look(number)

    def rest(self, keys):
        with self.truth.lock:
            for key in keys:
                self.truth.holds[key].volatile_until = -math.inf

    def _held(self, keys, versions, end):
        """Acknowledged: it stands, unless a new instance may release it any moment."""
        truth = self.truth
        with truth.lock:
            for key in keys:
                hold = truth.holds[key]
                automatic = truth.startups[key] != {"manual"}
                if automatic and not truth.is_settled(*key[:2], end, end):
                    hold.becomes(end, {True, False})
                elif hold.version == versions[key]:
                    hold.becomes(end, {True})

    def _acknowledged(self, number, services, reply, begin, end, generation):
        """What the reply says of caches is a promise."""
        json_ = reply.json
        if isinstance(json_, dict) and "generation" in json_:
            self.journal.check(
                self.run.views.generation.end(generation, json_["generation"]),
                f"the generation went from {generation} back to that of {reply.text}",
            )
            self.journal.check(
                json_["confirmed_by"] and not json_.get("unconfirmed"), f"not confirmed: {reply.text}"
            )
            horizon = json_.get("cache_horizon")
            moment = horizon and self.run.monotonic_of(horizon, begin)
            if moment:
                for each in services:
                    since = self.truth.held_since(number, each)
                    if since <= end:
                        self.truth.horizons[number, each] = since, moment
                        self.run.promises.add(number, each, since, max(moment, end), "the horizon of its "
                                              "drain's reply had passed")  # fmt: skip

    def resume(self, event, number, service):
        truth = self.truth
        keys = truth.keys(number, service) + truth.keys(number, service, "schedule")
        begin = time.monotonic()
        with truth.lock:
            truth.may_hold(keys, begin, {False})
            versions = {key: truth.holds[key].version for key in keys}
            truth.volatile(keys, math.inf)
        reply = self.order(event, "resume", number, {"service": service} if service else {})
        status = reply.status if reply else None
        if status == 200:
            time.sleep(SERVED_SECONDS)
            end = time.monotonic()
            with truth.lock:
                for key in keys:
                    hold = truth.holds[key]
                    if hold.version == versions[key]:
                        # A plan that is due may have placed it anew.
                        placed = any(begin - 1 < start < end for start in hold.starts)
                        hold.becomes(end, {False} | ({True} if placed else set()))
                        hold.ends = math.inf if not placed else hold.ends
        if status in (None, 503):
            self.settle(number, keys)
            return
        if status != 507:  # what was lifted in memory alone may come back
            self.rest(keys)
        self.look(number)

    def force(self, event, number, service):
        truth = self.truth
        services = [service] if service else truth.services
        health = event.with_["health"]
        begin = time.monotonic()
        with truth.lock:
            for each in services:
                truth.forced[number, each].may_become(begin, {health})
                truth.forced[number, each].volatile_until = math.inf
            versions = {each: truth.forced[number, each].version for each in services}
        body = {"health": health} | ({"service": service} if service else {})
        reply = self.order(event, "force", number, body)
        if reply and reply.status == 200:
            time.sleep(SERVED_SECONDS)
            with truth.lock:
                for each in services:
                    if truth.forced[number, each].version == versions[each]:
                        truth.forced[number, each].becomes(time.monotonic(), {health})
        if not reply or reply.status == 503:
            self.settle(number)
        if reply and reply.status == 507:
            return  # a restart would forget it: in doubt until the next order
        for each in services:
            truth.forced[number, each].volatile_until = -math.inf
        self.look(number)

    def plan(self, event, number, service):
        truth, with_ = self.truth, event.with_
        keys = truth.keys(number, service, "schedule")
        seconds = with_["seconds"]
        body = {"reason": f"event {event.number}", "startup": "manual", "at": f"{seconds}s"}
        if service:
            body["service"] = service
        begin = time.monotonic()
        with truth.lock:
            for key in keys:
                truth.startups.setdefault(key, set()).add("manual")
                truth.holds[key].starts.append(begin + seconds - MARGIN - ROUNDING_SECONDS)
        reply = self.order(event, "drain", number, body)
        if reply and reply.status == 201:
            if not any("caches may name it" in text for text in reply.json["warnings"]):
                self.run.planned(number, keys, time.monotonic() + seconds)
        elif not reply or reply.status == 503:
            self.settle(number)

    def tame(self, number):
        """Calls off what may come at any time: its moment was on disk when the clock jumped."""
        reply = self.call("GET", "/v1/schedules")
        if reply is None or reply.status != 200:
            return
        for each in reply.json["schedules"]:
            if each["server"] == server_name(number):
                gone = self.call("DELETE", f"/v1/schedules/{each['id']}")
                if gone is None or gone.status not in (200, 204, 404):
                    return
        self.journal.note(f"{self.name}: called off all schedules of {number}")
        time.sleep(SERVED_SECONDS)
        with self.truth.lock:
            for key, hold in self.truth.holds.items():
                if key[0] == number:
                    hold.may_become(time.monotonic(), {True, False} if hold.is_timed else ())
                    hold.tame(time.monotonic())
        self.run.forget_plans(number)
        self.look(number)

    def cancel(self, event, number, service):
        del service
        reply = self.call("GET", "/v1/schedules")
        if reply is None or reply.status != 200:
            return
        mine = [
            each for each in reply.json["schedules"]
            if each["kind"] == "drain" and each["server"] == server_name(number)
        ]  # fmt: skip
        if mine:
            reply = self.call("DELETE", f"/v1/schedules/{mine[0]['id']}")
            self.journal.note(
                f"event {event.number}, {self.name}: cancel {mine[0]['id']} -> "
                f"{reply.status if reply else 'no reply'}"
            )
