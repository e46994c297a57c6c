"""sluicectl against an API that says whatever the test wants: exit codes, --json, waits, odd answers.

python3 sluicectl_fake_api_test.py BUILD
"""

import contextlib
import fcntl
import hashlib
import http.server
import json
import os
import pathlib
import pty
import shutil
import signal
import socketserver
import struct
import sys
import tempfile
import termios
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes

POOL = "pool01.contoso.example"
FE02 = f"fe02.{POOL}"
TOKEN = "a-token"
DRAINED = {
    "generation": 17,
    "confirmed_by": ["ns1"],
    "unconfirmed": [],
    "cache_horizon": "2099-01-01T00:00:30Z",
    "warnings": ["a restart of front-end lifts this hold: --startup manual keeps it"],
}
HOLD = {
    "scope": "server", "origin": "operator", "by": "operations", "reason": "patch",
    "since": "2026-11-20T10:00:00Z", "startup": "automatic",
}  # fmt: skip


def verdict(*reasons):
    return {"safe_to_stop": not reasons, "reasons": list(reasons), "warnings": []}


def sessions(count):
    return {"code": "sessions", "text": f"{count} connections on front-end"}


HORIZON = {"code": "horizon", "text": "caches may name it", "until": "2099-01-01T00:00:30Z"}


def server(judged, status="draining", holds=(HOLD,), count=12, name=FE02):
    service = {
        "status": status, "health": "up", "forced": None, "instance": "i", "startup": "automatic",
        "title": "Lync Server Front-End", "consolidates": ["registrar"],
        "sessions": {"connections": count}, "in_answers": status == "accepting",
        "cache_horizon": None, "holds": list(holds), "verdict": judged,
    }  # fmt: skip
    return {
        "server": name, "pool": POOL, "addresses": ["10.99.0.12"], "weight": 100,
        "lease": {"state": "current", "expires_in": 5.1},
        "services": {"front-end": service}, "verdict": judged, "warnings": [],
    }  # fmt: skip


SAFE = server(verdict(), status="drained", count=0)
BUSY = server(verdict(HORIZON, sessions(12)))
FREE = server(verdict({"code": "not-held", "text": "front-end is not held"}), "accepting", ())


def pool(*servers):
    return {
        "pool": POOL, "service": "front-end", "generation": 17, "min_accepting": 1,
        "dns_load_balancing": True, "mass_loss_guard": False,
        "answer_sets": [{"owner": POOL, "service": "front-end", "fallback": "none",
                         "members": [f"fe01.{POOL}"]}],
        "servers": list(servers), "warnings": ["call-park: no agent pushes it"],
    }  # fmt: skip


def problem(status, **members):
    return status, {"type": "about:blank", "title": "no", "status": status, **members}


