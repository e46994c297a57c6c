"""sluicectl against an API that says whatever the test wants: what is asked and what is shown."""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.fake_api import (
    BUSY,
    DRAINED,
    FE02,
    FREE,
    HOLD,
    HORIZON,
    POOL,
    SAFE,
    TOKEN,
    SluicectlTest,
    main,
    pool,
    problem,
    server,
    sessions,
    verdict,
)


class Reading(SluicectlTest):
    def test_status_has_a_row_for_each_server_and_service(self):
        self.answers["GET /v1/pools"] = {"generation": 17, "pools": [pool(FREE, BUSY)]}
        done = self.check(0, "status", out=[POOL, "generation 17", "1 of 2 accepting", "patch"])
        rows = [line.split() for line in done.stdout.splitlines() if line.startswith("fe02")]
        self.assertEqual(rows[1][:4], [FE02, "front-end", "draining", "connections=12"])
        self.assertIn("call-park: no agent pushes it", done.stdout)

    def test_status_of_one_pool(self):
        self.answers[f"GET /v1/pools/{POOL}"] = pool(SAFE)
        self.check(0, "status", POOL, out="drained")
        self.check(1, "status", "nosuch", err="there is no")

    def test_status_shows_orphans(self):
        orphan = {"server": "old.example", "service": None, "hold": HOLD}
        self.answers["GET /v1/pools"] = {"generation": 1, "pools": [], "orphans": [orphan]}
        self.check(0, "status", out=["no pools", "old.example: server by operations: patch"])

    def test_services_is_the_console(self):
        self.answers["GET /v1/servers/fe02"] = BUSY
        self.check(0, "services", "fe02", out=["Lync Server Front-End", "Paused", "registrar"])

    def test_explain(self):
        member = {"server": FE02, "in": False, "rule": "hold", "text": "held", "by": "operations"}
        self.answers[f"GET /v1/explain?name={POOL}&type=AAAA"] = {
            "name": POOL, "type": "AAAA", "answer_set": POOL, "fallback": None, "members": [member],
        }  # fmt: skip
        self.check(0, "explain", POOL, "AAAA", out=[FE02, "hold", "operations"])
        # Which type is asked for where none is said is the authority's to know.
        self.check(1, "explain", POOL, err=f"there is no /v1/explain?name={POOL}")

    def test_the_argument_reaches_the_api_percent_encoded(self):
        self.answers["GET /v1/servers/a%2Fb%20%3F"] = BUSY
        self.check(0, "services", "a/b ?")

    def test_ready(self):
        path = "GET /v1/servers/fe02/verdict"
        self.answers[path] = [verdict(HORIZON, sessions(12)), verdict()]
        self.check(3, "ready", "fe02", out=["not safe", "12 connections", "caches clear in "])
        self.check(0, "ready", "fe02", out="is safe to take offline")

    def test_ready_of_one_service(self):
        self.answers["GET /v1/servers/fe02/verdict?service=call-park"] = verdict()
        self.check(0, "ready", "fe02", "--service", "call-park", out="call-park on fe02 is safe")

    def test_json_is_the_document_as_it_came(self):
        document = verdict(sessions(2))
        self.answers["GET /v1/servers/fe02/verdict"] = document
        done = self.check(3, "ready", "fe02", "--json")
        self.assertEqual(done.stdout, json.dumps(document) + "\n")

    def test_foreign_text_cannot_drive_the_terminal(self):
        evil = {**HOLD, "reason": "\x1b[2J\x07\u202egnp.exe\n"}
        self.answers["GET /v1/pools"] = {"pools": [pool(server(verdict(), holds=[evil]))]}
        done = self.check(0, "status", out="gnp.exe")
        for character in "\x1b\x07\u202e":
            self.assertNotIn(character, done.stdout)


