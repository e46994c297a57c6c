"""sluicectl and a cluster: what it shows and forgets, orders that not everybody has confirmed, and
several responders of which some do not answer."""

import json
import pathlib
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.fake_api import (
    BUSY,
    DRAINED,
    FE02,
    HOLD,
    LOST,
    SAFE,
    FakeApi,
    SluicectlTest,
    main,
    pool,
    problem,
    server,
    verdict,
)

UNCONFIRMED = {"code": "unconfirmed-responder", "text": "ns2 has not confirmed the hold"}


def responder(name, **members):
    return {
        "name": name, "self": name == "ns1", "alive": True, "decides": name == "ns1",
        "publication": 40, "generation": 17, "behind": 0, "unconfirmed_since": None,
        "clock_offset": 0.002, "since": "2026-11-20T10:00:00Z", "version": "0.1", "dns": [],
        "api": [], "configuration": "d1", "same_configuration": True, **members,
    }  # fmt: skip


def cluster(*responders, **members):
    return {
        "id": "0" * 32, "prefix": "/sluice", "state": "deciding", "stale": False,
        "stale_since": None, "revision": 1234, "alarm": None, "decider": "ns1", "generation": 17,
        "publication": 40, "responders": list(responders or (responder("ns1"), responder("ns2"))),
        "warnings": [], **members,
    }  # fmt: skip


LOST_NS2 = responder(
    "ns2", alive=False, behind=3, generation=15, unconfirmed_since="2026-11-20T10:00:00Z"
)


class Cluster(SluicectlTest):
    def test_a_well_cluster_is_0(self):
        self.answers["GET /v1/cluster"] = cluster()
        done = self.check(0, "cluster", out="/sluice  deciding: generation 17, publication 40\n")
        rows = [line.split() for line in done.stdout.splitlines()[2:]]
        self.assertEqual(rows[0][:6], ["ns1", "(this)", "yes", "yes", "17", "0"])
        self.assertEqual(rows[1][:5], ["ns2", "yes", "no", "17", "0"])

    def test_what_is_not_well_is_1_and_says_what_to_do(self):
        forget = "`sluicectl cluster forget ns2`"
        for said, shown in (
            (cluster(responder("ns1"), LOST_NS2), forget),
            (cluster(responder("ns1"), responder("ns2", alive=False)), forget),
            (cluster(responder("ns1"), responder("ns2", unconfirmed_since="2026-11-20T10:00:00Z")),
             "ns2 is alive and has not confirmed since 2026-11-20 10:00:00"),
            (cluster(state="cut-off", stale=True, stale_since="2026-11-20T10:00:00Z"),
             "stale since 2026-11-20 10:00:00"),
            (cluster(alarm="the prefix was emptied"), "alarm: the prefix was emptied"),
        ):  # fmt: skip
            self.answers["GET /v1/cluster"] = said
            with self.subTest(shown):
                self.check(1, "cluster", out=shown)
                done = self.check(1, "cluster", "--json")
                self.assertEqual(json.loads(done.stdout), said)

    def test_who_is_just_confirming_is_looked_at_again(self):
        late = responder("ns2", behind=1, unconfirmed_since="2026-11-20T10:00:00Z")
        self.answers["GET /v1/cluster"] = [cluster(responder("ns1"), late), cluster()]
        self.check(0, "cluster")
        self.assertEqual(len(self.api.requests), 2)

    def test_an_embedded_store_has_no_cluster(self):
        self.answers["GET /v1/cluster"] = problem(
            404, detail="this responder has the embedded store"
        )
        self.check(1, "cluster", err="this responder has the embedded store")

    def test_forget_says_what_it_means(self):
        self.answers["POST /v1/cluster/forget"] = {"forgotten": "ns2"}
        self.check(0, "cluster", "forget", "ns2",
                   out=["ns2 is forgotten: drains and verdicts wait for it no more",
                        "cut off, it answers as before: stop it there"])  # fmt: skip
        self.assertEqual(json.loads(self.api.requests[0][3]), {"responder": "ns2"})
        done = self.check(0, "cluster", "forget", "ns2", "--json")
        self.assertEqual(json.loads(done.stdout), {"forgotten": "ns2"})
        self.answers["POST /v1/cluster/forget"] = problem(409, rule="alive", detail="ns2 is alive")
        self.check(3, "cluster", "forget", "ns2", err="refused by rule alive: ns2 is alive")
        self.answers["POST /v1/cluster/forget"] = problem(404, detail="there is no responder ns9")
        self.check(1, "cluster", "forget", "ns9", err="there is no responder ns9")

    def test_an_odd_answer_is_1(self):
        for said in ({}, {"state": 1}, cluster({"name": "ns1"})):
            self.answers["GET /v1/cluster"] = said
            self.check(1, "cluster", err="not as expected")