class Raw:
    """Octets in place of a document."""

    def __init__(self, octets, status=200, kind="text/html", declared=None):
        self.octets, self.status, self.kind = octets, status, kind
        self.declared = len(octets) if declared is None else declared


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def address_string(self):
        return "client"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        api = self.server.api
        with api.lock:
            api.requests.append((self.command, self.path, dict(self.headers), body.decode()))
            api.connections.add(self.connection)
            said = api.answers.get(f"{self.command} {self.path}")
            if isinstance(said, list):
                said = said.pop(0) if len(said) > 1 else said[0]
        if callable(said):
            said = said()
        if said is None:
            said = problem(404, detail=f"there is no {self.path}")
        if not isinstance(said, Raw):
            status, document = said if isinstance(said, tuple) else (200, said)
            said = Raw(json.dumps(document).encode(), status, "application/json")
        self.send_response(said.status)
        self.send_header("Content-Type", said.kind)
        self.send_header("Content-Length", str(said.declared))
        self.end_headers()
        self.wfile.write(said.octets)
        if said.declared != len(said.octets):
            self.close_connection = True

    do_GET = do_POST = answer


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class FakeApi:
    """`answers` maps "GET /path" to a document, (status, document), Raw, a callable, or a list of
    these, of which the last one stays."""

    def __init__(self, socket=None):
        self.answers, self.requests, self.connections = {}, [], set()
        self.lock = threading.Lock()
        if socket:
            self.http = UnixServer(str(socket), Handler)
        else:
            self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.http.daemon_threads = True
        self.http.api = self
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class SluicectlTest(unittest.TestCase):
    build = pathlib.Path()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.api = FakeApi()
        self.addCleanup(self.api.close)
        self.answers = self.api.answers
        self.token_file = self.folder / "token"
        self.token_file.write_text(TOKEN + "\n")
        self.environment = {
            "PATH": os.environ["PATH"], "TZ": "UTC0", "HOME": str(self.folder),
            "SLUICE_API": self.api.url, "SLUICE_TOKEN_FILE": str(self.token_file),
        }  # fmt: skip
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def run_ctl(self, *words, **environment):
        return processes.run(
            [self.build / "sluicectl", *words], env={**self.environment, **environment}
        )

    def check(self, exit_code, *words, out=(), err=(), **environment):
        done = self.run_ctl(*words, **environment)
        said = f"stdout:\n{done.stdout}\nstderr:\n{done.stderr}"
        self.assertEqual(done.returncode, exit_code, said)
        for text in [out] if isinstance(out, str) else out:
            self.assertIn(text, done.stdout)
        for text in [err] if isinstance(err, str) else err:
            self.assertIn(text, done.stderr)
        return done


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
        self.check(3, "drain", "fe02", err=sentence)
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

    def test_what_this_version_does_not_do_is_said_by_the_authority(self):
        self.answers["POST /v1/servers/fe02/drain"] = problem(
            400, detail="not supported by this version yet", member="at"
        )
        self.check(1, "drain", "fe02", "--at", "22:00", "--expires", "2h", "--then", "lift",
                   err="at: not supported by this version yet")  # fmt: skip
        self.assertEqual(self.body(), {"at": "22:00", "expires": "2h", "then": "lift"})

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