class Changing(SluicectlTest):
    def setUp(self):
        super().setUp()
        self.answers["POST /v1/servers/fe02/drain"] = DRAINED
        self.answers["GET /v1/servers/fe02"] = BUSY

    def body(self, at=0):
        return json.loads(self.api.requests[at][3])

    def test_drain_says_what_was_acknowledged(self):
        done = self.check(
            0, "drain", "fe02", "--reason", "patch", "--startup", "manual", "--hide-host",
            out=[f"{FE02} left every answer: generation 17, confirmed by ns1",
                 "caches clear in", "(2099-01-01 00:00:30)",
                 "sessions left: front-end connections=12"],
            err="warning: a restart of front-end",
        )  # fmt: skip
        self.assertNotIn("warning", done.stdout)
        self.assertEqual(
            self.body(), {"reason": "patch", "startup": "manual", "hide_host": True}
        )
        self.assertEqual(self.api.requests[0][2]["Authorization"], f"Bearer {TOKEN}")

    def test_pause_is_drain_and_options_may_stand_before_the_command(self):
        self.check(0, "--json", "pause", "--service", "front-end", "fe02", "--force")
        self.assertEqual(self.body(), {"service": "front-end", "force": True})

    def test_a_horizon_of_null_is_no_horizon(self):
        self.answers["POST /v1/servers/fe02/drain"] = {**DRAINED, "cache_horizon": None}
        self.check(0, "drain", "fe02", out="no answer ever named it")

    def test_who_did_not_confirm_is_a_warning(self):
        self.answers["POST /v1/servers/fe02/drain"] = {**DRAINED, "unconfirmed": ["ns2"]}
        self.check(0, "drain", "fe02", err="warning: not confirmed by ns2")

    def test_the_floor_refuses_with_its_numbers(self):
        self.answers["POST /v1/servers/fe02/drain"] = problem(
            409, rule="floor", detail="too few", answer_set=POOL,
            numbers={"accepting": 2, "would_leave": 1, "min_accepting": 2},
        )  # fmt: skip
        sentence = f"refused by rule floor: {POOL} would keep 1 of at least 2 (has 2)"
        self.check(3, "drain", "fe02", err=[sentence, "With --force it is drained"])
        done = self.check(3, "drain", "fe02", "--json", err=sentence)
        self.assertEqual(json.loads(done.stdout)["rule"], "floor")

    def test_a_component_names_its_service(self):
        self.answers["POST /v1/servers/fe02/drain"] = problem(
            409, rule="consolidated", detail="registrar is a part of front-end: drain that"
        )
        self.check(3, "drain", "fe02", "--service", "registrar",
                   err="refused by rule consolidated: registrar is a part of front-end")  # fmt: skip

    def test_in_force_but_not_stored_says_both(self):
        self.answers["POST /v1/servers/fe02/drain"] = problem(
            507, detail="the disk is full", in_force=True
        )
        self.check(1, "drain", "fe02", err=["the disk is full", "in force", "Trying again"])

    def test_a_mistake_names_its_member(self):
        self.answers["POST /v1/servers/fe02/drain"] = problem(400, detail="is past", member="at")
        # By its clock, which is not ours.
        self.check(1, "drain", "fe02", "--at", "2999-01-01T00:00:00Z", err="at: is past")

    def test_resume(self):
        self.answers["POST /v1/servers/fe02/resume"] = {"generation": 18, "warnings": ["w"]}
        self.check(0, "resume", "fe02", out="fe02 resumed: generation 18", err="warning: w")
        self.check(0, "resume", "fe02", "--service", "call-park", out="call-park on fe02 resumed")
        self.assertEqual(self.body(1), {"service": "call-park"})

    def test_a_host_that_does_not_lift_its_hold(self):
        self.answers["POST /v1/servers/fe02/resume"] = problem(504, detail="no agent answered")
        self.check(1, "resume", "fe02", err="no agent answered")

    def test_force_and_unforce(self):
        self.answers["POST /v1/servers/fe02/force"] = {"generation": 19}
        self.check(0, "force-up", "fe02", out="fe02 forced up")
        self.check(0, "force-down", "fe02", "--service", "front-end", out="forced down")
        self.check(0, "unforce", "fe02", out="measured health")
        self.assertEqual([self.body(at) for at in range(3)], [
            {"health": "up"}, {"service": "front-end", "health": "down"}, {"health": None},
        ])  # fmt: skip

    def test_reload(self):
        self.answers["POST /v1/reload"] = {}
        self.check(0, "reload", out="configuration reloaded")
        error = {"file": "sluice.yaml", "line": 12, "path": "dns.wrokers", "message": "unknown key"}
        self.answers["POST /v1/reload"] = problem(
            409, rule="configuration", detail="not taken: sluice.yaml:12 ...", errors=[error]
        )
        self.check(1, "reload",
                   err=["sluice.yaml:12: dns.wrokers: unknown key", "stays in force"])  # fmt: skip


if __name__ == "__main__":
    main()
