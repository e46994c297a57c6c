"""An administrator who stays in the console he knows: `systemctl stop` of a service and a shutdown
of the host wait until nobody is cut off."""

import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.host import Host
from support.polling import always, eventually
from support.scenario import Scenario, main
from support.sluiced import configuration
from support.systemd import FakeSystemd, RealSystemd

FRONT_END = "front-end.service"
SERVICES = [
    "front-end", "attendant", "conferencing-announcement", "response-group", "announcement",
    "call-park",
]  # fmt: skip
TIMED_OUT = 4


class Console(Scenario):
    def start_host(self, systemd, pool=None, **fields):
        self.systemd = systemd
        self.daemon = self.start(configuration(**{"ttl": "1s", **(pool or {})}), agents=False)
        for number in (2, 3):
            self.daemon.agent(number, services=["front-end", "call-park"]).push()
        # All that its server is configured to run: the verdict is on all of it.
        services = {"services": SERVICES, "checks": [{"command": ["/bin/true"]}], **fields}
        self.host = Host(self.daemon, 1, environment=systemd.environment, **services)
        self.host.sessions(1)
        self.host.start_agent()
        self.addCleanup(self.end)
        eventually(
            lambda: self.front_end["status"] == "accepting"
            and self.front_end["sessions"] == {"connections": 1},
            f"in, with one session:\n{self.host.log()}",
        )

    def end(self):
        self.host.refuse()
        self.assertEqual(self.host.stop_agent(), 0, self.host.log()[-4000:])
        self.systemd.close()

    @property
    def front_end(self):
        return self.daemon.api().service(self.host.name, "front-end")


class StopOfAUnit(Console):
    """By the real systemd where it can be started; the rest of this file does without."""

    def start_unit(self):
        """Its ExecStop= is what an administrator would write."""
        folder = self.folder / "authority" / "host1"
        command = (
            f"{self.build.resolve()}/sluice-agent drain-and-wait front-end "
            f"--config {folder}/agent.yaml"
        )
        unit = (
            "[Unit]\nDefaultDependencies=no\n[Service]\n"
            f"ExecStart=/bin/sh -c 'until test -e {self.folder}/end; do sleep 0.1; done'\n"
            f"ExecStop={command}\nStandardOutput=append:{self.folder}/unit.log\n"
        )
        try:
            systemd = RealSystemd(self.folder, {FRONT_END: unit}, shared=[self.folder])
        except OSError as why:
            self.skipTest(f"the real systemd cannot be started here: {why}")
        systemd.order("StartUnit", FRONT_END)
        print(f"{self.id().split('.')[-1]}: {systemd.what}")
        self.start_host(systemd, unit=FRONT_END, pid_file=None)

    def state(self):
        return self.systemd.unit_property(FRONT_END, "ActiveState")

    def test_stop_waits_until_the_last_session_and_cache_are_gone(self):
        self.start_unit()
        before = self.front_end["instance"]
        self.systemd.order("StopUnit", FRONT_END)
        eventually(lambda: self.front_end["holds"], "the stop has placed a hold")
        hold = self.front_end["holds"][0]
        self.assertEqual((hold["origin"], hold["reason"]), ("host", "its unit is being stopped"))
        self.assert_members(self.daemon, [2, 3])
        always(lambda: self.state() == "deactivating", "it waits for the session", during=1.5)
        self.host.sessions(0)
        eventually(lambda: self.state() == "inactive", "it has stopped")
        self.assertTrue(
            self.daemon.api().verdict(self.host.name, "front-end")["safe_to_stop"],
            (self.folder / "unit.log").read_text(),
        )
        # Started again it is in again: startup automatic.
        self.systemd.order("StartUnit", FRONT_END)
        eventually(lambda: self.front_end["status"] == "accepting", self.host.log)
        self.assertEqual(self.front_end["holds"], [])
        self.assertNotEqual(self.front_end["instance"], before)
        # The agent hears it in the reply to its push.
        eventually(
            lambda: self.host.status()["services"]["front-end"]["paused"] is None,
            "the agent drops the pause",
        )

    def test_a_unit_that_has_ended_by_itself_is_not_waited_for(self):
        self.start_unit()
        (self.folder / "end").write_text("")  # the main process ends with success
        eventually(lambda: self.state() == "inactive", "it has ended")
        self.assertIn("the service has already ended", (self.folder / "unit.log").read_text())
        self.assertEqual(self.front_end["holds"], [])


class ByHand(Console):
    def test_drain_and_wait_gives_up_at_its_time_limit_and_the_hold_stays(self):
        self.start_host(FakeSystemd(self.folder, []))
        done = self.host.type("drain-and-wait", "front-end", "--timeout", "1s", "--reason", "x")
        self.assertEqual(done.returncode, TIMED_OUT, done.stdout + done.stderr)
        self.assertIn("1 connections on front-end", done.stderr)
        self.assertEqual(self.front_end["holds"][0]["reason"], "x")

    def test_drain_and_wait_below_the_floor_holds_by_force(self):
        self.start_host(FakeSystemd(self.folder, []), pool={"min_accepting": 3})
        self.host.sessions(0)
        done = self.host.type("drain-and-wait", "front-end", "--timeout", "15s")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("safe to stop", done.stdout)