class Unconfirmed(SluicectlTest):
    """An order that is 202: in force and durable, and not everywhere."""

    WORDS = "warning: not confirmed by ns2: it may answer as before"
    FORGET = "`sluicectl cluster forget ns2`"

    def setUp(self):
        super().setUp()
        self.answers["GET /v1/servers/fe02"] = BUSY
        self.drained = {**DRAINED, "unconfirmed": ["ns2"]}
        self.answers["POST /v1/servers/fe02/drain"] = 202, self.drained

    def test_a_drain_is_success_with_a_warning(self):
        self.check(0, "drain", "fe02", out="left every answer",
                   err=[self.WORDS, "the verdict stays red until it confirms", self.FORGET])  # fmt: skip
        done = self.check(0, "drain", "fe02", "--json", err=self.WORDS)
        self.assertEqual(json.loads(done.stdout), self.drained)

    def test_with_wait_it_waits_until_the_verdict_is_safe(self):
        self.answers["GET /v1/servers/fe02"] = [BUSY, server(verdict(UNCONFIRMED)), SAFE]
        done = self.check(0, "drain", "fe02", "--wait", err=self.WORDS,
                          out=[UNCONFIRMED["text"], f"{FE02} is safe to take offline"])  # fmt: skip
        self.assertEqual(done.stderr.count("sluicectl cluster forget"), 1, "said once")

    def test_a_wait_names_who_has_not_confirmed_and_what_to_do(self):
        waiting = server(verdict(UNCONFIRMED))
        self.answers["GET /v1/servers/fe02"] = [waiting, waiting, SAFE]
        self.check(0, "wait", "fe02", out=UNCONFIRMED["text"],
                   err=["`sluicectl cluster` tells", "`sluicectl cluster forget NAME`"])  # fmt: skip

    def test_ready_names_who_has_not_confirmed_and_what_to_do(self):
        self.answers["GET /v1/servers/fe02/verdict"] = verdict(UNCONFIRMED)
        self.check(3, "ready", "fe02",
                   out=[UNCONFIRMED["text"], "`sluicectl cluster forget NAME`"])  # fmt: skip

    def test_resume_and_force_warn_too(self):
        reply = {"generation": 18, "warnings": [], "confirmed_by": ["ns1"], "unconfirmed": ["ns2"]}
        self.answers["POST /v1/servers/fe02/resume"] = 202, reply
        self.answers["POST /v1/servers/fe02/force"] = 202, reply
        for words in (["resume"], ["force-up"], ["unforce"]):
            done = self.check(0, *words, "fe02", err=[self.WORDS, self.FORGET])
            self.assertNotIn("verdict", done.stderr)

    def test_local_force_is_one_responders_own(self):
        self.check(0, "drain", "fe02", "--local-force")
        self.assertEqual(json.loads(self.api.requests[0][3]), {"local_force": True})

    def test_a_local_hold_is_shown_as_one(self):
        local = server(verdict(), holds=[{**HOLD, "forced": True, "local": True}])
        self.answers["GET /v1/pools"] = {"pools": [pool(local)]}
        self.check(0, "status", out="server by operations (forced, local): patch")


