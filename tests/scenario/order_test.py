"""An older heartbeat never undoes a newer one; generations and serials never go back."""

import pathlib
import random
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.api import FakeAgent
from support.metrics import generation
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, SERVICES, ZONE, agent_token, configuration, server_name

RESTARTS = 20
PAUSE = {"by": "root", "reason": "patch", "since": "2026-01-01T00:00:00Z", "force": True}


def services(**said):
    """What an agent says of each service."""
    up = {"health": "up", "instance": "run-1", "sessions": {"connections": 0}}
    return {name: up | said for name in SERVICES}


class Heartbeats(Scenario):
    def setUp(self):
        super().setUp()
        self.daemon = self.start()
        self.agent = self.daemon.agent(1)
        self.agent.boot = "boot-2"

    def everything(self):
        """All that a heartbeat may change, but for what two looks at the clock do by themselves."""
        api = self.daemon.api()
        server = api.server(server_name(1))
        del server["lease"]["expires_in"]
        for service in server["services"].values():
            del service["cache_horizon"]
        return server, self.members(self.daemon), generation(api)

    def assert_stale(self, reply, **numbers):
        problem = self.assert_reply(reply, 409, rule="seq")
        self.assertEqual(problem.get("numbers", {}) | numbers, problem.get("numbers", {}))

    def test_an_older_one_is_refused_and_changes_nothing(self):
        self.agent.push(seq=1000, services=services(sessions={"connections": 7}))
        before = self.everything()
        for said in (
            {"health": "down"}, {"health": "stopped", "instance": None}, {"instance": "run-0"},
            {"sessions": {"connections": 0}}, {"paused": PAUSE}, {"last_new_connection": 0.5},
        ):  # fmt: skip
            reply = self.agent.try_push(seq=999, services=services(**said))
            self.assert_stale(reply, seq=999, seen=1000)
            self.assertEqual(self.everything(), before, said)
        self.agent.push(seq=1001, services=services(health="down"))
        self.assert_members(self.daemon, [2, 3])

    def test_the_same_again_is_refused_and_changes_nothing(self):
        self.agent.push(seq=1000, services=services(health="down"))
        before = self.everything()
        for said in ({"health": "down"}, {"health": "up"}):
            reply = self.agent.try_push(seq=1000, services=services(**said))
            self.assert_stale(reply, seq=1000, seen=1000)
            self.assertEqual(self.everything(), before, said)

    def test_an_older_one_does_not_undo_the_hosts_own_hold(self):
        self.agent.push(seq=1000, services=services(paused=PAUSE))
        self.assert_members(self.daemon, [2, 3])
        self.assert_stale(self.agent.try_push(seq=999, services=services(paused=None)))
        self.assert_stale(self.agent.try_push(seq=1000, services=services(paused=None)))
        self.assert_members(self.daemon, [2, 3])
        self.agent.push(seq=1001, services=services(paused=None))
        self.assert_members(self.daemon, [1, 2, 3])

    def test_an_older_one_releases_no_hold_by_its_instance(self):
        self.agent.push(seq=1000, services=services())
        self.daemon.api().drain(server_name(1), startup="automatic")
        self.assert_stale(self.agent.try_push(seq=999, services=services(instance="run-2")))
        self.assert_members(self.daemon, [2, 3])

    def test_a_new_boot_starts_anew_and_the_old_one_is_over(self):
        self.agent.push(seq=1000, services=services(health="down"))
        self.agent.push(seq=5, boot="boot-3", services=services())  # a lower seq
        self.assert_members(self.daemon, [1, 2, 3])
        before = self.everything()
        for boot in ("boot-2", "boot-1"):  # both were followed by another
            reply = self.agent.try_push(seq=5000, boot=boot, services=services(health="down"))
            self.assert_stale(reply)
            self.assertEqual(self.everything(), before)
        self.assert_stale(self.agent.try_push(seq=4, boot="boot-3", services=services()))
        self.agent.push(seq=6, boot="boot-3", services=services(health="down"))
        self.assert_members(self.daemon, [2, 3])

    def test_whatever_order_they_come_in_the_newest_counts(self):
        """Four connections push the same shuffled heartbeats: those count that were newest."""
        dice = random.Random(1)
        turns = 400 if not self.sanitized else 100
        seqs = list(range(1, turns + 1))
        accepted, late, lock = [], [], threading.Lock()

        def pusher(mine):
            agent = FakeAgent(self.daemon.api(agent_token(1)), server_name(1), SERVICES)
            for seq in mine:
                said = services(health="up" if seq % 2 else "down", sessions={"connections": seq})
                reply = agent.try_push(seq=seq, boot="boot-3", services=said)
                with lock:
                    (accepted if reply.status == 200 else late).append((seq, reply))

        pushers = []
        for _ in range(4):
            dice.shuffle(seqs)
            pushers.append(threading.Thread(target=pusher, args=(list(seqs),)))
        for each in pushers:
            each.start()
        for each in pushers:
            each.join()
        self.assertEqual(len(accepted) + len(late), 4 * turns)
        taken = [seq for seq, _ in accepted]
        self.assertEqual(len(set(taken)), len(taken), "no duplicate was taken")
        self.assertIn(turns, taken)
        for seq, reply in late:
            self.assert_stale(reply, seq=seq)
        front_end = self.daemon.api().service(server_name(1), "front-end")
        self.assertEqual(front_end["sessions"], {"connections": turns})
        eventually(lambda: self.members(self.daemon) == [2, 3], "the last said down")


