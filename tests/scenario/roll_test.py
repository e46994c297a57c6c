"""sluicectl roll on the real authority: servers that restart, floors, domains, lost connections."""

import json
import os
import pathlib
import signal
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.polling import INTERVAL_SECONDS, PATIENCE_SECONDS, eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, configuration, server_name


class Hosts:
    """Restarts the services of a server whose command asks for it; the command waits until that is
    done. `together`: so many commands have to run before any of them is answered."""

    def __init__(self, folder, agents, together=1):
        self.folder, self.agents, self.together = folder, agents, together
        self.restarted, self.most = [], 0
        self.frozen = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def command(self):
        """What --exec gets."""
        asked, done = f"{self.folder}/asked-$SLUICE_SERVER", f"{self.folder}/done-$SLUICE_SERVER"
        return f'touch "{asked}"; while [ ! -e "{done}" ]; do sleep 0.02; done; rm "{done}"'

    def asking(self):
        prefix = "asked-"
        return sorted(p.name.removeprefix(prefix) for p in self.folder.glob(prefix + "*"))

    def _watch(self):
        while not self._stop.wait(INTERVAL_SECONDS):
            asking = self.asking()
            self.most = max(self.most, len(asking))
            left = len(self.agents) - len(self.restarted)
            if self.frozen.is_set() or len(asking) < min(self.together, left) or not asking:
                continue
            for server in asking:
                self._restart(server)

    def _restart(self, server):
        for service in self.agents[server].services.values():
            service["instance"] += "+"
        self.restarted.append(server)
        (self.folder / f"asked-{server}").unlink()
        (self.folder / f"done-{server}").touch()

    def stop(self):
        self._stop.set()
        self._thread.join()


