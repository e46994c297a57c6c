"""An acknowledged hold survives `kill -9`: in force from the first packet after the restart.

    python3 kill9_test.py BUILD [--rounds N] [--seed N]

N kills at random moments under a stream of drains; a few by default."""

import argparse
import contextlib
import http.client
import pathlib
import random
import shutil
import socket
import sqlite3
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, server_name, v4

TIMES = 5
# Kills of the stream; `tools/soak` makes a thousand.
ROUNDS = 8
SEED = None
# From the start of the program on; sanitizers take several times as long.
FIRST_ANSWER_SECONDS, FIRST_ANSWER_SANITIZED = 1.0, 10.0
# A stream lives for so long at most until it is killed: some tens of orders.
STREAM_SECONDS = 0.15


class Killed(Scenario):
    def first_answer(self, daemon, port, name=POOL):
        """Restarts the daemon, asking all the while; its very first answer."""
        daemon.launch()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", port))
            client.settimeout(0.01)

            def answered():
                try:
                    client.send(dns.encode_query(name, "A"))
                    return client.recv(4096)
                except (ConnectionRefusedError, TimeoutError):
                    return None

            first = dns.decode(eventually(answered, "the first answer"))
        self.answered = time.monotonic()
        daemon.await_ready()
        return first


class Kill9(Killed):
    def test_the_drained_server_is_not_in_the_first_answer(self):
        daemon = self.start()
        daemon.keep_ports()
        port = daemon.dns_port
        for turn in range(TIMES):
            drained = 1 + turn % 3
            daemon.api().drain(server_name(drained), reason=f"turn {turn}")
            daemon.kill9()
            first = self.first_answer(daemon, port)
            others = [v4(n) for n in (1, 2, 3) if n != drained]
            self.assertEqual(first.data("A"), others)
            hold = daemon.api().service(server_name(drained), "front-end")["holds"][0]
            self.assertEqual(
                (hold["reason"], hold["by"], hold["scope"], hold["origin"]),
                (f"turn {turn}", "operations", "server", "operator"),
            )
            daemon.api().resume(server_name(drained))

    def test_a_services_hold_survives_too(self):
        daemon = self.start()
        daemon.keep_ports()
        port = daemon.dns_port
        daemon.api().drain(server_name(1), service="call-park")
        daemon.kill9()
        self.assertEqual(
            self.first_answer(daemon, port, f"call-park.{POOL}").data("A"), [v4(2), v4(3)]
        )
        self.assert_members(daemon, [1, 2, 3])

    def test_what_changes_no_answer_is_acknowledged_after_a_restart(self):
        # Nothing is published for it: the publication that the workers began with is the newest.
        daemon = self.start()
        daemon.keep_ports()
        daemon.api().drain(server_name(1))
        daemon.kill9()
        daemon.start()
        again = daemon.api().drain(server_name(1))
        self.assertEqual(again["confirmed_by"], ["ns1.test"])
        agent = daemon.agent(1)
        paused = {"by": "root", "reason": "patch", "since": "2026-01-01T00:00:00Z", "force": True}
        self.assertTrue(agent.say("front-end", paused=paused)["services"]["front-end"]["held"])

    def test_an_acknowledged_resume_survives_too(self):
        daemon = self.start()
        daemon.keep_ports()
        port = daemon.dns_port
        daemon.api().drain(server_name(1))
        daemon.api().resume(server_name(1))
        daemon.kill9()
        self.assertEqual(self.first_answer(daemon, port).data("A"), [v4(1), v4(2), v4(3)])

    def test_a_forced_health_survives_too(self):
        daemon = self.start()
        daemon.keep_ports()
        port = daemon.dns_port
        daemon.api().force(server_name(1), "down")
        daemon.kill9()
        self.assertEqual(self.first_answer(daemon, port).data("A"), [v4(2), v4(3)])

    def test_last_known_health_answers_until_the_agents_have_spoken(self):
        daemon = self.start()
        daemon.keep_ports()
        port = daemon.dns_port
        daemon.agent(3).say(health="down")
        self.assert_members(daemon, [1, 2])
        daemon.api().drain(server_name(1))
        # Nobody waits for transitions to be written; a clean stop has written them.
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.first_answer(daemon, port).data("A"), [v4(2)])

    def test_the_authoritys_restart_releases_no_hold(self):
        daemon = self.start()
        api = daemon.api()
        api.drain(server_name(1), startup="automatic")
        daemon.restart()
        daemon.agents_push()  # the same instances as before
        self.assert_members(daemon, [2, 3])