class Waiting(SluicectlTest):
    def setUp(self):
        super().setUp()
        self.answers["POST /v1/servers/fe02/drain"] = DRAINED
        self.see(BUSY, server(verdict(sessions(3))), SAFE)

    def see(self, *states):
        self.answers["GET /v1/servers/fe02"] = list(states)

    def test_drain_wait_shows_progress_until_safe(self):
        self.see(BUSY, BUSY, BUSY, server(verdict(sessions(3))), SAFE)
        done = self.check(0, "drain", "fe02", "--wait")
        progress = [line for line in done.stdout.splitlines() if line.startswith(f"{FE02}: ")]
        # A line at each change; a countdown is none.
        self.assertEqual(len(progress), 2, done.stdout)
        self.assertIn("sessions left: 12 connections on front-end; caches clear in", progress[0])
        self.assertIn("sessions left: 3 connections on front-end", progress[1])
        self.assertTrue(done.stdout.endswith(f"{FE02} is safe to take offline\n"), done.stdout)

    def test_polls_on_one_connection(self):
        self.check(0, "drain", "fe02", "--wait")
        self.assertGreaterEqual(len(self.api.requests), 4)
        self.assertEqual(len(self.api.connections), 1)

    def test_the_time_is_over_and_the_hold_stays(self):
        self.see(BUSY)
        for words in (["--wait", "1s", "fe02"], ["fe02", "--wait=1s"]):
            self.check(4, "drain", *words,
                       err=["timed out after 1 s", "12 connections", "The hold stays",
                            "sluicectl resume fe02"])  # fmt: skip

    def test_wait_without_a_time_does_not_take_the_server_for_one(self):
        self.check(0, "drain", "--wait", "fe02", out="safe to take offline")

    def test_json_and_wait_are_two_documents(self):
        done = self.check(0, "drain", "fe02", "--wait", "--json", err="12 connections")
        documents = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(documents, [DRAINED, SAFE])

    def test_a_hold_that_somebody_lifts_ends_the_wait(self):
        self.see(BUSY, FREE)
        self.check(1, "drain", "fe02", "--wait", err="the hold was lifted")

    def test_a_pool_that_dns_does_not_balance_never_gets_safe(self):
        self.see(server(verdict({"code": "not-by-dns", "text": "front-end is not balanced by DNS"})))
        self.check(3, "drain", "fe02", "--wait", err="not balanced by DNS")

    def test_a_restart_of_the_authority_is_bridged(self):
        self.see(BUSY, BUSY, problem(503, detail="starting"), SAFE)
        self.check(0, "drain", "fe02", "--wait", out=["does not answer", "safe to take offline"])

    def test_a_signal_ends_the_wait_and_says_that_the_hold_stays(self):
        for number, exit_code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            self.see(BUSY)
            child = processes.start(
                [self.build / "sluicectl", "drain", "fe02", "--wait"], env=self.environment,
                stdout=-1, stderr=-1, text=True,
                # Whoever runs this in the background may have had SIGINT ignored.
                limits=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )  # fmt: skip
            while not child.stdout.readline().startswith(f"{FE02}: "):
                self.assertIsNone(child.poll())
            child.send_signal(number)
            _, err = child.communicate(timeout=30)
            self.assertEqual(child.returncode, exit_code, err)
            self.assertIn("interrupted", err)
            self.assertIn("The hold stays", err)

    def test_wait_for_drained_and_for_accepting(self):
        self.check(0, "wait", "fe02", out="is safe to take offline")
        self.see(BUSY, FREE)
        self.check(0, "wait", "fe02", "--for", "accepting", out=["draining", "is accepting"])
        self.see(BUSY)
        self.check(4, "wait", "fe02", "--for", "accepting", "--timeout", "1s", err="timed out")

    def test_wait_for_a_service_looks_at_it_alone(self):
        both = json.loads(json.dumps(BUSY))
        both["services"]["call-park"] = SAFE["services"]["front-end"]
        self.see(both)
        self.check(0, "wait", "fe02", "--service", "call-park", out="call-park on fe02")
        self.check(1, "wait", "fe02", "--service", "nosuch", err="it has front-end, call-park")

    def test_wait_for_a_server_that_does_not_exist(self):
        self.check(1, "wait", "fe09", err="there is no")

    def test_a_terminal_gets_one_redrawn_line(self):
        said = self.on_terminal("drain", "fe02", "--wait", columns=60)
        self.assertIn("\r\x1b[Kfe02", said)
        self.assertIn("is safe to take offline", said)
        for drawn in said.split("\r\x1b[K")[1:]:
            self.assertLess(len(drawn.split("\r\n")[0]), 60)

    def on_terminal(self, *words, columns=80, **environment):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        child = processes.start(
            [self.build / "sluicectl", *words],
            env={**self.environment, "TERM": "xterm", **environment}, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # the child closed its side
            while octets := os.read(ours, 4096):
                said += octets
        os.close(ours)
        child.wait()
        return said.decode()

    def test_colour_on_a_terminal_only_and_not_with_no_color(self):
        self.answers["GET /v1/pools"] = {"pools": [pool(FREE)]}
        self.assertIn("\x1b[32maccepting", self.on_terminal("status"))
        self.assertNotIn("\x1b", self.on_terminal("status", NO_COLOR="1"))
        self.assertNotIn("\x1b", self.run_ctl("status").stdout)

    def test_a_table_fits_the_terminal(self):
        long = server(verdict(), holds=[{**HOLD, "reason": "patch " * 30}])
        self.answers["GET /v1/pools"] = {"pools": [pool(long)]}
        rows = self.on_terminal("status", columns=100, NO_COLOR="1").splitlines()
        row = next(row for row in rows if row.startswith("fe02 "))
        self.assertLessEqual(len(row), 100)
        self.assertIn("\u2026", row)
        self.assertIn("patch " * 30, self.run_ctl("status").stdout)


class Failing(SluicectlTest):
    def test_usage_is_2(self):
        for words in (
            [], ["nosuch"], ["drain"], ["drain", ""], ["drain", "a", "b"], ["status", "--nosuch"],
            ["wait", "fe02", "--timeout", "90"], ["drain", "fe02", "--wait=soon"],
            ["drain", "fe02", "--startup", "never"], ["wait", "fe02", "--for", "godot"],
            ["--api", "http://a", "--socket", "/b", "status"], ["--api", "nosuch", "status"],
            ["--api", "http://user:secret@a", "status"], ["--socket", "/" + "x" * 120, "status"],
            ["token", "nosuch"], ["token", "agent"], ["token", "reader", "--server", "fe01"],
            ["token", "reader", "--name", "a: b"], ["drain", "fe02", "--then", "lift"],
        ):  # fmt: skip
            with self.subTest(words):
                done = self.check(2, *words)
                self.assertEqual(done.stdout, "")
        self.assertEqual(self.api.requests, [])

    def test_help_and_version_are_0(self):
        self.check(0, "--help", out=["Exit codes", "SLUICE_SOCKET", "127.0.0.1:8053"])
        self.check(0, "drain", "--help", out="--hide-host")
        self.check(0, "--version", out="sluicectl ")

    def test_nobody_there_is_5_with_what_to_do(self):
        for target in (["--api", "http://127.0.0.1:1"], ["--socket", str(self.folder / "none")]):
            done = self.check(5, *target, "status", "--json",
                              err=["no authority answers at", "is sluiced running?"])  # fmt: skip
            self.assertEqual(json.loads(done.stdout)["title"], "no authority")

    def test_not_authorised_is_5(self):
        self.answers["GET /v1/pools"] = problem(401, detail="no such token")
        self.check(5, "status", err=["not authorised: no such token", "--token-file"])
        self.answers["GET /v1/pools"] = problem(403, detail="a reader may not")
        done = self.check(5, "status", "--json", err="not allowed: a reader may not")
        self.assertEqual(json.loads(done.stdout)["status"], 403)
        self.answers["GET /v1/pools"] = Raw(b"<html>login</html>", 401)
        self.check(5, "status", err="not authorised")

    def test_a_bad_token_file_is_5_and_asks_nobody(self):
        self.check(5, "status", "--token-file", str(self.folder / "none"), err="No such file")
        for octets in (b"", b"\n\n", b"two words", b"two\nlines", b"x" * 5000, b"\xff"):
            self.token_file.write_bytes(octets)
            self.check(5, "status", err="does not hold a token")
        self.assertEqual(self.api.requests, [])

    def test_a_server_that_does_not_exist_is_1(self):
        for words in (["services"], ["drain"], ["resume"], ["ready"], ["force-up"], ["wait"]):
            self.check(1, *words, "fe09", err="there is no /v1/servers/fe09")

    def test_odd_answers_are_1_and_say_so(self):
        whole = json.dumps({"pools": [pool(BUSY)]}).encode()
        odd = [
            Raw(b"<html>hello</html>"), Raw(b""), Raw(b"{"), Raw(b"[]"), Raw(b"null"), Raw(b"7"),
            Raw(b"{}"), Raw(b'{"pools": 1}'), Raw(b'{"pools": [1]}'), Raw(b'{"pools": [{}]}'),
            Raw(b"[" * 100000), Raw(b"\xff\xfe"), Raw(b"<h1>oops</h1>", 500), Raw(b"", 204),
            Raw(b"<h1>gone</h1>", 302), Raw(whole, declared=len(whole) + 5),
            {"pools": [pool({**BUSY, "services": {"front-end": {"status": 1}}})]},
            {"pools": [pool({**BUSY, "services": {"front-end": []}})]},
            problem(500, detail="out of order"), (500, "text"), (409, {}), (418, {"rule": 1}),
        ]  # fmt: skip
        odd += [Raw(whole[:size]) for size in range(0, len(whole), 101)]
        for said in odd:
            self.answers["GET /v1/pools"] = said
            for words in (["status"], ["status", "--json"]):
                shown = said.octets[:60] if isinstance(said, Raw) else said
                with self.subTest(said=shown, words=words):
                    done = self.check(1, *words, err="sluicectl: ")
                    if "--json" in words:
                        json.loads(done.stdout)

    def test_odd_answers_to_every_command(self):
        words = {
            "POST /v1/servers/x/drain": ["drain", "x", "--wait"],
            "POST /v1/servers/x/resume": ["resume", "x"],
            "POST /v1/servers/x/force": ["unforce", "x"],
            "GET /v1/servers/x": ["wait", "x"],
            "GET /v1/servers/x/verdict": ["ready", "x"],
            "GET /v1/explain?name=x": ["explain", "x"],
        }
        for path, command in words.items():
            for said in (Raw(b"<p>"), Raw(b"{}"), Raw(b'{"generation": -1}'), Raw(b"[[]]")):
                self.answers[path] = said
                with self.subTest(path):
                    self.check(1, *command, err="sluicectl: ")

    def test_full_disks_are_noticed(self):
        self.answers["GET /v1/pools"] = {"pools": [pool(BUSY)]}
        with open("/dev/full", "w") as full:
            child = processes.start(
                [self.build / "sluicectl", "status"], env=self.environment, stdout=full, stderr=-1
            )
            err = child.communicate(timeout=30)[1]
        self.assertEqual(child.returncode, 1, err)

    def test_a_proxy_never_sees_the_token(self):
        self.answers["GET /v1/pools"] = {"pools": []}
        self.check(0, "status", http_proxy="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1")


class Sockets(SluicectlTest):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "sluice.sock"
        self.local = FakeApi(self.path)
        self.addCleanup(self.local.close)
        self.local.answers["GET /v1/pools"] = {"pools": []}

    def test_the_socket_is_asked_without_a_token(self):
        self.check(0, "status", "--socket", str(self.path), out="no pools")
        self.assertNotIn("Authorization", self.local.requests[0][2])

    def test_the_command_line_goes_before_the_environment_and_there_the_socket_first(self):
        self.api.answers["GET /v1/pools"] = {"pools": [pool(BUSY)]}
        self.check(0, "status", out="no pools", SLUICE_SOCKET=str(self.path))
        self.check(0, "--api", self.api.url, "status", out=POOL, SLUICE_SOCKET=str(self.path))

    def test_waits_work_by_socket(self):
        self.local.answers["POST /v1/servers/fe02/drain"] = DRAINED
        self.local.answers["GET /v1/servers/fe02"] = [BUSY, BUSY, SAFE]
        self.check(0, "drain", "fe02", "--wait", "--socket", str(self.path), out="is safe")


class Tokens(SluicectlTest):
    def test_a_token_and_its_line(self):
        done = self.check(0, "token", "agent", "--server", FE02)
        token, line = done.stdout.splitlines()
        digest = hashlib.sha256(token.encode()).hexdigest()
        self.assertEqual(
            line, f'- {{name: fe02, role: agent, server: {FE02}, sha256: "{digest}"}}'
        )
        again = self.check(0, "token", "agent", "--server", FE02).stdout.splitlines()[0]
        self.assertNotEqual(token, again)
        self.assertEqual(len(token), 64)
        self.assertEqual(self.api.requests, [])

    def test_json(self):
        done = self.check(0, "--json", "token", "operator", "--name", "night-shift")
        document = json.loads(done.stdout)
        self.assertEqual(document["name"], "night-shift")
        self.assertIn(document["sha256"], document["line"])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD [-v] [Class.test]")
    SluicectlTest.build = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
