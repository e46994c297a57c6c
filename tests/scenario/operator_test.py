"""What operators type: the real sluicectl against the real sluiced, its exit codes and its JSON."""

import json
import os
import pathlib
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, READER, server_name

DONE, FAILED, USAGE, REFUSED, TIMED_OUT, NO_AUTHORITY = range(6)
FE01 = server_name(1)


class Operator(Scenario):
    def ctl(self, *words, expected=DONE, environment=None):
        variables = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
        if environment is None:
            environment = {"SLUICE_SOCKET": str(self.daemons[0].folder / "sluice.sock")}
        done = processes.run([self.build / "sluicectl", *words], env=variables | environment)
        self.assertEqual(done.returncode, expected, f"{words}: {done.stdout}{done.stderr}")
        self.stdout = done.stdout
        return done.stdout + done.stderr

    def json(self, *words, **options):
        """What scripts read: standard output is one document."""
        self.ctl("--json", *words, **options)
        return json.loads(self.stdout)

    def test_drain_status_ready_and_resume(self):
        daemon = self.start(ttl="2s")
        daemon.agents_keep_pushing()
        self.assertIn("not held", self.ctl("ready", "fe01", expected=REFUSED).lower())
        daemon.agent(1).say("front-end", sessions={"connections": 12})
        self.ctl("drain", "fe01", "--reason", "patch")
        self.assert_members(daemon, [2, 3])
        status = self.ctl("status")
        for word in ("fe01", "fe02", "front-end", "draining", "accepting", "patch"):
            self.assertIn(word, status)
        self.assertIn("12", self.ctl("ready", "fe01", expected=REFUSED))
        daemon.agent(1).say("front-end", sessions={"connections": 0})
        self.ctl("wait", "fe01", "--for", "drained", "--timeout", "20s")
        self.ctl("ready", "fe01")
        self.ctl("resume", FE01)
        self.assert_members(daemon, [1, 2, 3])
        self.ctl("wait", "fe01", "--for", "accepting", "--timeout", "20s")

    def test_drain_wait_shows_progress_and_ends_when_safe(self):
        daemon = self.start()
        daemon.agents_keep_pushing()
        agent = daemon.agent(1)
        agent.say("front-end", sessions={"connections": 3})
        said = []
        waiting = threading.Thread(
            target=lambda: said.append(self.ctl("drain", "fe01", "--wait", "30s"))
        )
        waiting.start()
        eventually(lambda: self.members(daemon) == [2, 3], "drained")
        for left in (2, 1, 0):
            agent.say("front-end", sessions={"connections": left})
        waiting.join()
        self.assertEqual(len(said), 1, "the command failed in its thread")
        self.assertTrue(daemon.api().verdict(FE01)["safe_to_stop"])

    def test_drain_wait_gives_up_after_its_duration_with_4(self):
        daemon = self.start()
        daemon.agent(1).say("front-end", sessions={"connections": 3})
        self.ctl("drain", "fe01", "--wait", "1s", expected=TIMED_OUT)
        self.assert_members(daemon, [2, 3])  # the hold stays

    def test_pause_is_an_alias(self):
        daemon = self.start()
        self.ctl("pause", "fe01", "--service", "call-park")
        self.assert_members(daemon, [2, 3], f"call-park.{POOL}")
        self.assert_members(daemon, [1, 2, 3])

    def test_services_is_the_seeds_console(self):
        self.start()
        said = self.ctl("services", "fe01")
        for word in ("Lync Server Front-End", "registrar", "automatic", "accepting"):
            self.assertIn(word, said)

    def test_refused_by_a_rule_is_3_and_names_it(self):
        daemon = self.start(min_accepting=3)
        self.assertIn("floor", self.ctl("drain", "fe01", expected=REFUSED))
        self.assertIn(
            "front-end", self.ctl("drain", "fe01", "--service", "registrar", expected=REFUSED)
        )
        self.assert_members(daemon, [1, 2, 3])
        self.ctl("drain", "fe01", "--force")
        self.assert_members(daemon, [2, 3])

    def test_other_exit_codes(self):
        daemon = self.start()
        self.ctl("drain", "fe99", expected=FAILED)
        self.ctl("frobnicate", expected=USAGE)
        self.ctl("drain", expected=USAGE)
        self.ctl("status", expected=NO_AUTHORITY, environment={"SLUICE_SOCKET": "/nonexistent"})
        self.ctl("status", expected=NO_AUTHORITY, environment={"SLUICE_API": "http://127.0.0.1:1"})
        here = f"http://127.0.0.1:{daemon.api_port}"
        self.ctl("status", expected=NO_AUTHORITY, environment={"SLUICE_API": here})

    def test_by_http_with_a_token_file(self):
        daemon = self.start()
        tokens = {}
        for name, token in (("operator", OPERATOR), ("reader", READER)):
            tokens[name] = self.folder / name
            tokens[name].write_text(token + "\n")
            tokens[name].chmod(0o600)
        here = f"http://127.0.0.1:{daemon.api_port}"
        for_operator = {"SLUICE_API": here, "SLUICE_TOKEN_FILE": str(tokens["operator"])}
        for_reader = {"SLUICE_API": here, "SLUICE_TOKEN_FILE": str(tokens["reader"])}
        self.ctl("status", environment=for_reader)
        self.ctl("drain", "fe01", environment=for_reader, expected=NO_AUTHORITY)
        self.ctl("drain", "fe01", environment=for_operator)
        self.assert_members(daemon, [2, 3])

    def test_json_is_the_apis(self):
        self.start()
        self.assertEqual(self.json("drain", "fe01")["confirmed_by"], ["ns1.test"])
        self.assertFalse(self.json("ready", "fe02", expected=REFUSED)["safe_to_stop"])
        (pool,) = self.json("status")["pools"]
        self.assertEqual([each["server"] for each in pool["servers"]][0], FE01)

    def test_force_health(self):
        daemon = self.start()
        self.ctl("force-down", "fe01")
        self.assert_members(daemon, [2, 3])
        self.ctl("unforce", "fe01")
        self.assert_members(daemon, [1, 2, 3])

    def test_explain_names_the_rule(self):
        daemon = self.start()
        daemon.api().drain(FE01)
        self.assertIn("hold", self.ctl("explain", POOL))

    def test_reload_and_its_failure(self):
        daemon = self.start()
        daemon.config["pools"][0]["ttl"] = "9s"
        daemon.write_config()
        self.ctl("reload")
        daemon.config["pools"][0]["ttl"] = "soon"
        daemon.write_config()
        self.assertIn("soon", self.ctl("reload", expected=FAILED))

    def test_a_token_that_it_makes_works(self):
        daemon = self.start()
        made = self.json("token", "reader", environment={})
        daemon.config["api"]["tokens"].append(
            {"name": made["name"], "role": made["role"], "sha256": made["sha256"]}
        )
        self.ctl_reload(daemon)
        self.assertEqual(daemon.api(made["token"]).call("GET", "/v1/pools").status, 200)
        self.assertIn("role: reader", made["line"])

    def ctl_reload(self, daemon):
        daemon.write_config()
        self.ctl("reload")


if __name__ == "__main__":
    main()
