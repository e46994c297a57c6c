"""sluiced, sluice-agent and sluicectl, all three real, over TLS with what `sluicectl pki` made."""

import json
import os
import pathlib
import signal
import sqlite3
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.api import FakeAgent
from support.metrics import metric
from support.pki import Pki
from support.polling import PATIENCE_SECONDS, eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, SERVICES, agent_token, configuration, server_name

FE01 = server_name(1)


class Programs(Scenario):
    def setUp(self):
        super().setUp()
        self.pki = Pki(self.build, self.folder)
        self.pki.make("server", "ns1.test", "127.0.0.1", "localhost")
        self.pki.make("agent", FE01)
        self.pki.make("operator", "anna")

    def start_tls(self, clients="optional", **pool):
        config = configuration(**pool)
        certificate, key = self.pki.pair("server", "ns1.test")
        config["api"]["tls"] = {
            "certificate": str(certificate), "key": str(key),
            "client_ca": str(self.pki.ca), "client_certificates": clients,
        }  # fmt: skip
        tokens = [each for each in config["api"]["tokens"] if each["name"] != "fe01"]
        tokens += [
            {"name": "fe01", "role": "agent", "server": FE01, "certificate": FE01},
            {"name": "anna", "role": "operator", "certificate": "anna"},
        ]
        config["api"]["tokens"] = tokens
        return self.start(config, agents=False, tls=self.pki.client_context())

    def url(self, daemon):
        return f"https://127.0.0.1:{daemon.api_port}"

    def handshakes(self, daemon, result):
        return metric(
            daemon.local_api(), f'sluice_api_tls_handshakes_total{{result="{result}"}}'
        )

    # The agent.

    def start_agent(self, daemon, number=1, tls=None, token=None):
        home = self.folder / f"agent-{number}"
        home.mkdir(exist_ok=True)
        service = {"checks": [{"command": ["/bin/true"], "interval": "1s"}], "sessions": {}}
        config = {
            "authorities": [self.url(daemon)],
            "server": server_name(number), "state": "state", "heartbeat": "1s",
            "socket": {"path": "agent.sock", "mode": "0600"},
            "tls": {"ca": str(self.pki.ca), **(tls or {})},
            "services": {name: service for name in SERVICES},
        }  # fmt: skip
        if token:
            config["token_file"] = "token"
            (home / "token").write_text(token + "\n")
        (home / "agent.yaml").write_text(json.dumps(config))
        with open(home / "log", "ab") as log:
            agent = processes.start(
                [self.build / "sluice-agent", "run", "--config", home / "agent.yaml"],
                stdout=log, stderr=log,
            )  # fmt: skip
        self.addCleanup(self.stop_agent, agent, home)
        return agent, home

    def stop_agent(self, agent, home):
        if agent.poll() is None:
            agent.terminate()
        self.assertEqual(agent.wait(timeout=PATIENCE_SECONDS), 0, (home / "log").read_text())

    def await_up(self, daemon, server, home):
        def is_up():
            return daemon.local_api().service(server, "front-end")["health"] == "up"

        try:
            eventually(is_up, f"{server} is up")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{(home / 'log').read_text()}") from error

    # sluicectl.

    def words(self, daemon, *words, by="anna"):
        certificate, key = self.pki.pair("operator", by)
        return [
            self.build / "sluicectl", "--api", self.url(daemon), "--ca", self.pki.ca,
            "--certificate", certificate, "--key", key, *words,
        ]  # fmt: skip

    def environment(self):
        clean = {key: value for key, value in os.environ.items() if not key.startswith("SLUICE_")}
        return {**clean, "XDG_STATE_HOME": str(self.folder / "state")}

    def ctl(self, daemon, exit_code, *words, **by):
        done = processes.run(self.words(daemon, *words, **by), env=self.environment())
        self.assertEqual(done.returncode, exit_code, f"{words}\n{done.stdout}\n{done.stderr}")
        return done


