"""A running daemon, driven by a random history through its API, asked by DNS after each step:
every answer, status and verdict must be one that tests/support/model.py allows at that moment.

    python3 stateful_test.py BUILD [--steps N] [--seed N]

prints its seed; the same seed gives the same orders."""

import argparse
import concurrent.futures
import http.client
import math
import pathlib
import random
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.model import HOST, LATE_SECONDS, OPERATOR, ROUNDING_SECONDS, SCHEDULE, Model, Plan, freeze
from support.scenario import Scenario, main
from support.sluiced import OPERATOR as OPERATOR_TOKEN
from support.sluiced import POOL, READER, agent_token, configuration, is_sanitized, server_name, v4, v6

# What fits in half a minute of a busy machine; `tools/soak` makes ten thousand.
STEPS, STEPS_SANITIZED = 1500, 300
SEED = None

# Times by a factor where the daemon takes several times as long for all that it does.
FACTOR = 4 if len(sys.argv) > 1 and is_sanitized(sys.argv[1]) else 1
HEARTBEAT, LEASE, MASS_LOSS_HOLD = 0.25 * FACTOR, 1.0 * FACTOR, 2.0 * FACTOR
NUMBERS = (1, 2, 3, 4)
SERVICES = ("front-end", "call-park", "attendant")
# Answer sets: owner, the service that it follows, types.
ANSWER_SETS = [
    (POOL, "front-end", ("A", "AAAA")),
    (f"_sip._tcp.{POOL}", "front-end", ("SRV",)),
    (f"call-park.{POOL}", "call-park", ("A", "AAAA")),
    (f"attendant.{POOL}", "attendant", ("A", "AAAA")),
]
LAST_RESORT = {"A": "192.0.2.9", "AAAA": "2001:db8::9"}
POLICIES = ("nodata", "serve_held", {"addresses": list(LAST_RESORT.values())})
ADDRESSES = {v4(n): server_name(n) for n in NUMBERS} | {v6(n): server_name(n) for n in NUMBERS}
# The longest that a step may take before agents that are not to be silent might seem to be.
SMOOTH_SECONDS = HEARTBEAT
# What a schedule does is waited for from so long before, so that no order falls into that moment.
BEFORE_SECONDS = 0.7 * FACTOR
# The API closes connections that nobody uses.
IDLE_SECONDS = 3.0
# Whose token is gone tries this seldom: one address may fail once a second, and all are one here.
REFUSED_SECONDS = 4.0
# DNS reads a clock that may be late by the kernel's tick.
TICK_SECONDS = 0.02


class Agent:
    """What the agent of one server sees."""

    def __init__(self, number):
        self.number, self.server = number, server_name(number)
        self.silent, self.boot, self.run = False, 1, 1
        self.refused = -REFUSED_SECONDS  # when its token last was
        self.services = {
            name: {"health": "up", "instance": "run-1", "sessions": {"connections": 0}}
            for name in SERVICES
        }

    def instance_of(self, name):
        run = self.services[name].get("instance")
        return run and f"boot-{self.boot}/{run}"

    def body(self):
        return {
            "instance": f"boot-{self.boot}",
            "seq": time.monotonic_ns() // 1000,
            "services": self.services,
        }


