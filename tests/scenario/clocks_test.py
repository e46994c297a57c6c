"""Leases and countdowns run on the monotonic clock: the wall clock may jump, and the authority may
stand still, and no answer changes for it."""

import datetime
import email.utils
import pathlib
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.metrics import generation
from support.polling import always, eventually
from support.scenario import Scenario, main
from support.sluiced import Sluiced, configuration, server_name
from support.wall_clock import WallClock

# A lease of ten pushes: on a busy machine a thread of this test may be late for some.
HEARTBEAT, PUSH, LEASE = 0.4, 0.2, 2.0
HOUR = 3600.0
ALL = [1, 2, 3, 4]


class Timed(Scenario):
    def start_timed(self, agents=True, ttl="1s", lease=LEASE, **health):
        """A sluiced on a clock of its own, and agents that push from threads."""
        config = configuration(servers=len(ALL), ttl=ttl)
        config["health"] |= {
            "heartbeat": f"{int(HEARTBEAT * 1000)}ms", "lease": f"{int(lease * 1000)}ms", **health
        }  # fmt: skip
        folder = self.folder / "authority"
        folder.mkdir()
        self.clock = WallClock(self.build, folder)
        daemon = Sluiced(self.build, folder, config, start=False)
        self.daemons.append(daemon)
        daemon.start(env=self.clock.environment)
        self.agents = {number: daemon.agent(number) for number in ALL}
        self.addCleanup(self.end_agents, daemon)
        if agents:
            self.start_pushing()
        return daemon

    def start_pushing(self, *numbers):
        for number in numbers or self.agents:
            self.agents[number].push()
            self.agents[number].keep_pushing(PUSH)

    def stop_pushing(self, *numbers):
        """They push a last time together: their leases end together, however long the stops took."""
        for number in numbers or self.agents:
            self.agents[number].stop()
        for number in numbers or self.agents:
            self.agents[number].push()

    def end_agents(self, daemon):
        if daemon.process.poll() is None:
            daemon.process.send_signal(signal.SIGCONT)
        for agent in self.agents.values():
            agent.stop()

    def lease_state(self, daemon, number):
        return daemon.api().server(server_name(number))["lease"]["state"]

    def wall_time(self, daemon):
        """As the daemon reads it."""
        date = daemon.api().call("GET", "/healthz").headers["date"]
        return email.utils.parsedate_to_datetime(date)


class Jumps(Timed):
    """Of an hour, both ways."""

    def jump(self, daemon, seconds):
        self.clock.jump(seconds)
        # Else nothing is tested. A Date is in whole seconds.
        expected = time.time() + self.clock.ahead
        self.assertAlmostEqual(self.wall_time(daemon).timestamp(), expected, delta=5.0)

    def test_change_no_answer_and_end_no_lease(self):
        daemon = self.start_timed()
        self.assert_members(daemon, ALL)
        before = generation(daemon.api())
        for seconds in (HOUR, -2 * HOUR, HOUR):
            self.jump(daemon, seconds)
            always(lambda: self.members(daemon) == ALL, f"jumped {seconds} s", during=1.2 * LEASE)
            for number in ALL:
                self.assertEqual(self.lease_state(daemon, number), "current")
        self.assertEqual(generation(daemon.api()), before, "nobody left, not even for a moment")

    def test_neither_end_nor_lengthen_the_lease_of_a_silent_agent(self):
        daemon = self.start_timed()
        for number, seconds in ((1, HOUR), (2, -2 * HOUR)):
            self.stop_pushing(number)
            began = time.monotonic()
            self.agents[number].push()
            self.jump(daemon, seconds)
            left = [n for n in ALL if n != number]
            eventually(lambda left=left: self.members(daemon) == left, f"{number} leaves")
            self.assertGreaterEqual(time.monotonic() - began, LEASE)
            self.start_pushing(number)
            self.assert_members(daemon, ALL)

    def test_change_neither_a_hold_nor_its_countdown(self):
        daemon = self.start_timed(ttl="3s")
        api = daemon.api()
        for seconds in (HOUR, -2 * HOUR):
            began = time.monotonic()
            api.drain(server_name(1))
            self.assertFalse(api.verdict(server_name(1))["safe_to_stop"])
            self.jump(daemon, seconds)
            # What people read is on their clock.
            horizon = api.service(server_name(1), "front-end")["cache_horizon"]
            left = datetime.datetime.fromisoformat(horizon) - self.wall_time(daemon)
            self.assertLess(abs(left.total_seconds()), 5.0, horizon)
            eventually(lambda: api.verdict(server_name(1))["safe_to_stop"], "safe after its TTL")
            self.assertGreaterEqual(time.monotonic() - began, 3.0, "not before its TTL")
            self.assert_members(daemon, [2, 3, 4])
            self.assertEqual(len(api.service(server_name(1), "front-end")["holds"]), 1)
            api.resume(server_name(1))
            self.assert_members(daemon, ALL)

    def test_while_it_is_away_lift_no_hold_and_hold_no_verdict_for_an_hour(self):
        daemon = self.start_timed(ttl="2s")
        for seconds in (HOUR, -2 * HOUR):
            daemon.api().drain(server_name(1))
            self.stop_pushing()
            daemon.kill9()
            self.clock.jump(seconds)
            daemon.start(env=self.clock.environment)
            self.assert_members(daemon, [2, 3, 4])
            self.agents = {number: daemon.agent(number) for number in ALL}
            self.start_pushing()
            api = daemon.api()
            eventually(
                lambda api=api: api.verdict(server_name(1))["safe_to_stop"], "safe after its TTL"
            )
            api.resume(server_name(1))

    def test_while_it_is_away_end_no_countdown(self):
        daemon = self.start_timed(ttl="60s", lease=20.0)
        daemon.api().drain(server_name(1))
        self.stop_pushing()
        daemon.kill9()
        self.clock.jump(HOUR)
        daemon.start(env=self.clock.environment)
        self.agents = {number: daemon.agent(number) for number in ALL}
        self.start_pushing()
        verdict = daemon.api().verdict(server_name(1))
        self.assertIn("horizon", [each["code"] for each in verdict["reasons"]], verdict)

    def test_end_no_guard_against_mass_loss(self):
        daemon = self.start_timed(mass_loss_hold="60s")
        self.stop_pushing(2, 3, 4)
        eventually(lambda: self.lease_state(daemon, 2) == "guarded", "guarded")
        before = generation(daemon.api())
        for seconds in (HOUR, -2 * HOUR):
            self.jump(daemon, seconds)
            always(lambda: self.members(daemon) == ALL, "the guard holds", during=LEASE / 2)
        self.assertEqual(generation(daemon.api()), before)

    def test_end_no_grace_after_a_start(self):
        daemon = self.start_timed(agents=False, lease=20.0)
        before = generation(daemon.api())
        for seconds in (HOUR, -2 * HOUR):
            self.jump(daemon, seconds)
            always(lambda: self.members(daemon) == ALL, "nobody spoke yet", during=LEASE / 2)
        self.assertEqual(generation(daemon.api()), before)