class Stale(SluicectlTest):
    def test_status_says_it_first(self):
        self.answers["GET /v1/pools"] = {"pools": [pool(BUSY)]}
        self.answers["GET /readyz"] = {
            "status": "serving", "stale": True, "since": "2026-11-20T10:00:00Z",
            "reason": "etcd does not answer",
        }  # fmt: skip
        done = self.check(0, "status")
        self.assertEqual(
            done.stdout.splitlines()[0],
            "stale since 2026-11-20 10:00:00: it answers by the last state that it had, and takes "
            "no orders (etcd does not answer)",
        )
        self.assertEqual(json.loads(self.check(0, "status", "--json").stdout)["pools"][0]["pool"],
                         "pool01.contoso.example")  # fmt: skip

    def test_what_is_not_stale_has_no_such_line(self):
        self.answers["GET /v1/pools"] = {"pools": [pool(BUSY)]}
        for said in ({"status": "serving", "stale": False}, problem(503, detail="no"), LOST):
            self.answers["GET /readyz"] = said
            self.assertNotIn("stale", self.check(0, "status").stdout)


class Several(SluicectlTest):
    """Responders of one cluster: two that answer, and others in front of them."""

    def setUp(self):
        super().setUp()
        self.second = FakeApi()
        self.addCleanup(self.second.close)
        for api in (self.api, self.second):
            api.answers["GET /healthz"] = {"status": "alive"}
            api.answers["GET /v1/pools"] = {"pools": []}
            api.answers["GET /v1/servers/fe02"] = BUSY
            api.answers["POST /v1/servers/fe02/drain"] = DRAINED

    def asked(self, api):
        return [f"{method} {path}" for method, path, *_ in api.requests if path != "/healthz"]

    def both(self, *before):
        return " ".join([*before, self.api.url, self.second.url])

    def stopped(self):
        """One that takes connections and says nothing, as a process that SIGSTOP stopped."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def test_the_first_that_answers_is_asked(self):
        self.check(0, "status", out="no pools", SLUICE_API=self.both())
        self.assertEqual(self.asked(self.api), ["GET /v1/pools", "GET /readyz"])
        self.assertEqual(self.second.requests, [])

    def test_who_refuses_connections_is_passed_over(self):
        self.check(0, "--api", "http://127.0.0.1:1", "--api", self.second.url, "status")
        self.assertEqual(self.asked(self.second), ["GET /v1/pools", "GET /readyz"])

    def test_who_says_nothing_is_passed_over_before_an_order_is_sent(self):
        self.check(0, "drain", "fe02", out="left every answer",
                   SLUICE_API=self.both(self.stopped()))  # fmt: skip
        self.assertEqual(self.asked(self.api)[0], "POST /v1/servers/fe02/drain")
        self.assertEqual(self.second.requests, [])

    def test_an_order_that_was_sent_is_not_sent_again(self):
        self.answers["POST /v1/servers/fe02/drain"] = LOST
        self.check(5, "drain", "fe02", err="The hold may be in force", SLUICE_API=self.both())
        self.assertEqual(self.asked(self.second), [])

    def test_what_was_asked_is_asked_again_elsewhere(self):
        self.answers["GET /v1/pools"] = LOST
        self.answers["GET /healthz"] = [{"status": "alive"}, LOST]
        self.check(0, "status", out="no pools", SLUICE_API=self.both())
        self.assertIn("GET /v1/pools", self.asked(self.second))

    def test_a_wait_goes_on_when_its_responder_ends(self):
        self.answers["GET /v1/servers/fe02"] = [BUSY, LOST]
        self.answers["GET /healthz"] = [{"status": "alive"}, LOST]
        self.second.answers["GET /v1/servers/fe02"] = SAFE
        self.check(0, "wait", "fe02", out="is safe to take offline", SLUICE_API=self.both())

    def test_a_refusal_is_an_answer(self):
        self.answers["POST /v1/servers/fe02/drain"] = problem(503, detail="cut off from etcd")
        self.check(1, "drain", "fe02", err="cut off from etcd", SLUICE_API=self.both())
        self.assertEqual(self.second.requests, [])

    def test_nobody_there_names_all(self):
        nobody = "http://127.0.0.1:1", "http://127.0.0.2:1"
        done = self.check(5, "status", err="no authority answers at", SLUICE_API=" ".join(nobody))
        for url in nobody:
            self.assertIn(url, done.stderr)


if __name__ == "__main__":
    main()
