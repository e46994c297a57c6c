"""Health by systemd's units: the real systemd where it can be started, else a fake manager on a
private bus, which the test says; and the fake one for what the real one never does."""

import os
import pathlib
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.host import Host
from support.polling import always, eventually
from support.scenario import Scenario, main
from support.systemd import FakeSystemd, any_systemd

SLEEP = "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 3600\n"
UNITS = {
    # Its reload lasts until it is stopped.
    "registrar.service": SLEEP + "ExecReload=/bin/sleep 3600\nTimeoutStartSec=1h\n",
    "monitoring.service": SLEEP,
    "aliased.service": SLEEP,
}
BOTH = ["registrar.service", "monitoring.service"]


class Units(Scenario):
    def watch(self, systemd, **service_fields):
        """Server 1's agent watches units of `systemd` and has no other source of health."""
        self.systemd = systemd
        self.addCleanup(systemd.close)
        self.daemon = self.start(agents=False)
        for number in (2, 3):
            self.daemon.agent(number, services=["front-end", "call-park"]).push()
        fields = {"pid_file": None, "checks": None, **service_fields}
        self.host = Host(self.daemon, 1, environment=systemd.environment, **fields)
        self.host.start_agent()
        self.addCleanup(self.end_agent)

    def end_agent(self):
        self.host.refuse()
        self.assertEqual(self.host.stop_agent(), 0, self.host.log()[-4000:])

    @property
    def front_end(self):
        return self.daemon.api().service(self.host.name, "front-end")

    def becomes(self, **expected):
        def holds():
            return {key: self.front_end.get(key) for key in expected} == expected

        eventually(holds, f"{expected}; the agent:\n{self.host.log()[-3000:]}")