class ShutdownOfTheHost(Console):
    """Announced by a logind that speaks the same interface."""

    def start_delayed(self, at_most, longest_delay=3600, **fields):
        self.start_host(
            FakeSystemd(self.folder, [], longest_delay=longest_delay),
            agent_fields={"reboot": {"delay": True, "at_most": at_most}}, **fields,
        )  # fmt: skip
        self.waits_at(1)

    def waits_at(self, locks):
        eventually(
            lambda: self.systemd.logind("Delaying")[1] == str(locks),
            f"{locks} locks are held; the agent:\n{self.host.log()}",
        )

    def announce(self, active="true"):
        self.systemd.logind("ShutDown", "b", active)

    def test_it_waits_until_the_verdict_is_safe(self):
        self.start_delayed("10m")
        self.announce()
        eventually(lambda: self.front_end["status"] == "draining", "all is paused")
        self.assert_members(self.daemon, [2, 3])
        self.assertIn("a shutdown waits: ", self.host.type("status").stdout)
        self.waits_at(1)
        self.host.sessions(0)
        self.waits_at(0)
        self.assertTrue(self.daemon.api().verdict(self.host.name)["safe_to_stop"])

    def test_it_waits_no_longer_than_it_may(self):
        self.start_delayed("2s")
        began = time.monotonic()
        self.announce()
        self.waits_at(0)
        self.assertGreaterEqual(time.monotonic() - began, 2)
        self.assertIn("the time is over (2s); it is not safe: ", self.host.log())

    def test_a_shutdown_that_is_called_off_lifts_the_pauses_and_only_those(self):
        self.start_delayed("10m")
        self.assertEqual(self.host.type("pause", "call-park").returncode, 0)
        self.announce()
        eventually(lambda: self.front_end["status"] == "draining", "all is paused")
        self.announce("false")
        eventually(lambda: self.front_end["status"] == "accepting", "it is in again")
        self.assertEqual(
            self.daemon.api().service(self.host.name, "call-park")["holds"][0]["origin"], "host"
        )
        self.waits_at(1)

    def test_a_limit_of_logind_that_is_shorter_is_warned_of(self):
        self.start_delayed("15min", longest_delay=5)
        warning = "logind waits for 5s only (InhibitDelayMaxSec"
        eventually(lambda: warning in self.host.log(), "it is logged")
        self.assertIn(warning, self.host.type("status").stdout)

    def test_a_signal_that_is_not_loginds_changes_nothing(self):
        self.start_delayed("10m")
        sent = self.systemd.call(
            "emit", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
            "PrepareForShutdown", "b", "true",
        )  # fmt: skip
        self.assertEqual(sent.returncode, 0, sent.stderr)
        always(lambda: self.front_end["status"] == "accepting", "nothing is paused", during=0.7)

    def test_a_shutdown_that_is_announced_while_the_bus_is_away_is_heard_of_later(self):
        self.start_delayed("10m")
        self.systemd.bus.kill()
        self.systemd.bus.wait()
        eventually(lambda: "a shutdown cannot be heard of" in self.host.log(), "the bus is away")
        self.systemd.close()
        self.systemd.start_bus()
        self.systemd.start_manager(preparing=True)
        eventually(lambda: self.front_end["status"] == "draining", self.host.log())

    def test_a_lock_that_is_refused_during_a_shutdown_changes_nothing(self):
        self.start_delayed("10m")
        self.announce()
        eventually(lambda: self.front_end["status"] == "draining", "all is paused")
        self.systemd.logind("Refuse", "b", "true")
        self.assertEqual(self.host.stop_agent(), 0)
        self.host.start_agent()  # its lock has gone with it, and no new one is given
        eventually(lambda: "logind gives no lock: it is late" in self.host.log(), "it is told")
        self.systemd.logind("ShutDown", "b", "false")
        eventually(lambda: self.front_end["status"] == "accepting", "called off all the same")

    def test_a_logind_that_starts_anew_is_asked_for_a_new_lock(self):
        self.start_delayed("10m")
        self.systemd.manager_process.kill()
        self.systemd.manager_process.wait()
        self.systemd.start_manager()
        self.waits_at(1)

    def test_what_nothing_tells_apart_has_the_boot_for_its_instance(self):
        """So that a pause which a shutdown has placed ends with the next boot."""
        self.start_delayed("10m", pid_file=None)
        self.assertTrue(self.front_end["instance"].endswith("/boot"))


if __name__ == "__main__":
    main()
