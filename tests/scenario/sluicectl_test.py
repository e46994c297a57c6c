"""sluicectl against the real authority: what an operator types to take a server out."""

import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, READER, server_name, v4

FE02 = server_name(2)


class Sluicectl(Scenario):
    def ctl(self, daemon, exit_code, *words, token=None):
        """As a local administrator, or by URL with a token."""
        environment = {**os.environ, "TZ": "UTC0"}
        where = ["--socket", daemon.folder / "sluice.sock"]
        if token:
            (self.folder / "token").write_text(token + "\n", encoding="utf-8")
            where = ["--api", f"http://127.0.0.1:{daemon.api_port}"]
            where += ["--token-file", self.folder / "token"]
        done = processes.run([self.build / "sluicectl", *where, *words], env=environment)
        self.assertEqual(done.returncode, exit_code, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def test_drain_wait_ready_resume(self):
        daemon = self.start()
        daemon.agents_keep_pushing()
        self.assertIn("3 of 3 accepting", self.ctl(daemon, 0, "status").stdout)
        self.assertIn("not-held", self.ctl(daemon, 3, "ready", "fe02").stdout)
        drained = self.ctl(daemon, 0, "drain", "fe02", "--reason", "patch", "--wait", "60s").stdout
        self.assertIn(f"{FE02} left every answer: generation ", drained)
        self.assertIn("confirmed by ns1.test", drained)
        self.assertIn(f"{FE02} is safe to take offline", drained)
        self.assertNotIn(v4(2), dns.dig(daemon.dns_port, POOL, "A"))
        self.ctl(daemon, 0, "ready", "fe02")
        self.assertIn("Paused", self.ctl(daemon, 0, "services", "fe02").stdout)
        self.assertIn("hold", self.ctl(daemon, 0, "explain", POOL).stdout)
        self.ctl(daemon, 0, "resume", "fe02")
        self.ctl(daemon, 0, "wait", "fe02", "--for", "accepting", "--timeout", "60s")
        self.assertIn(v4(2), dns.dig(daemon.dns_port, POOL, "A"))

    def test_refusals_and_mistakes_have_their_exit_codes(self):
        daemon = self.start(min_accepting=3)
        floor = self.ctl(daemon, 3, "drain", "fe02").stderr
        self.assertIn(f"refused by rule floor: {POOL} would keep 2 of at least 3 (has 3)", floor)
        self.assertIn("consolidated", self.ctl(daemon, 3, "drain", "fe02", "--service",
                                               "registrar").stderr)  # fmt: skip
        self.ctl(daemon, 0, "drain", "fe02", "--force")
        self.ctl(daemon, 1, "drain", "fe09")
        self.ctl(daemon, 1, "drain", "fe01", "--service", "nosuch")
        self.ctl(daemon, 2, "drain", "fe01", "--at", "2001-01-01T00:00:00Z")
        self.ctl(daemon, 2, "drain", "fe01", "--expires", "2001-01-01T00:00:00Z")
        self.ctl(daemon, 2, "drain", "fe01", "--expires", "0s")
        self.ctl(daemon, 2, "explain", POOL, "MX")
        self.assertRegex(self.ctl(daemon, 0, "explain", POOL, "srv").stdout, "fe01.* no .*no SRV")
        self.assertIn(f"{POOL} A", self.ctl(daemon, 0, "explain", "pool01").stdout)
        self.ctl(daemon, 4, "wait", "fe01", "--timeout", "0s")

    def test_by_url_the_token_decides(self):
        daemon = self.start()
        self.ctl(daemon, 0, "drain", "fe02", token=OPERATOR)
        self.ctl(daemon, 0, "status", token=READER)
        self.ctl(daemon, 5, "resume", "fe02", token=READER)
        self.ctl(daemon, 5, "status", token="nobody's")
        holds = daemon.api().service(FE02, "front-end")["holds"]
        self.assertEqual(holds[0]["by"], "operations")

    def test_json_is_what_the_api_says(self):
        daemon = self.start()
        shown = json.loads(self.ctl(daemon, 0, "--json", "status").stdout)
        self.assertEqual([pool["pool"] for pool in shown["pools"]], [POOL])
        refused = json.loads(self.ctl(daemon, 1, "--json", "drain", "fe09").stdout)
        self.assertEqual(refused["status"], 404)

    def test_a_token_that_it_makes_is_one_that_the_authority_takes(self):
        daemon = self.start()
        made = json.loads(self.ctl(daemon, 0, "--json", "token", "operator").stdout)
        line = {name: made[name] for name in ("name", "role", "sha256")}
        daemon.config["api"]["tokens"].append(line)
        daemon.write_config()
        self.ctl(daemon, 0, "reload")
        self.ctl(daemon, 0, "drain", "fe02", token=made["token"])

    def test_a_reload_that_is_refused_names_file_and_line(self):
        daemon = self.start()
        daemon.config["dns"]["wrokers"] = 2
        daemon.write_config()
        self.assertIn("dns.wrokers", self.ctl(daemon, 1, "reload").stderr)


if __name__ == "__main__":
    main()
