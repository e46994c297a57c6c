"""sluicectl when something is wrong: exit codes, odd answers; and sockets and tokens."""

import grp
import hashlib
import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.fake_api import (
    BUSY,
    DRAINED,
    FE02,
    POOL,
    SAFE,
    FakeApi,
    Raw,
    SluicectlTest,
    main,
    pool,
    problem,
    server,
    verdict,
)


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
            "GET /v1/schedules": ["schedule", "list"],
            "DELETE /v1/schedules/7": ["schedule", "cancel", "7"],
            "GET /v1/servers/x/history": ["history", "x"],
            "GET /v1/pools/x": ["roll", "x", "--exec", "exit 0"],
            "GET /v1/backup": ["backup", str(self.folder / "copy")],
            "GET /v1/events": ["watch"],
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

    def test_who_may_not_open_the_socket_is_told_whose_it_is(self):
        os.chmod(self.path, 0o000)
        program = [str(self.build / "sluicectl"), "--socket", str(self.path), "status"]
        if os.geteuid() == 0:  # whom no mode keeps out
            drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
            program = [*drop, *program]
        done = processes.run(program, env=self.environment)
        self.assertEqual(done.returncode, 5, done.stderr)
        group = grp.getgrgid(os.stat(self.path).st_gid).gr_name
        self.assertIn(f"you may not open {self.path}; it belongs to group {group} (mode 0000)",
                      done.stderr.replace("\n", " "))  # fmt: skip
        self.assertNotIn("is sluiced running", done.stderr)

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
    main()