class Rolling(Scenario):
    def begin(self, together=1, servers=3, domains=None, **options):
        config = configuration(servers=servers, **options)
        for server in config["pools"][0]["servers"]:
            if domains and server["fqdn"] in domains:
                server["domain"] = domains[server["fqdn"]]
        daemon = self.start(config)
        self.asks = self.folder / "asks"
        self.asks.mkdir()
        self.hosts = Hosts(self.asks, self.push(daemon, servers), together)
        self.addCleanup(self.hosts.stop)
        (self.folder / "token").write_text(OPERATOR + "\n", encoding="utf-8")
        return daemon

    def push(self, daemon, servers=3):
        """Agents that push on and on, as real ones do."""
        agents = {}
        for number in range(1, servers + 1):
            agent = daemon.agent(number)
            agent.keep_pushing(0.1)
            agents[server_name(number)] = agent
        return agents

    def words(self, daemon, *words, command=None):
        return [
            self.build / "sluicectl", "--api", f"http://127.0.0.1:{daemon.api_port}",
            "--token-file", self.folder / "token", "roll", POOL, "--soak", "300ms",
            "--exec", command or self.hosts.command, *words,
        ]  # fmt: skip

    def environment(self):
        return {**os.environ, "TZ": "UTC0", "XDG_STATE_HOME": str(self.folder / "state")}

    def roll(self, daemon, exit_code, *words, **options):
        done = processes.run(self.words(daemon, *words, **options), env=self.environment())
        self.assertEqual(done.returncode, exit_code, f"{done.stdout}\n{done.stderr}")
        return done

    def start_roll(self, daemon, **options):
        return processes.start(
            self.words(daemon, **options), env=self.environment(), stdout=-1, stderr=-1, text=True,
            start_new_session=True,
            limits=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    def holds(self, api, number):
        return [
            hold for service in api.server(server_name(number))["services"].values()
            for hold in service["holds"]
        ]  # fmt: skip

    def test_each_restarts_once_while_no_answer_names_it(self):
        daemon = self.begin()
        self.hosts.frozen.set()
        child = self.start_roll(daemon)
        for number in (1, 2, 3):
            eventually(lambda: self.hosts.asking() == [server_name(number)], f"{number} is at it")
            self.assert_members(daemon, {1, 2, 3} - {number})
            self.assertTrue(daemon.api().verdict(server_name(number))["safe_to_stop"])
            startups = {hold["startup"] for hold in self.holds(daemon.api(), number)}
            self.assertEqual(startups, {"manual"})
            self.hosts.frozen.clear()
            eventually(lambda: not self.hosts.asking(), f"{number} restarted")
            self.hosts.frozen.set()
        out, err = child.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(child.returncode, 0, f"{out}\n{err}")
        self.assertEqual(self.hosts.restarted, [server_name(n) for n in (1, 2, 3)])
        self.assert_members(daemon, [1, 2, 3])
        for number in (1, 2, 3):
            self.assertEqual(self.holds(daemon.api(), number), [])

    def test_the_floor_refuses_and_nothing_is_held(self):
        daemon = self.begin(min_accepting=3)
        self.assertIn("rule floor", self.roll(daemon, 3).stderr)
        self.assertIn("refuses it", self.roll(daemon, 3, "--dry-run").stdout)
        self.assert_members(daemon, [1, 2, 3])
        self.assertEqual(self.hosts.restarted, [])

    def test_as_many_at_once_as_the_floor_allows(self):
        daemon = self.begin(together=2, servers=5, min_accepting=3)
        self.roll(daemon, 0, "--max-unavailable", "4")
        self.assertEqual(self.hosts.most, 2)
        self.assertEqual(sorted(self.hosts.restarted), [server_name(n) for n in range(1, 6)])

    def test_a_domain_at_once(self):
        domains = {server_name(n): "rack-b" if n < 3 else "rack-a" for n in range(1, 5)}
        daemon = self.begin(together=2, servers=4, domains=domains, min_accepting=2)
        self.roll(daemon, 0, "--domains")
        self.assertEqual(self.hosts.most, 2)
        self.assertEqual(sorted(self.hosts.restarted[:2]), [server_name(3), server_name(4)])

    def test_a_command_that_fails_leaves_it_held_until_it_is_gone_on_with(self):
        daemon = self.begin()
        api = daemon.api()
        flag = self.folder / "flag"
        command = f'[ "$SLUICE_SERVER" != {server_name(2)} ] || [ -e {flag} ] || exit 3'
        done = self.roll(daemon, 1, command=command)
        self.assertIn(f"{server_name(2)} is held by this roll", done.stderr)
        self.assert_members(daemon, [1, 3])
        hold = self.holds(api, 2)[0]
        self.assertEqual((hold["reason"], hold["by"]), ("roll", "operations"))
        flag.touch()
        report = json.loads(self.roll(daemon, 0, "--json", command=command).stdout.splitlines()[-1])
        self.assertTrue(report["complete"])
        self.assert_members(daemon, [1, 2, 3])

    def test_ctrl_c_during_the_command_and_on(self):
        daemon = self.begin()
        self.hosts.frozen.set()
        child = self.start_roll(daemon)
        eventually(self.hosts.asking, "the command runs")
        os.killpg(child.pid, signal.SIGINT)
        _, err = child.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(child.returncode, 130, err)
        self.assert_members(daemon, [2, 3])
        self.hosts.frozen.clear()
        self.roll(daemon, 0)
        self.assert_members(daemon, [1, 2, 3])

    def test_a_restart_of_the_authority_is_bridged(self):
        daemon = self.begin()
        daemon.keep_ports()
        self.hosts.frozen.set()
        child = self.start_roll(daemon)
        eventually(self.hosts.asking, "the command runs")
        daemon.restart()
        self.hosts.agents = self.push(daemon)
        self.assert_members(daemon, [2, 3])
        self.hosts.frozen.clear()
        out, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0, f"{out}\n{err}")
        self.assertEqual(self.hosts.restarted, [server_name(n) for n in (1, 2, 3)])
        self.assert_members(daemon, [1, 2, 3])

    def test_a_hold_of_the_operators_is_left_alone(self):
        daemon = self.begin()
        api = daemon.api()
        api.drain(server_name(2), reason="mine", startup="manual")
        self.assertIn("held: server by operations: mine", self.roll(daemon, 1).stderr)
        self.roll(daemon, 0, "--skip-unready")
        self.assertEqual({hold["reason"] for hold in self.holds(api, 2)}, {"mine"})
        self.assertEqual(self.hosts.restarted, [server_name(1), server_name(3)])


if __name__ == "__main__":
    main()