class Stateful(Scenario):
    def setUp(self):
        super().setUp()
        self.seed = random.SystemRandom().randrange(10**9) if SEED is None else SEED
        self.steps = STEPS or (STEPS_SANITIZED if self.sanitized else 1500)
        self.history = []
        self.counts = {"answers": 0, "objects": 0, "restarts": 0, "several allowed": 0, "bumpy": 0}
        self.socket = None
        self.clients, self.used = {}, {}
        self.pool = concurrent.futures.ThreadPoolExecutor(4)
        self.addCleanup(self.pool.shutdown)
        self.addCleanup(self.close_clients)

    def test_no_answer_that_the_model_does_not_allow(self):
        print(f"seed {self.seed}, {self.steps} steps", flush=True)
        self.begin()
        started = time.monotonic()
        for self.step in range(1, self.steps + 1):
            self.random = random.Random(f"{self.seed}/{self.step}")
            try:
                self.one_step()
            except Exception as error:
                last = "\n".join(self.history[-40:])
                raise AssertionError(
                    f"seed {self.seed}, step {self.step}: {error}\nthe last of what was done:\n{last}"
                ) from error
        seconds = time.monotonic() - started
        print(f"{self.steps} steps in {seconds:.0f} s, {self.counts}", flush=True)

    def one_step(self):
        self.keep_alive()
        self.settle()
        order = self.random.choices(list(self.ORDERS), list(self.ORDERS.values()))[0]
        getattr(self, order)()
        self.model.note(time.monotonic())
        for _ in range(2):
            self.ask(*self.random.choice(ANSWER_SETS))
        if self.step % 20 == 0:
            for answer_set in ANSWER_SETS:
                self.ask(*answer_set)
        self.ask_host(self.random.choice(NUMBERS))
        self.look(self.random.choice(NUMBERS))

    # What may happen, and how often beside the others.
    ORDERS = {
        "drain": 20, "plan": 3, "cancel": 2, "resume": 18, "force": 6, "speak": 20, "new_instance": 5, "reboot": 2,
        "pause": 5, "silence": 5, "race": 5, "reload": 2, "restart": 1, "stale_push": 2,
        "forbidden": 2, "nothing": 7,
    }  # fmt: skip

    # --- the world

    def begin(self):
        self.config = configuration(servers=len(NUMBERS))
        self.config["health"] |= {
            "heartbeat": f"{HEARTBEAT * 1000:.0f}ms",
            "lease": f"{LEASE * 1000:.0f}ms",
            "mass_loss_hold": f"{MASS_LOSS_HOLD * 1000:.0f}ms",
        }
        pool = self.config["pools"][0]
        pool["features"] = [{"name": name, "service": name} for name in SERVICES[1:]]
        self.all_servers = pool["servers"]
        self.model = Model(
            [server_name(n) for n in NUMBERS],
            SERVICES,
            {"heartbeat": HEARTBEAT, "lease": LEASE, "mass_loss_hold": MASS_LOSS_HOLD},
        )
        self.agents = {n: Agent(n) for n in NUMBERS}
        self.daemon = self.start(self.config, agents=False)
        self.daemon.keep_ports()
        before = time.monotonic()
        self.daemon.restart()  # a reload can't change where it listens
        self.note_start(before)
        self.everybody_speaks()

    def note_start(self, before):
        now = time.monotonic()
        self.model.restart(now, (before + LEASE, now + LEASE + LATE_SECONDS))
        self.last_alive = now
        self.close_clients()

    def close_clients(self):
        for api in self.clients.values():
            api.close()
        self.clients = {}
        if self.socket:
            self.socket.close()
            self.socket = None

    def api(self, token=OPERATOR_TOKEN, second=False):
        """One kept connection for each token since the start, and a second one."""
        api = self.clients.get((token, second))
        if api is None:
            api = self.clients[token, second] = self.daemon.api(token)
        elif time.monotonic() - self.used[token, second] > IDLE_SECONDS:
            api.close()  # the next call connects anew
        self.used[token, second] = time.monotonic()
        return api

    def did(self, text):
        self.history.append(f"{self.step if hasattr(self, 'step') else 0}: {text}")

    # --- agents

    def keep_alive(self):
        """Who is not silent pushes often enough for its lease, as an agent does by itself."""
        now = time.monotonic()
        if now - self.last_alive > SMOOTH_SECONDS:
            self.counts["bumpy"] += 1
            self.bumpy_until = now + LEASE
            self.model.stood_still = now
        self.last_alive = now
        for agent in self.agents.values():
            pushed = self.model.servers[agent.server].pushed_lo
            if not agent.silent and now - pushed > HEARTBEAT / 2:
                self.push(agent)

    bumpy_until = 0.0

    def smooth(self):
        """Whether leases of those who are not silent can't have seemed to end."""
        return time.monotonic() > self.bumpy_until

    def everybody_speaks(self):
        for agent in self.agents.values():
            self.push(agent)

    def push(self, agent):
        model = self.model.servers[agent.server]
        lo = time.monotonic()
        if not model.configured:
            if lo - agent.refused < REFUSED_SECONDS:
                return
            agent.refused = lo
        self.model.note(lo)
        reply = self.api(agent_token(agent.number)).call(
            "PUT", f"/v1/servers/{agent.server}/heartbeat", agent.body()
        )
        hi = time.monotonic()
        if not model.configured:
            self.assertEqual(reply.status, 401, reply.text)  # nor has it a token any more
            return
        self.assertEqual(reply.status, 200, reply.text)
        self.model.note(hi, ended=True)
        said = {
            name: fields | {"instance": agent.instance_of(name)}
            for name, fields in agent.services.items()
        }
        refusals = self.model.push(agent.server, said, lo, hi)
        for name, order in reply.json["services"].items():
            refused = order["refused"] is not None
            self.assertIn(refused, refusals[name], f"the pause of {name} on {agent.server}")
            paused = agent.services[name].get("paused")
            service = model.services[name]
            if paused and not refused and not service.pause_is_void:
                if ("service", HOST) not in service.reasons:
                    self.model.hold(agent.server, [name], ("service", HOST),
                                    startup=paused.get("startup"))  # fmt: skip
            # It is said when no worker names the service any more (`serve_held` may have until now)
            # and the hold is on disk.
            now = time.monotonic()
            may = self.model.held(agent.server, name, now)
            late = any(reason.on_disk_by > now for reason in service.reasons.values()) or any(
                plan.covers(agent.server, name) and now >= plan.lo
                for plan in self.model.plans.values()
            )
            if late or self.model.policy == "serve_held":
                may = may | {False}
            self.assertIn(order["held"], may, f"{name} on {agent.server} is held")
            # It does as it is told.
            if refused or order["lift"]:
                agent.services[name].pop("paused", None)

    def settle(self):
        """What time has changed by now, or is about to, is waited for and looked at, so that it is
        known."""
        deadline = time.monotonic() + LATE_SECONDS
        while True:
            self.keep_alive()
            now = time.monotonic()
            leases = [
                agent
                for agent in self.agents.values()
                if agent.silent
                and self.model.servers[agent.server].configured
                and len(self.model.leases(self.model.servers[agent.server], now)) > 1
            ]
            plans = [n for n, plan in self.model.plans.items() if now > plan.lo - BEFORE_SECONDS]
            endings = [
                (server, name, hold)
                for server, model in self.model.servers.items()
                for name, service in model.services.items()
                for hold, reason in service.reasons.items()
                if reason.ends and reason.then == "lift" and now > reason.ends - BEFORE_SECONDS
            ]
            if not leases and not plans and not endings:
                return
            for agent in leases:
                self.look_at_lease(agent)
            for number in plans:
                self.look_at_plan(number)
            for server, name, hold in endings:
                self.look_at_ending(server, name, hold)
            self.ask(*self.random.choice(ANSWER_SETS))
            if time.monotonic() > deadline:
                raise AssertionError(f"overdue: {[a.server for a in leases]} {plans} {endings}")

    def schedules(self):
        """By number."""
        found = self.api().get("/v1/schedules")["schedules"]
        return {int(each["id"]): each for each in found}

    def holds(self, server, name):
        """None: the configuration does not have it now."""
        if not self.model.servers[server].configured:
            return None
        holds = self.api().service(server, name)["holds"]
        return {(hold["scope"], hold["origin"]) for hold in holds}

    def look_at_plan(self, number):
        plan = self.model.plans[number]
        may = self.may_refuse(plan.server, plan.names, plan.scope, plan.how, SCHEDULE)
        # The end of the hold that it brings has its number.
        if self.schedules().get(number, {}).get("kind") == "drain":
            return
        now = time.monotonic()
        may |= self.may_refuse(plan.server, plan.names, plan.scope, plan.how, SCHEDULE)
        self.assertGreaterEqual(now, plan.lo, f"schedule {number} came early")
        holds = self.holds(plan.server, plan.names[0])
        refused = holds is not None and (plan.scope, SCHEDULE) not in holds
        self.did(f"schedule {number} {'is refused' if refused else 'begins'}")
        self.model.note(time.monotonic(), ended=True)
        if refused:
            self.assertIn(True, may, f"schedule {number} came to nothing")
            del self.model.plans[number]
        else:
            self.model.begin(number, now)

    def look_at_ending(self, server, name, hold):
        reason = self.model.servers[server].services[name].reasons.get(hold)
        holds = self.holds(server, name)
        if holds is None:  # an orphan: the list of schedules says whether it is over
            scope = None if hold[0] == "server" else name
            gone = not any(
                (each["kind"], each["server"], each["service"]) == ("expiry", server, scope)
                for each in self.schedules().values()
            )
        else:
            gone = hold not in holds
        if reason is None or not gone:
            return
        self.did(f"the hold {hold} on {name} of {server} ended")
        self.assertGreaterEqual(time.monotonic(), reason.ends, "a hold ended early")
        self.model.note(time.monotonic(), ended=True)
        del self.model.servers[server].services[name].reasons[hold]

    def look_at_lease(self, agent):
        model = self.model.servers[agent.server]
        may = self.model.leases(model, time.monotonic())
        state = self.api().server(agent.server)["lease"]["state"]
        self.assertIn(state, may | self.model.leases(model, time.monotonic()), agent.server)
        if state == model.lease:
            return
        self.did(f"the lease of {agent.server}: {model.lease} -> {state}")
        if model.lease == "current":
            self.judge(model, state)
        self.model.note(time.monotonic(), ended=True)
        model.lease = state

    def judge(self, model, state):
        """Whether a mass loss can have been, or can't but have been (section 3, rule 5)."""
        now = time.monotonic()
        two = 2 * HEARTBEAT
        current = [s for s in self.model.servers.values() if s.configured and s.lease == "current"]
        may_be_lost = [s for s in current if now - s.pushed_lo > two]
        if state == "guarded":
            if self.smooth():
                rest = len(current) - len(may_be_lost)
                self.assertTrue(
                    model.may_be_marked or len(may_be_lost) > rest,
                    f"a guard without a mass loss: {len(may_be_lost)} of {len(current)} silent",
                )
            for server in may_be_lost:
                server.may_be_marked = True
        else:
            # When the first of their leases ended, the others were silent for so long already.
            end = model.pushed_lo + LEASE
            lost = [s for s in current if s.pushed_hi + two < end]
            if self.smooth():
                self.assertFalse(
                    2 * len(lost) > len(current) and len(lost) == len(may_be_lost),
                    f"a mass loss without a guard: {len(lost)} of {len(current)}",
                )

    # --- what may happen

    def some_agent(self):
        return self.agents[self.random.choice(NUMBERS)]

    def some_target(self):
        """(server, what the API is told, services that it names, the hold's scope)"""
        server = server_name(self.random.choice(NUMBERS))
        if self.random.random() < 0.5:
            return server, {}, list(SERVICES), "server"
        name = self.random.choice(SERVICES)
        return server, {"service": name}, [name], "service"

    def nothing(self):
        self.did("nothing")

    def drain(self):
        server, fields, names, scope = self.some_target()
        if self.random.random() < 0.3:
            fields["startup"] = self.random.choice(["manual", "automatic"])
        if self.random.random() < 0.2:
            fields["hide_host"] = True
        if self.random.random() < 0.3:
            fields["force"] = True
        if self.random.random() < 0.15:
            fields["expires"] = self.random.choice(["2s", "3s"])
            fields["then"] = self.random.choice(["lift", "alarm"])
        self.did(f"drain {server} {fields}")
        asked = time.monotonic()
        may, reply = self.ordered(server, names, scope, fields)
        self.after_drain(server, names, scope, fields, may, reply, asked)

    def may_refuse(self, server, names, scope, fields, origin=OPERATOR):
        if fields.get("force") or not self.model.servers[server].configured:
            return {False}
        if origin == OPERATOR and self.model.stands(server, names, (scope, origin)):
            return {False}
        return self.model.refusals(server, names, time.monotonic())

    def ordered(self, server, names, scope, fields):
        may = self.may_refuse(server, names, scope, fields)
        self.model.note(time.monotonic())
        reply = self.api().try_drain(server, **fields)
        may |= self.may_refuse(server, names, scope, fields)
        self.model.note(time.monotonic(), ended=True)
        return may, reply

    def after_drain(self, server, names, scope, fields, may, reply, asked):
        if not self.model.servers[server].configured:
            self.assert_reply(reply, 404)
            return
        self.assertIn(reply.status, (200, 409), reply.text)
        self.assertIn(reply.status == 409, may, f"drain {server} {fields}: {reply.text}")
        if reply.status == 409:
            numbers = self.assert_reply(reply, 409, rule="floor")["numbers"]
            self.assertLess(numbers["would_leave"], numbers["min_accepting"])
            return
        self.assertEqual(reply.json["unconfirmed"], [])
        self.place(server, names, scope, fields, asked)

    def place(self, server, names, scope, fields, asked=0.0):
        if not self.model.stands(server, names, (scope, OPERATOR)):
            self.model.hold(server, names, (scope, OPERATOR), **self.how(fields, asked))

    @staticmethod
    def how(fields, begins):
        """What a request says of its hold."""
        expires = fields.get("expires")
        return {
            "startup": fields.get("startup"),
            "hide_host": fields.get("hide_host", False),
            "ends": begins + int(expires[:-1]) - ROUNDING_SECONDS if expires else None,
            "then": fields.get("then", "lift"),
        }

    def plan(self):
        server, fields, names, scope = self.some_target()
        seconds = self.random.choice([1, 2, 4])
        fields["at"] = f"{seconds}s"
        if self.random.random() < 0.5:
            fields["force"] = True
        if self.random.random() < 0.2:
            fields["hide_host"] = True
        if self.random.random() < 0.3:
            fields["expires"], fields["then"] = "3s", self.random.choice(["lift", "alarm"])
        self.did(f"plan {server} {fields}")
        lo = time.monotonic()
        reply = self.api().try_drain(server, **fields)
        hi = time.monotonic()
        if not self.model.servers[server].configured:
            self.assert_reply(reply, 404)
            return
        self.assertEqual(reply.status, 201, reply.text)
        how = self.how(fields, lo + seconds) | {"force": fields.get("force", False)}
        plan = Plan(server, names, scope, lo + seconds - ROUNDING_SECONDS,
                    hi + seconds + ROUNDING_SECONDS, **how)  # fmt: skip
        self.model.plans[int(reply.json["id"])] = plan

    def cancel(self):
        """A plan that is far enough away, if there is one."""
        now = time.monotonic()
        plans = [n for n, plan in self.model.plans.items() if plan.lo > now + BEFORE_SECONDS]
        number = self.random.choice(plans) if plans else 10**9
        self.did(f"cancel {number}")
        reply = self.api().call("DELETE", f"/v1/schedules/{number}")
        if not plans:
            self.assert_reply(reply, 404)
            return
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual(int(reply.json["id"]), number)
        del self.model.plans[number]

    def race(self):
        """Two operators at once: what comes out is what comes of one order of the two."""
        first, second = self.random.sample(NUMBERS, 2)
        names = list(SERVICES)
        servers = [server_name(first), server_name(second)]
        if not all(self.model.servers[server].configured for server in servers):
            return
        self.did(f"race {servers}")
        now = time.monotonic()
        may = {
            outcome
            for order in ((0, 1), (1, 0))
            for outcome in self.sequences([servers[i] for i in order], names, now)
        }
        self.model.note(now)
        apis = [self.api(), self.api(second=True)]
        replies = list(
            self.pool.map(lambda each: each[0].try_drain(each[1]), zip(apis, servers))
        )
        for reply in replies:
            self.assertIn(reply.status, (200, 409), reply.text)
        refused = frozenset(
            server for server, reply in zip(servers, replies) if reply.status == 409
        )
        if time.monotonic() - now < SMOOTH_SECONDS:
            self.assertIn(refused, may, f"{[reply.text for reply in replies]}")
        # Between the two, one that was out may have been brought in because nobody else was left.
        for server in self.model.servers.values():
            self.model.doubt(server, time.monotonic())
        for server, reply in zip(servers, replies):
            if reply.status == 200:
                self.place(server, names, "server", {})

    def sequences(self, servers, names, now):
        """Sets of who may be refused when they are drained in this order."""
        outcomes = set()
        hold = ("server", OPERATOR)
        kept = {s: {n: dict(self.model.servers[s].services[n].reasons) for n in names}
                for s in servers}  # fmt: skip

        def follow(rest, refused):
            if not rest:
                outcomes.add(frozenset(refused))
                return
            server = rest[0]
            stands = self.model.stands(server, names, hold)
            for refuse in {False} if stands else self.model.refusals(server, names, now):
                if not refuse and not stands:
                    self.model.hold(server, names, hold)
                follow(rest[1:], refused + [server] * refuse)
                for name, reasons in kept[server].items():
                    self.model.servers[server].services[name].reasons = dict(reasons)

        follow(servers, [])
        return outcomes

    def resume(self):
        server, fields, names, scope = self.some_target()
        self.did(f"resume {server} {fields}")
        model = self.model.servers[server]
        if not model.configured:
            self.assert_reply(self.api().try_resume(server, **fields), 404)
            return
        hosts = [n for n in names if ("service", HOST) in model.services[n].reasons]
        self.model.note(time.monotonic())
        if not hosts:
            self.api().resume(server, **fields)
            self.model.note(time.monotonic(), ended=True)
            self.lift(server, names, scope)
            return
        # Its agent is asked to lift the host's own hold, and must push twice for that.
        agent = next(agent for agent in self.agents.values() if agent.server == server)
        api = self.api(second=True)
        waiting = self.pool.submit(api.try_resume, server, **fields)
        # Until the reply the operator's hold may stand or not.
        for name in names:
            for origin in (OPERATOR, SCHEDULE):
                reason = model.services[name].reasons.get((scope, origin))
                if reason:
                    reason.ends, reason.then = -math.inf, "lift"
        while not waiting.done():
            if not agent.silent:
                self.push(agent)
            self.keep_alive()
        reply = waiting.result()
        if agent.silent:
            self.assert_reply(reply, 504)
        else:
            self.assertIn(reply.status, (200, 504), reply.text)
            if self.smooth():
                self.assertEqual(reply.status, 200, reply.text)
        self.model.note(time.monotonic(), ended=True)
        self.lift(server, names, scope)

    def lift(self, server, names, scope):
        for origin in (OPERATOR, SCHEDULE):
            self.model.lift(server, names, (scope, origin))

    def force(self):
        server, fields, names, _ = self.some_target()
        health = self.random.choice(["up", "down", None, None])
        self.did(f"force {server} {fields} {health}")
        model = self.model.servers[server]
        self.model.note(time.monotonic())
        reply = self.api().call("POST", f"/v1/servers/{server}/force", {"health": health, **fields})
        if not model.configured:
            self.assert_reply(reply, 404)
            return
        self.assertEqual(reply.status, 200, reply.text)
        self.model.note(time.monotonic(), ended=True)
        self.model.force(server, names, health)
        if health == "down":  # an operator has looked: the guard is over
            model.may_be_marked = False
            if model.lease == "guarded":
                model.lease = "expired"

    def speak(self):
        """Some service's health or sessions change, and are pushed."""
        agent = self.some_agent()
        name = self.random.choice(SERVICES)
        service = agent.services[name]
        if self.random.random() < 0.5:
            service["health"] = self.random.choice(["up", "up", "up", "down", "stopped"])
        else:
            sessions = self.random.choice([None, {}, {"connections": 0}, {"calls": 2, "held": 0}])
            service.pop("sessions", None)
            if sessions is not None:
                service["sessions"] = sessions
        self.did(f"{agent.server} says {name} {service}")
        agent.silent = False
        self.push(agent)

    def new_instance(self):
        agent = self.some_agent()
        name = self.random.choice(SERVICES)
        if self.random.random() < 0.2:
            agent.services[name].pop("instance", None)
        else:
            agent.run += 1
            agent.services[name]["instance"] = f"run-{agent.run}"
        self.did(f"{agent.server} starts {name} as {agent.services[name].get('instance')}")
        self.push(agent)

    def reboot(self):
        agent = self.some_agent()
        agent.boot += 1
        self.did(f"{agent.server} boots")
        self.push(agent)

    def pause(self):
        agent = self.some_agent()
        name = self.random.choice(SERVICES)
        service = agent.services[name]
        if "paused" in service:
            del service["paused"]
        else:
            service["paused"] = {
                "by": "root", "reason": "patch", "since": "2026-01-01T00:00:00Z",
                "force": self.random.random() < 0.3,
            }  # fmt: skip
            if self.random.random() < 0.5:
                service["paused"]["startup"] = "manual"
        self.did(f"{agent.server} pauses {name}: {service.get('paused')}")
        self.push(agent)

    def silence(self):
        """Some agents fall silent, or all speak again."""
        if any(agent.silent for agent in self.agents.values()) and self.random.random() < 0.7:
            for agent in self.agents.values():
                agent.silent = False
            self.did("nobody is silent")
        else:
            silent = self.random.sample(NUMBERS, self.random.choice([1, 1, 1, 2, 3, 4]))
            for number in silent:
                self.agents[number].silent = True
            self.did(f"silent: {silent}")

    def stale_push(self):
        """An older heartbeat, or one of a boot that is over, changes nothing."""
        agent = self.some_agent()
        model = self.model.servers[agent.server]
        if not model.configured or model.lease == "never":
            return
        body = agent.body() | {"seq": 1}
        services = {name: {"health": "stopped"} for name in SERVICES}
        reply = self.api(agent_token(agent.number)).call(
            "PUT", f"/v1/servers/{agent.server}/heartbeat", body | {"services": services}
        )
        self.assert_reply(reply, 409, rule="seq")

    def forbidden(self):
        """Who may not order, orders nothing."""
        server, fields, _, _ = self.some_target()
        number = self.random.choice(NUMBERS)
        known = self.model.servers[server_name(number)].configured
        self.assert_reply(self.api(READER).try_drain(server, **fields), 403)
        reply = self.api(agent_token(number)).try_drain(server, **fields)
        self.assert_reply(reply, 403 if known else 401)

    def reload(self):
        pool = self.config["pools"][0]
        absent = {server_name(4)} if self.random.random() < 0.3 else set()
        settings = {
            "ttl": self.random.choice([1, 2]),
            "floor": self.random.choice([0, 1, 2]),
            "policy": self.random.choice(POLICIES),
        }
        pool["ttl"] = f"{settings['ttl']}s"
        pool["min_accepting"] = settings["floor"]
        pool["when_all_held"] = settings["policy"]
        pool["servers"] = [s for s in self.all_servers if s["fqdn"] not in absent]
        self.config["api"]["tokens"] = [
            token
            for token in self.all_tokens()
            if token.get("server") not in absent
        ]
        self.did(f"reload {settings} without {absent}")
        self.daemon.write_config()
        self.model.note(time.monotonic())
        reply = self.api().call("POST", "/v1/reload")
        self.assertEqual(reply.status, 200, reply.text)
        now = time.monotonic()
        self.model.note(now, ended=True)
        self.model.reload(now, absent, **settings)

    def all_tokens(self):
        return configuration(servers=len(NUMBERS))["api"]["tokens"]

    def restart(self):
        """Killed or ended, in the middle of a drain at times, and started again."""
        way = self.random.choice(["kill -9", "kill -9", "kill -9 amid a drain", "SIGTERM"])
        server, fields, names, scope = self.some_target()
        fields["force"] = True
        self.did(f"{way} {server if 'amid' in way else ''} {fields if 'amid' in way else ''}")
        self.counts["restarts"] += 1
        self.model.note(time.monotonic())
        waiting = None
        if "amid" in way and self.model.servers[server].configured:
            api = self.api(second=True)
            waiting = self.pool.submit(api.try_drain, server, **fields)
        if way == "SIGTERM":
            self.assertEqual(self.daemon.stop(), 0, self.daemon.log()[-4000:])
        else:
            self.daemon.kill9()
        acknowledged = False
        if waiting:
            try:
                acknowledged = waiting.result().status == 200
            except (OSError, http.client.HTTPException, ValueError):
                pass
        before = time.monotonic()
        self.model.note(before, ended=True)
        self.daemon.start()
        self.note_start(before)
        if waiting:
            stands = all((scope, OPERATOR) in self.holds(server, name) for name in names)
            self.assertTrue(stands or not acknowledged, "an acknowledged hold is gone")
            if stands:
                self.place(server, names, scope, fields)
        if way != "SIGTERM":
            # Nobody waits for transitions to be written.
            for each in self.model.servers.values():
                for service in each.services.values():
                    service.last_known = {None, "up", "down", "stopped"}
        for answer_set in ANSWER_SETS:
            self.ask(*answer_set)
        now = time.monotonic()
        planned = {n for n, each in self.schedules().items() if each["kind"] == "drain"}
        kept = {n for n, plan in self.model.plans.items() if plan.lo > now}
        self.assertLessEqual(kept, planned, "a schedule did not survive")
        self.assertLessEqual(planned, set(self.model.plans), "a schedule of nobody's")
        self.everybody_speaks()

    # --- what is asked, and what may come

    def query(self, name, qtype):
        query = dns.encode_query(name, qtype, payload=1232)
        tcp = self.random.random() < 0.1
        if tcp:
            with socket.create_connection(("127.0.0.1", self.daemon.dns_port), 10) as client:
                client.sendall(struct.pack(">H", len(query)) + query)
                octets = dns.read_tcp(client)
        else:
            if self.socket is None:
                self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.socket.settimeout(10)
                self.socket.connect(("127.0.0.1", self.daemon.dns_port))
            self.socket.send(query)
            octets = self.socket.recv(65535)
        message = dns.decode(octets)
        self.assertEqual(octets[:2], query[:2])
        self.assertEqual(message.rcode, dns.NOERROR, name)
        self.assertFalse(message.truncated)
        self.counts["answers"] += 1
        return message

    def ask(self, owner, service, types):
        qtype = self.random.choice(types)
        before = time.monotonic()
        allowed = self.model.answers(service, before)
        message = self.query(owner, qtype)
        allowed |= self.model.answers(service, time.monotonic())
        if len(allowed) > 1:
            self.counts["several allowed"] += 1
        if qtype == "SRV":
            data = [record[3] for record in message.data("SRV")]
            # Of no other server than these does it tell the addresses.
            extra = {ADDRESSES.get(record.data) for record in message.additional if record.data}
            self.assertLessEqual(extra - {None}, set(data), owner)
        else:
            data = [ADDRESSES.get(each, each) for each in message.data(qtype)]
        self.assertEqual(len(set(data)), len(data), f"{owner} {qtype}: {data}")
        found = frozenset(data)
        self.check_ttl({record.ttl for record in message.answer}, found, service, before)
        expected = {
            members if members or fallback != "addresses" or qtype == "SRV"
            else frozenset({LAST_RESORT[qtype]})
            for members, fallback in allowed
        }  # fmt: skip
        self.assertIn(found, expected, f"{owner} {qtype}")

    def check_ttl(self, ttls, members, service, before):
        """The pool's; or as little as a planned drain of a member leaves, and not much less."""
        lo, hi = self.model.cap(members, service)
        most = min(self.model.ttl, max(0.0, hi - before + TICK_SECONDS))
        # Its time may have come, and the floor may have refused it.
        if time.monotonic() >= lo:
            most = self.model.ttl
        least = min(self.model.ttl, max(0.0, lo - time.monotonic() - 1 - TICK_SECONDS))
        for ttl in ttls:
            self.assertLessEqual(ttl, most, f"a TTL beyond the plan's moment: {members}")
            self.assertGreaterEqual(ttl, least, f"a TTL that is too short: {members}")

    def ask_host(self, number):
        """The server's own record: there unless a hold hides it."""
        server = server_name(number)
        model = self.model.servers[server]
        if not model.configured:
            return
        hidden = {self.model.hides_host(model)}
        due = time.monotonic() + BEFORE_SECONDS
        if any(p.server == server and p.hides_host and p.lo < due for p in self.model.plans.values()):
            hidden.add(True)
        if any(r.ends and r.ends < due for s in model.services.values() for r in s.reasons.values()):
            hidden.add(False)
        data = self.query(server, "A").data("A")
        self.assertIn(data, [[] if each else [v4(number)] for each in hidden], server)

    def look(self, number):
        """The server as the API shows it."""
        server = server_name(number)
        model = self.model.servers[server]
        if not model.configured:
            self.assertEqual(self.api().call("GET", f"/v1/servers/{server}").status, 404)
            return
        before = time.monotonic()
        shown = self.api().server(server)
        after = time.monotonic()
        self.counts["objects"] += 1
        for name, service in shown["services"].items():
            where = f"{name} on {server}: {service}"
            may = self.model.shown(server, name, before, after)
            # A hold that no order waits for (a plan's, the host's) may be on its way to disk.
            codes = {reason["code"] for reason in service["verdict"]["reasons"]}
            safe = service["verdict"]["safe_to_stop"] or codes == {"hold-not-durable"}
            got = (service["status"], safe)
            self.assertIn(got, may, where)
            self.assertEqual(not codes, service["verdict"]["safe_to_stop"], where)
            if self.model.held(server, name, before) == self.model.held(server, name, after) and (
                len(self.model.held(server, name, after)) == 1
            ):
                holds = {(hold["scope"], hold["origin"]) for hold in service["holds"]}
                self.assertEqual(holds, set(model.services[name].reasons), where)
            self.assertEqual(service["forced"], model.services[name].forced, where)
            sessions = {freeze(each) for when in (before, after)
                        for each in self.model.sessions(model, name, when)}  # fmt: skip
            self.assertIn(freeze(service["sessions"]), sessions, where)
        safe = [service["verdict"]["safe_to_stop"] for service in shown["services"].values()]
        self.assertEqual(shown["verdict"]["safe_to_stop"], all(safe), shown)
        self.look_at_explanation(*self.random.choice(ANSWER_SETS))

    def look_at_explanation(self, owner, service, _):
        allowed = self.model.answers(service, time.monotonic())
        explained = self.api().get(f"/v1/explain?name={owner}")
        allowed |= self.model.answers(service, time.monotonic())
        members = frozenset(each["server"] for each in explained["members"] if each["in"])
        self.assertIn((members, explained["fallback"]), allowed, explained)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int)
    options, sys.argv[1:] = parser.parse_known_args()
    STEPS, SEED = options.steps, options.seed
    main()
