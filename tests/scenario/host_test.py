"""A real sluice-agent between a real service and a real authority; what the host's administrator
types there."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.host import Host
from support.polling import always, eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, configuration

REFUSED, NO_AUTHORITY = 3, 5


class OnTheHost(Scenario):
    """Server 1 has the real agent; 2 and 3 were pushed once and stay up by their long lease."""

    def start_with_host(self, config=None, pool=None, **service_fields):
        daemon = self.start(config or configuration(**(pool or {})), agents=False)
        for number in (2, 3):
            daemon.agent(number, services=["front-end", "call-park"]).push()
        self.host = Host(daemon, 1, **service_fields)
        self.host.start_agent()
        self.addCleanup(self.end_agent)
        self.status_is(daemon, "accepting")
        return daemon

    def end_agent(self):
        if self.host.agent.poll() is None:
            self.assertEqual(self.host.stop_agent(), 0, self.host.log()[-4000:])
        self.assertIn(self.host.agent.returncode, (0, -9), self.host.log()[-4000:])

    def front_end(self, daemon):
        return daemon.api().service(self.host.name, "front-end")

    def status_is(self, daemon, status):
        eventually(
            lambda: self.front_end(daemon)["status"] == status,
            f"the status becomes {status}; agent's log:\n{self.host.log()[-2000:]}",
        )

    def becomes(self, daemon, expected, name=POOL):
        eventually(lambda: self.members(daemon, name) == expected, f"{name} becomes {expected}")

    def test_health_sessions_and_instance_reach_the_authority(self):
        daemon = self.start_with_host()
        self.host.sessions(7)
        eventually(
            lambda: self.front_end(daemon)["sessions"] == {"connections": 7}, "7 sessions are known"
        )
        self.assertTrue(self.front_end(daemon)["instance"])
        self.host.refuse()
        self.becomes(daemon, [2, 3])
        self.assertEqual(self.front_end(daemon)["status"], "down")
        self.host.listen()
        self.becomes(daemon, [1, 2, 3])

    def test_a_service_that_is_not_running_has_stopped(self):
        daemon = self.start_with_host()
        self.host.stop_service()
        eventually(lambda: self.front_end(daemon)["health"] == "stopped", "stopped")
        self.assert_members(daemon, [2, 3])

    def test_the_first_drain_by_real_programs(self):
        daemon = self.start_with_host()
        self.host.sessions(2)
        eventually(lambda: self.front_end(daemon)["sessions"] == {"connections": 2}, "two")
        daemon.api().drain(self.host.name, service="front-end")
        self.assert_members(daemon, [2, 3])
        for left in (1, 0):
            self.host.sessions(left)
            eventually(lambda n=left: self.front_end(daemon)["sessions"] == {"connections": n}, "")
        eventually(
            lambda: daemon.api().verdict(self.host.name, "front-end")["safe_to_stop"], "safe"
        )

    def test_restart_of_the_service_with_startup_automatic_releases_it(self):
        daemon = self.start_with_host()
        daemon.api().drain(self.host.name, startup="automatic")
        self.host.start_service()
        self.becomes(daemon, [1, 2, 3])

    def test_restart_of_the_service_with_startup_manual_stays_held(self):
        daemon = self.start_with_host()
        before = self.front_end(daemon)["instance"]
        daemon.api().drain(self.host.name, startup="manual")
        self.host.start_service()
        eventually(
            lambda: self.front_end(daemon)["instance"] not in (before, None), "the new instance"
        )
        self.status_is(daemon, "held")
        self.assert_members(daemon, [2, 3])

    def test_restarts_of_agent_and_authority_release_nothing(self):
        daemon = self.start_with_host()
        daemon.keep_ports()
        daemon.api().drain(self.host.name, startup="automatic")
        self.assertEqual(self.host.stop_agent(), 0)
        self.host.start_agent()
        daemon.kill9()
        daemon.start()
        eventually(
            lambda: daemon.api().server(self.host.name)["lease"]["state"] == "current",
            "the agent found the authority again",
        )
        self.assert_members(daemon, [2, 3])

    def test_pause_and_resume_on_the_host(self):
        daemon = self.start_with_host()
        done = self.host.type("pause", "front-end", "--reason", "patch")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_members(daemon, [2, 3])  # it said so only when it was true
        hold = self.front_end(daemon)["holds"][0]
        self.assertEqual((hold["origin"], hold["reason"]), ("host", "patch"))
        self.assert_members(daemon, [1, 2, 3], f"call-park.{POOL}")
        status = self.host.type("status")
        self.assertEqual(status.returncode, 0, status.stderr)
        self.assertIn("front-end", status.stdout)
        done = self.host.type("resume", "front-end")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.becomes(daemon, [1, 2, 3])

    def test_pause_of_all_services(self):
        daemon = self.start_with_host()
        done = self.host.type("pause")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_members(daemon, [2, 3])
        self.assert_members(daemon, [2, 3], f"call-park.{POOL}")

    def test_a_pause_below_the_floor_is_refused_and_dropped(self):
        daemon = self.start_with_host(pool={"min_accepting": 3})
        done = self.host.type("pause", "front-end")
        self.assertEqual(done.returncode, REFUSED, done.stdout + done.stderr)
        self.assertIn("floor", done.stdout + done.stderr)
        always(lambda: self.members(daemon) == [1, 2, 3], "nothing is paused", during=0.6)
        self.assertEqual(self.front_end(daemon)["holds"], [])

    def test_a_pause_without_the_authority_is_refused_unless_forced(self):
        daemon = self.start_with_host()
        daemon.keep_ports()
        daemon.kill9()
        done = self.host.type("pause", "front-end")
        self.assertEqual(done.returncode, NO_AUTHORITY, done.stdout + done.stderr)
        done = self.host.type("pause", "front-end", "--force")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.host.kill_agent()  # kept on disk
        self.host.start_agent()
        daemon.start()
        self.becomes(daemon, [2, 3])
        self.assertEqual(self.front_end(daemon)["holds"][0]["origin"], "host")

    def test_resume_by_the_operator_lifts_the_hosts_hold(self):
        daemon = self.start_with_host()
        self.assertEqual(self.host.type("pause", "front-end").returncode, 0)
        daemon.api().resume(self.host.name, service="front-end")
        self.assert_members(daemon, [1, 2, 3])
        # Lifted on the host too: its agent's next pushes do not bring it back.
        always(lambda: self.members(daemon) == [1, 2, 3], "it stays lifted", during=0.6)

    def test_the_hooks_run_when_the_service_is_held_and_resumed(self):
        trace = self.folder / "trace"

        def hook(word):
            return ["/bin/sh", "-c", f"echo {word} >> {trace}"]

        daemon = self.start_with_host(on_hold=hook("held"), on_resume=hook("resumed"))
        daemon.api().drain(self.host.name, service="front-end")
        eventually(lambda: trace.exists() and trace.read_text() == "held\n", "on_hold ran once")
        eventually(
            lambda: (self.front_end(daemon).get("hook") or {}).get("state") == "ok", "its outcome"
        )
        daemon.api().resume(self.host.name, service="front-end")
        eventually(lambda: trace.read_text() == "held\nresumed\n", "on_resume ran once")

    def test_a_hook_that_fails_stands_against_the_verdict_and_is_shown(self):
        broken = ["/bin/sh", "-c", "echo cannot reach kamailio >&2; exit 7"]
        daemon = self.start_with_host(on_hold={"command": broken, "timeout": "5s"})
        daemon.api().drain(self.host.name, service="front-end")
        text = "on_hold: exit status 7: cannot reach kamailio"
        eventually(
            lambda: {"code": "hook-failed", "text": f"the hook of front-end on its host has failed: {text}"}
            in daemon.api().verdict(self.host.name, "front-end")["reasons"],
            "the verdict says so",
        )
        self.assertIn(f"front-end: hook failed: {text}", self.host.type("status").stdout)
        self.assertIn("front-end: on_hold says: cannot reach kamailio", self.host.log())

    def test_a_command_that_prints_no_number_makes_the_sessions_unknown(self):
        daemon = self.start_with_host()
        self.host.sessions("many")
        eventually(lambda: self.front_end(daemon).get("sessions") is None, "not known")
        daemon.api().drain(self.host.name)
        verdict = daemon.api().verdict(self.host.name)
        self.assertIn("sessions-unknown", [each["code"] for each in verdict["reasons"]])

    def test_no_agent_no_answer(self):
        self.start_with_host()
        self.assertEqual(self.host.stop_agent(), 0)
        self.assertEqual(self.host.type("status").returncode, NO_AUTHORITY)


if __name__ == "__main__":
    main()