class StandStill(Timed):
    """SIGSTOP for longer than a lease, then SIGCONT."""

    def stand_still(self, daemon, seconds=1.5 * LEASE):
        """Returns when it went on."""
        daemon.process.send_signal(signal.SIGSTOP)
        stat = pathlib.Path(f"/proc/{daemon.process.pid}/stat")
        eventually(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T", "it stands still")
        end = time.monotonic() + seconds
        eventually(lambda: time.monotonic() > end, "longer than a lease", within=2 * seconds)
        went_on = time.monotonic()
        daemon.process.send_signal(signal.SIGCONT)
        return went_on

    def test_no_lease_ends_before_the_agents_had_their_chance(self):
        daemon = self.start_timed()
        self.assert_members(daemon, ALL)
        before = generation(daemon.api())
        self.stand_still(daemon)
        always(lambda: self.members(daemon) == ALL, "all push again", during=1.5 * LEASE)
        self.assertEqual(generation(daemon.api()), before, "nobody left, not even for a moment")
        for number in ALL:
            self.assertEqual(self.lease_state(daemon, number), "current")

    def test_who_stays_silent_is_judged_one_lease_later(self):
        daemon = self.start_timed()
        self.stop_pushing(2)
        went_on = self.stand_still(daemon)
        self.assert_members(daemon, ALL)
        eventually(lambda: self.members(daemon) == [1, 3, 4], "the silent one leaves")
        self.assertGreaterEqual(time.monotonic() - went_on, LEASE)
        self.assertEqual(self.lease_state(daemon, 2), "expired")

    def test_that_all_stay_silent_is_a_mass_loss(self):
        daemon = self.start_timed(mass_loss_hold="60s")
        self.stop_pushing()
        before = generation(daemon.api())
        self.stand_still(daemon)
        eventually(lambda: self.lease_state(daemon, 2) == "guarded", "guarded")
        self.assert_members(daemon, ALL)
        self.assertEqual(generation(daemon.api()), before)

    def test_in_the_grace_after_a_start_gives_the_agents_their_chance_too(self):
        daemon = self.start_timed(agents=False, mass_loss_hold=f"{int(1.2 * LEASE)}s")
        before = generation(daemon.api())
        self.stand_still(daemon)
        self.start_pushing(1)
        self.start_pushing(2, 3, 4)
        always(lambda: self.members(daemon) == ALL, "all spoke", during=1.5 * LEASE)
        self.assertEqual(generation(daemon.api()), before)

    def test_ends_no_guard_before_the_agents_had_their_chance(self):
        daemon = self.start_timed(mass_loss_hold="2s")
        self.stop_pushing(2, 3, 4)
        eventually(lambda: self.lease_state(daemon, 2) == "guarded", "guarded")
        before = generation(daemon.api())
        self.stand_still(daemon, 3.0)
        self.start_pushing(2, 3, 4)
        always(lambda: self.members(daemon) == ALL, "all push again", during=LEASE)
        self.assertEqual(generation(daemon.api()), before, "nobody left, not even for a moment")

    def test_makes_no_verdict_of_sessions_from_before(self):
        daemon = self.start_timed(ttl="2s")
        api = daemon.api()
        self.stop_pushing(1)
        self.agents[1].push()
        api.drain(server_name(1))
        self.stand_still(daemon)  # the horizon passes, and whoever still came is not known
        verdict = api.verdict(server_name(1))
        self.assertFalse(verdict["safe_to_stop"], "its sessions are older than a lease")
        # What comes at once may have waited since before the horizon.
        self.start_pushing(1)
        eventually(lambda: api.verdict(server_name(1))["safe_to_stop"], "its sessions are known")


if __name__ == "__main__":
    main()