class ByAnySystemd(Units):
    def watch_any(self, **fields):
        aliases = {"another-name.service": "aliased.service"}
        self.watch(any_systemd(self.folder, UNITS, aliases), **fields)
        print(f"{self.id().split('.')[-1]}: {self.systemd.what}")

    def test_a_unit_that_is_active_is_up_and_one_that_is_inactive_has_stopped(self):
        self.watch_any(unit="registrar.service")
        self.becomes(health="stopped", status="down", instance=None)
        self.systemd.order("StartUnit", "registrar.service")
        self.becomes(health="up", status="accepting")
        self.assertEqual(len(self.front_end["instance"].split("/")[-1]), 32, "an invocation id")
        self.systemd.order("StopUnit", "registrar.service")
        self.becomes(health="stopped", status="down")
        self.assert_members(self.daemon, [2, 3])

    def test_a_unit_that_fails_has_stopped(self):
        self.watch_any(unit="registrar.service")
        self.systemd.order("StartUnit", "registrar.service")
        self.becomes(health="up")
        self.systemd.kill_unit("registrar.service")
        self.becomes(health="stopped", status="down")
        status = self.host.type("status")
        self.assertIn("registrar.service: failed", status.stdout)

    def test_a_unit_that_reloads_its_configuration_stays_up(self):
        self.watch_any(unit="registrar.service")
        self.systemd.order("StartUnit", "registrar.service")
        self.becomes(health="up")
        self.systemd.order("ReloadUnit", "registrar.service")
        eventually(lambda: "reloading" in self.host.log(), "the agent has seen the reload")
        always(lambda: self.front_end["health"] == "up", "it stays up", during=0.5)

    def test_a_restart_is_a_new_instance_and_ends_a_hold_by_its_startup(self):
        self.watch_any(unit="registrar.service")
        self.systemd.order("StartUnit", "registrar.service")
        self.becomes(health="up")
        before = self.front_end["instance"]
        self.daemon.api().drain(self.host.name, service="front-end", startup="automatic")
        self.systemd.order("RestartUnit", "registrar.service")
        self.becomes(status="accepting", holds=[])
        self.assertNotEqual(self.front_end["instance"], before)
        self.daemon.api().drain(self.host.name, service="front-end", startup="manual")
        self.systemd.order("RestartUnit", "registrar.service")
        self.becomes(status="held")

    def test_a_consolidated_service_is_up_when_all_its_units_are(self):
        self.watch_any(units=BOTH)
        self.becomes(health="stopped")
        self.systemd.order("StartUnit", BOTH[0])
        self.becomes(health="down")
        self.systemd.order("StartUnit", BOTH[1])
        self.becomes(health="up", status="accepting")
        before = self.front_end["instance"]
        self.systemd.order("RestartUnit", BOTH[1])
        eventually(
            lambda: self.front_end["health"] == "up" and self.front_end["instance"] != before,
            "a restart of one is a new run of the service",
        )
        self.systemd.order("StopUnit", BOTH[1])
        self.becomes(health="down")
        self.systemd.order("StopUnit", BOTH[0])
        self.becomes(health="stopped")

    def test_a_unit_that_is_configured_by_an_alias_is_followed_too(self):
        self.watch_any(unit="another-name.service")
        if isinstance(self.systemd, FakeSystemd):
            self.skipTest("the fake manager knows no aliases")
        self.systemd.order("StartUnit", "aliased.service")
        self.becomes(health="up")
        self.systemd.order("StopUnit", "aliased.service")
        self.becomes(health="stopped")
        self.systemd.order("StartUnit", "aliased.service")
        self.becomes(health="up")

    def test_of_a_unit_that_systemd_does_not_have_nothing_is_known(self):
        self.watch_any(unit="mistyped.service")
        if isinstance(self.systemd, FakeSystemd):
            self.skipTest("the fake manager answers by an error")
        eventually(lambda: "systemd has no such unit" in self.host.log(), "it is told")
        self.assertEqual(self.front_end.get("health"), None)
        self.assertIn("mistyped.service: not-found", self.host.type("status").stdout)

    def test_checks_count_beside_an_active_unit(self):
        self.watch_any(unit=BOTH[0], checks=[{"command": ["/bin/false"]}])
        self.systemd.order("StartUnit", BOTH[0])
        self.becomes(health="down")

    def test_systemd_executed_anew_is_followed_on(self):
        self.watch_any(unit=BOTH[0])
        if isinstance(self.systemd, FakeSystemd):
            self.skipTest("the fake manager cannot be executed anew")
        self.systemd.order("StartUnit", BOTH[0])
        self.becomes(health="up")
        before = self.front_end["instance"]
        self.systemd.call("call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                          "org.freedesktop.systemd1.Manager", "Reexecute")  # fmt: skip
        eventually(self.systemd.answers, "systemd answers again")
        self.systemd.order("StopUnit", BOTH[0])
        self.becomes(health="stopped")
        self.assertTrue(before)


class ByTheFakeOne(Units):
    def watch_fake(self, **fields):
        self.watch(FakeSystemd(self.folder, UNITS), **fields)
        self.systemd.order("StartUnit", BOTH[0])
        self.becomes(health="up")

    def test_while_the_bus_is_away_units_stay_what_they_were(self):
        self.watch_fake(unit=BOTH[0])
        self.systemd.close()
        eventually(lambda: "the units stay what they were" in self.host.log(), "the loss is told")
        always(lambda: self.front_end["status"] == "accepting", "it stays in", during=0.7)
        self.assertIn("systemd cannot be asked", self.host.type("status").stdout)
        self.systemd.start_bus()
        self.systemd.start_manager()  # which knows nothing of the start
        self.becomes(health="stopped")
        self.assertNotIn("systemd cannot be asked", self.host.type("status").stdout)

    def test_a_manager_that_hangs_blocks_no_heartbeat(self):
        self.watch_fake(unit=BOTH[0])
        os.kill(self.systemd.manager_process.pid, signal.SIGSTOP)
        self.host.sessions(9)
        self.becomes(sessions={"connections": 9})
        os.kill(self.systemd.manager_process.pid, signal.SIGCONT)
        self.systemd.order("StopUnit", BOTH[0])
        self.becomes(health="stopped")

    def test_a_unit_that_systemd_does_not_have_is_named(self):
        self.watch(FakeSystemd(self.folder, []), unit=BOTH[0])
        eventually(lambda: f"systemd does not tell of {BOTH[0]}" in self.host.log(), "it is told")
        self.assertEqual(self.front_end.get("health"), None)


if __name__ == "__main__":
    main()
