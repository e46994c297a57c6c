"""sluicectl waits: progress, ends, signals, terminals; the API says what the test wants."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import signal
import struct
import sys
import termios

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.fake_api import (
    BUSY,
    DRAINED,
    FE02,
    FREE,
    HOLD,
    SAFE,
    SluicectlTest,
    main,
    pool,
    problem,
    server,
    sessions,
    verdict,
)


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
            child = self.start_ctl("drain", "fe02", "--wait")
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
        self.check(1, "wait", "fe02", "--service", "nosuch", err="it runs front-end, call-park")

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


if __name__ == "__main__":
    main()
