"""What sluiced and sluice-agent tell systemd: ready, reloading, stopping, alive, and what is wrong.
Type=notify and WatchdogSec= of their units stand on it."""

import copy
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.host import Host
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, Sluiced, configuration, server_name, v4
from support.supervisor import StoppedThread, Supervisor

# Long enough for a busy machine to ping in time, short enough to wait for its end.
WATCHDOG_SECONDS = 2


class OfSluiced(Scenario):
    def start_supervised(self, watchdog_seconds=None, **pool):
        self.supervisor = Supervisor(self.folder / "notify", watchdog_seconds)
        daemon = Sluiced(self.build, self.folder, configuration(**pool), start=False)
        self.daemons.append(daemon)
        daemon.launch(env=self.supervisor.environment)
        return daemon

    def test_ready_is_said_when_it_answers(self):
        daemon = self.start_supervised()
        ready = self.supervisor.await_said("READY")
        # No retry: whoever is started after us may ask at once.
        self.assertEqual(dns.ask(daemon.dns_port, server_name(1), "A").data("A"), [v4(1)])
        self.assertEqual(daemon.api(None).call("GET", "/readyz").status, 200)
        self.assertRegex(ready["STATUS"], r"serving generation \d+, 1 zone, 1 pool, 3 servers")
        self.assertEqual(self.supervisor.states(), ["READY"])

    def test_a_start_that_fails_is_never_ready(self):
        self.supervisor = Supervisor(self.folder / "notify")
        config = configuration()
        config["pools"][0]["service"] = "no-such-service"
        daemon = Sluiced(self.build, self.folder, config, start=False)
        daemon.launch(env=self.supervisor.environment)
        self.assertEqual(daemon.process.wait(timeout=30), 1)
        self.assertEqual(self.supervisor.messages, [])

    def test_a_reload_and_a_stop_in_their_order(self):
        daemon = self.start_supervised()
        self.supervisor.await_said("READY")
        daemon.config["pools"][0]["servers"].append(
            {"fqdn": server_name(4), "addresses": [v4(4)], "weight": 100}
        )
        daemon.write_config()
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        daemon.hang_up()
        ready = self.supervisor.await_said("READY", times=2)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.assertIn("4 servers", ready["STATUS"])
        began = int(self.supervisor.said("RELOADING")[0]["MONOTONIC_USEC"])
        self.assertTrue(before <= began <= after, f"{before} {began} {after}")
        self.assertEqual(daemon.stop(), 0)
        self.supervisor.await_said("STOPPING")
        self.assertEqual(self.supervisor.states(), ["READY", "RELOADING", "READY", "STOPPING"])

    def test_a_refused_reload_stays_in_the_status_until_a_good_one(self):
        daemon = self.start_supervised()
        self.supervisor.await_said("READY")
        good = copy.deepcopy(daemon.config)
        daemon.config["pools"][0]["service"] = "no-such-service"
        daemon.write_config()
        daemon.hang_up()
        ready = self.supervisor.await_said("READY", times=2)
        self.assertIn("the last reload was refused", ready["STATUS"])
        self.assertIn("no-such-service", ready["STATUS"])
        self.assertIn("3 servers", ready["STATUS"], "and what serves on")
        daemon.config = good
        daemon.write_config()
        daemon.hang_up()
        ready = self.supervisor.await_said("READY", times=3)
        self.assertNotIn("refused", ready["STATUS"])

    def test_the_status_follows_the_generation(self):
        daemon = self.start_supervised(WATCHDOG_SECONDS)
        before = self.supervisor.await_said("READY")["STATUS"]
        daemon.agents_push()
        daemon.api().drain(server_name(1))
        eventually(lambda: self.supervisor.status != before, "another status")
        generation = daemon.api().get("/v1/pools/" + POOL)["generation"]
        eventually(lambda: f"generation {generation}," in self.supervisor.status, "the newest")

    def test_each_thread_that_hangs_ends_the_pings_and_one_that_returns_brings_them_back(self):
        daemon = self.start_supervised(WATCHDOG_SECONDS)
        self.supervisor.await_said("READY")
        for thread in ("dns-1", "store", "api"):
            self.supervisor.await_said("WATCHDOG", times=self.pings() + 2)
            returns = daemon.log().count("answers again: ")
            with StoppedThread(daemon.process.pid, thread):
                self.await_silence()
                eventually(lambda t=thread: f"of: {t}; serving" in self.supervisor.status, "who")
                if thread != "dns-1":  # whose sockets have their share of the questions
                    self.assertEqual(dns.ask(daemon.dns_port, server_name(1), "A").rcode, 0)
            self.supervisor.await_said("WATCHDOG", times=self.pings() + 2)
            eventually(lambda: "no sign" not in self.supervisor.status, "the status is good again")
            # On a busy machine another one may have been late in the same moment.
            self.assertRegex(daemon.log(), rf"no sign of life of: (.*, )?{thread}(, .*)?\n")
            self.assertGreater(daemon.log().count("answers again: "), returns)

    def test_the_control_thread_pings_by_itself(self):
        daemon = self.start_supervised(WATCHDOG_SECONDS)
        self.supervisor.await_said("WATCHDOG", times=2)
        with StoppedThread(daemon.process.pid):
            self.await_silence()
        self.supervisor.await_said("WATCHDOG", times=self.pings() + 2)

    def pings(self):
        return len(self.supervisor.said("WATCHDOG"))

    def await_silence(self):
        """Until no ping came for as long as systemd waits: it would end the process now."""
        last, since = self.pings(), time.monotonic()

        def silent():
            nonlocal last, since
            if self.pings() != last:
                last, since = self.pings(), time.monotonic()
            return time.monotonic() - since > WATCHDOG_SECONDS

        eventually(silent, "the pings end")


class OfTheAgent(Scenario):
    def start_agent(self, daemon):
        self.supervisor = Supervisor(self.folder / "notify", WATCHDOG_SECONDS)
        self.host = Host(daemon, 1)
        self.host.start_agent(env=self.supervisor.environment)
        self.addCleanup(self.host.kill_agent)

    def test_ready_alive_and_stopping(self):
        daemon = self.start(agents=False)
        self.start_agent(daemon)
        self.assertIn("answers; nothing is held", self.supervisor.await_said("READY")["STATUS"])
        self.assertEqual(self.host.type("status").returncode, 0, "its socket is open")
        self.supervisor.await_said("WATCHDOG", times=2)
        daemon.api().drain(server_name(1), service="call-park")
        eventually(lambda: "held: call-park" in self.supervisor.status, "the hold is told")
        self.assertEqual(self.host.stop_agent(), 0)
        self.supervisor.await_said("STOPPING")
        self.assertEqual(self.supervisor.states(), ["READY", "STOPPING"])

    def test_an_authority_that_is_away_is_no_failed_start(self):
        daemon = self.start(agents=False)
        port = daemon.api_port
        self.assertEqual(daemon.stop(), 0)
        self.start_agent(daemon)
        ready = self.supervisor.await_said("READY")
        self.assertIn(f"no heartbeat arrives: http://127.0.0.1:{port}", ready["STATUS"])
        self.supervisor.await_said("WATCHDOG", times=2)


if __name__ == "__main__":
    main()