class Order:
    """The newest order for one hold: what was asked, and whether that was acknowledged."""

    def __init__(self):
        self.asked, self.acknowledged = "resume", True

    def may_stand(self):
        stands = self.asked == "drain"
        return {stands} if self.acknowledged else {True, False}


class Stream:
    """Drains and resumes without a pause, from a thread for each server, until the connection
    ends."""

    def __init__(self, daemon, orders, seed):
        self.wrong, self.count, self.broken = [], 0, threading.Event()
        self.threads = [
            threading.Thread(target=self._run, args=(daemon.api(), server, orders, f"{seed}/{server}"))
            for server in sorted({server for server, _ in orders})
        ]
        for thread in self.threads:
            thread.start()

    def end(self):
        for thread in self.threads:
            thread.join()

    def _run(self, api, server, orders, seed):
        chance = random.Random(seed)
        scopes = [service for name, service in orders if name == server]
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                service = chance.choice(scopes)
                fields = {"service": service} if service else {}
                order = orders[server, service]
                order.asked, order.acknowledged = chance.choice(["drain", "drain", "resume"]), False
                if order.asked == "drain":
                    reply = api.try_drain(server, force=True, reason=seed, **fields)
                else:
                    reply = api.try_resume(server, **fields)
                if reply.status != 200:
                    self.wrong.append(f"{order.asked} {server} {fields}: {reply.status} {reply.text}")
                    self.broken.set()
                    return
                order.acknowledged = True
                self.count += 1


class KilledAtRandom(Killed):
    NUMBERS = (1, 2, 3, 4)
    SCOPES = (None, "call-park")

    def test_every_acknowledged_order_is_there_after_a_kill_at_a_random_moment(self):
        seed = random.SystemRandom().randrange(10**9) if SEED is None else SEED
        print(f"seed {seed}, {ROUNDS} rounds", flush=True)
        daemon = self.start(servers=len(self.NUMBERS))
        daemon.keep_ports()
        daemon.restart()
        port = daemon.dns_port
        orders = {(server_name(n), scope): Order() for n in self.NUMBERS for scope in self.SCOPES}
        count, slowest = 0, 0.0
        for turn in range(ROUNDS):
            with self.subTest(seed=seed, turn=turn):
                chance = random.Random(f"{seed}/{turn}")
                stream = Stream(daemon, orders, f"{seed}/{turn}")
                stream.broken.wait(chance.uniform(0, STREAM_SECONDS))
                daemon.kill9()
                stream.end()
                self.assertEqual(stream.wrong, [])
                count += stream.count
                self.check_store(daemon)
                slowest = max(slowest, self.check_start(daemon, port, orders))
        print(f"{ROUNDS} kills, {count} orders acknowledged, first answer after {slowest:.3f} s "
              "at most", flush=True)  # fmt: skip

    def check_store(self, daemon):
        """SQLite reads what the kill left; of a copy, so that the daemon finds it as it was."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(daemon.folder / "state", copy)
        with contextlib.closing(sqlite3.connect(copy / "sluice.db")) as store:
            self.assertEqual(store.execute("PRAGMA integrity_check").fetchall(), [("ok",)])

    def check_start(self, daemon, port, orders):
        """What the first answer says, and then the API. Returns when the first answer came."""
        started = time.monotonic()
        first = self.first_answer(daemon, port)
        took = self.answered - started
        limit = FIRST_ANSWER_SANITIZED if self.sanitized else FIRST_ANSWER_SECONDS
        self.assertLess(took, limit, "the first answer")
        named = first.data("A")
        api = daemon.api()
        for number in self.NUMBERS:
            services = api.server(server_name(number))["services"]
            for scope in self.SCOPES:
                order = orders[server_name(number), scope]
                holds = services[scope or "front-end"]["holds"]
                wanted = ("service" if scope else "server", "operator")
                stands = any((hold["scope"], hold["origin"]) == wanted for hold in holds)
                self.assertIn(stands, order.may_stand(), f"{scope or 'all'} of server {number}")
                if scope is None:
                    self.assertEqual(v4(number) in named, not stands, f"server {number}, {named}")
                order.asked, order.acknowledged = "drain" if stands else "resume", True
        self.assertNotIn("backup", daemon.log())
        return took


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int)
    options, sys.argv[1:] = parser.parse_known_args()
    ROUNDS, SEED = options.rounds, options.seed
    main()