class AgentTest(Programs):
    def test_a_certificate_alone_is_enough_where_one_is_required(self):
        daemon = self.start_tls("required")
        certificate, key = self.pki.pair("agent", FE01)
        _, home = self.start_agent(daemon, tls={"certificate": str(certificate), "key": str(key)})
        self.await_up(daemon, FE01, home)
        self.assertEqual(self.handshakes(daemon, "full"), 1)

    def test_a_token_with_ca_is_enough_where_none_is(self):
        daemon = self.start_tls()
        _, home = self.start_agent(daemon, number=2, token=agent_token(2))
        self.await_up(daemon, server_name(2), home)

    def test_its_certificate_is_good_for_its_own_server_alone(self):
        daemon = self.start_tls()
        certificate, key = self.pki.pair("agent", FE01)
        shown = {"certificate": str(certificate), "key": str(key)}
        _, home = self.start_agent(daemon, number=2, tls=shown)
        eventually(lambda: "403" in (home / "log").read_text(), "it is told so")
        audit = daemon.local_api().get(f"/v1/servers/{server_name(2)}/history")
        self.assertNotIn("heartbeat", json.dumps(audit))

    def test_it_resumes_its_session_when_its_connection_was_ended(self):
        daemon = self.start_tls("required")
        certificate, key = self.pki.pair("agent", FE01)
        _, home = self.start_agent(daemon, tls={"certificate": str(certificate), "key": str(key)})
        self.await_up(daemon, FE01, home)
        # Its entry is another one's for a moment: what ends its connection, and leaves the ticket.
        entry = next(each for each in daemon.config["api"]["tokens"] if each["name"] == "fe01")
        for certificate in ("somebody.else", FE01):
            entry["certificate"] = certificate
            daemon.write_config()
            self.assertEqual(daemon.local_api().call("POST", "/v1/reload").status, 200)
        eventually(lambda: self.handshakes(daemon, "resumed") >= 1, "it resumes")
        self.assertEqual(self.handshakes(daemon, "full"), 1)


class SluicectlTest(Programs):
    def push(self, daemon):
        """Agents as real ones: one by its certificate, the others by tokens."""
        for number in (1, 2, 3):
            agent = daemon.agent(number) if number > 1 else self.certified(daemon)
            agent.push()
            agent.keep_pushing(0.1)
            self.addCleanup(agent.stop)

    def certified(self, daemon):
        api = daemon.api(token=None, tls=self.pki.client_context("agent", FE01))
        return FakeAgent(api, FE01, SERVICES)

    def test_an_operator_works_by_a_certificate(self):
        daemon = self.start_tls()
        self.push(daemon)
        self.ctl(daemon, 0, "status")
        self.ctl(daemon, 0, "verify", "--no-ns", "--server", f"127.0.0.1@{daemon.dns_port}")
        self.ctl(daemon, 0, "drain", "fe02", "--wait", "30s")
        self.assert_members(daemon, [1, 3])
        holds = daemon.local_api().service(server_name(2), "front-end")["holds"]
        self.assertEqual([hold["by"] for hold in holds], ["anna"])
        self.ctl(daemon, 0, "resume", "fe02")
        self.assert_members(daemon, [1, 2, 3])

    def test_watch_shows_what_happens(self):
        daemon = self.start_tls()
        self.push(daemon)
        child = processes.start(
            self.words(daemon, "watch"), env=self.environment(), stdout=-1, stderr=-1, text=True,
            limits=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        os.set_blocking(child.stdout.fileno(), False)
        seen = []

        def shown():
            self.ctl(daemon, 0, "force-down", "fe03")
            self.ctl(daemon, 0, "unforce", "fe03")
            while line := child.stdout.readline():
                seen.append(line)
            return any("fe03" in line for line in seen)

        eventually(shown, "watch shows it")
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE_SECONDS)

    def test_backup_copies_the_store(self):
        daemon = self.start_tls()
        self.push(daemon)
        self.ctl(daemon, 0, "drain", "fe02", "--reason", "patch")
        copy = self.folder / "copy.db"
        self.ctl(daemon, 0, "backup", copy)
        with sqlite3.connect(copy) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.assertIn("patch", "\n".join(database.iterdump()))

    def test_roll_takes_one_after_another(self):
        daemon = self.start_tls()
        self.push(daemon)
        done = self.folder / "done"
        self.ctl(daemon, 0, "roll", POOL, "--soak", "100ms", "--timeout", "60s",
                 "--exec", f'echo "$SLUICE_SERVER" >> {done}')  # fmt: skip
        self.assertEqual(done.read_text().split(), [server_name(n) for n in (1, 2, 3)])
        self.assert_members(daemon, [1, 2, 3])


if __name__ == "__main__":
    main()
