"""Agents that flap are damped: each server has a burst of changes of health that are published at
once, then one a second; orders never wait, and the last truth wins."""

import pathlib
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.metrics import generation
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import server_name

FLAPS = 200
BURST, A_SECOND = 5, 1
# What was held back is published a second later at most; the rest is what a busy machine takes.
HELD_BACK = 1.1 + 1.0


class Flapping(Scenario):
    def flap(self, agent, times=FLAPS, last="up"):
        """Alternates as fast as it can; returns how long that took."""
        other = "down" if last == "up" else "up"
        began = time.monotonic()
        for turn in range(times):
            agent.say(health=last if (times - turn) % 2 else other)
        return time.monotonic() - began

    def settles(self, daemon, expected):
        """The last truth is in the answers soon."""
        eventually(lambda: self.members(daemon) == expected, f"{expected}", within=HELD_BACK)

    def test_publications_are_bounded_and_the_last_truth_wins(self):
        daemon = self.start()
        for last, expected in (("up", [1, 2, 3]), ("down", [2, 3])):
            before, began = generation(daemon.api()), time.monotonic()
            self.flap(daemon.agent(1), last=last)
            self.settles(daemon, expected)
            growth = generation(daemon.api()) - before
            self.assertLessEqual(growth, BURST + A_SECOND * (time.monotonic() - began) + 1)
            self.assertGreater(growth, 0)
            settled = generation(daemon.api())
            time_over = time.monotonic() + HELD_BACK
            eventually(lambda end=time_over: time.monotonic() > end, "all that was held back")
            self.assertEqual(generation(daemon.api()), settled, "nothing changes any more")
            self.assert_members(daemon, expected)

    def test_the_log_is_not_flooded(self):
        daemon = self.start()
        before, began = len(daemon.log().splitlines()), time.monotonic()
        self.flap(daemon.agent(1))
        self.settles(daemon, [1, 2, 3])
        lines = daemon.log().splitlines()[before:]
        services = len(daemon.agent(1).services)
        most = (BURST + A_SECOND * (time.monotonic() - began) + 2) * (services + 1)
        self.assertLessEqual(len(lines), most, "\n".join(lines[-20:]))
        self.assertTrue(any(server_name(1) in line for line in lines), "nothing was said of it")

    def test_who_changes_now_and_then_is_published_at_once(self):
        daemon = self.start()
        agent = daemon.agent(1)
        for _ in range(BURST // 2):
            agent.say(health="down")
            self.assert_members(daemon, [2, 3])
            agent.say(health="up")
            self.assert_members(daemon, [1, 2, 3])

    def test_the_others_are_published_at_once(self):
        daemon = self.start()
        stop = threading.Event()
        flapping, other = daemon.agent(1), daemon.agent(2)

        def flap():
            while not stop.is_set():
                self.flap(flapping, times=2)

        flapper = threading.Thread(target=flap)
        flapper.start()
        try:
            for _ in range(BURST // 2):
                other.say(health="down")
                self.assertNotIn(2, self.members(daemon))
                other.say(health="up")
                self.assertIn(2, self.members(daemon))
        finally:
            stop.set()
            flapper.join()

    def test_orders_never_wait(self):
        daemon = self.start()
        api, agent, name = daemon.api(), daemon.agent(1), server_name(1)
        orders = (
            (lambda: api.drain(name), lambda: api.resume(name)),
            (lambda: api.force(name, "down"), lambda: api.force(name, None)),
        )
        for place, lift in orders:
            self.flap(agent, times=4 * BURST)
            place()
            self.assert_members(daemon, [2, 3])
            lift()
            self.assert_members(daemon, [1, 2, 3])
        self.flap(agent, times=4 * BURST, last="down")
        api.force(name, "up")
        self.assert_members(daemon, [1, 2, 3])
        api.force(name, None)
        self.assert_members(daemon, [2, 3])

    def test_a_flapping_server_stays_out_while_it_is_held(self):
        daemon = self.start()
        daemon.api().drain(server_name(1))
        before = generation(daemon.api())
        self.flap(daemon.agent(1))
        self.assertEqual(generation(daemon.api()), before)
        self.assert_members(daemon, [2, 3])


if __name__ == "__main__":
    main()