class Leases(Scenario):
    def test_an_older_one_renews_no_lease(self):
        config = configuration()
        config["health"] |= {"heartbeat": "400ms", "lease": "2s"}
        daemon = self.start(config)
        for number in (2, 3):
            daemon.agent(number).keep_pushing(0.2)
            self.addCleanup(daemon.agent(number).stop)
        silent = daemon.agent(1)
        began = time.monotonic()
        silent.push(seq=1000, boot="boot-2")

        def gone():
            self.assert_reply(silent.try_push(seq=1000, boot="boot-2"), 409, rule="seq")
            return self.members(daemon) == [2, 3]

        eventually(gone, "its lease ends though it pushes what is old")
        self.assertGreaterEqual(time.monotonic() - began, 2.0)
        self.assert_reply(silent.try_push(seq=1000, boot="boot-2"), 409, rule="seq")
        self.assert_members(daemon, [2, 3])


class NeverBack(Scenario):
    """The generation and the SOA serial, by whatever way they are read."""

    def read(self, daemon):
        api = daemon.api()
        (soa,) = dns.dig(daemon.dns_port, POOL, "SOA")
        now = (generation(api), int(soa.split()[2]))
        heartbeat = daemon.agent(2).push()["generation"]
        self.assertEqual(heartbeat, now[0])
        return now

    def assert_grown(self, before, after, by_a_change):
        for was, now in zip(before, after):
            if by_a_change:
                self.assertGreater(now, was)
            else:
                self.assertGreaterEqual(now, was)
        return after

    def test_they_grow_over_changes_restarts_kills_and_reloads(self):
        daemon = self.start()
        seen = self.read(daemon)
        for turn in range(RESTARTS):
            # A drain is on disk before it is acknowledged; health is written behind.
            if turn % 2:
                daemon.agent(1).say(health="down" if turn % 4 == 1 else "up")
            elif turn % 4 == 0:
                daemon.api().drain(server_name(3))
            else:
                daemon.api().resume(server_name(3))
            seen = self.assert_grown(seen, self.read(daemon), True)
            if turn % 5 == 4:
                daemon.config["zones"][0]["records"] = ZONE + f"turn 300 IN TXT {turn}\n"
                daemon.write_config()
                self.assertEqual(daemon.api().call("POST", "/v1/reload").status, 200)
                after = self.read(daemon)
                self.assertGreater(after[1], seen[1], "the records changed")
                seen = self.assert_grown(seen, after, False)
            if turn % 3 == 2:
                daemon.restart()
            else:
                daemon.kill9()  # at once: what was served is not to be served again
                daemon.start()
            seen = self.assert_grown(seen, self.read(daemon), False)
            # As before the restart: what the agents say is new to nobody.
            daemon.agent(1).services = services(health="down" if turn % 4 in (1, 2) else "up")
            daemon.agents_push()
            seen = self.assert_grown(seen, self.read(daemon), False)


if __name__ == "__main__":
    main()
