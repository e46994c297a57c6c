"""sluicectl watch and backup: what comes as it comes; the API says what the test wants."""

import json
import os
import pathlib
import pty
import signal
import sqlite3
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.fake_api import FE02, Live, Raw, SluicectlTest, main, problem
from support.polling import PATIENCE_SECONDS, eventually


def event(number, text="patch", **members):
    document = {
        "id": f"run-{number}", "at": "2001-11-20T10:00:00Z", "type": "drain", "server": FE02,
        "service": None, "by": "operations", "origin": "10.0.0.7", "text": text,
        "generation": number, **members,
    }  # fmt: skip
    return f"id: run-{number}\nevent: drain\ndata: {json.dumps(document)}\n\n".encode()


class Watching(SluicectlTest):
    def setUp(self):
        super().setUp()
        self.released = threading.Event()
        self.addCleanup(self.released.set)

    def staying(self, *pieces):
        """These, and then silence: the connection stays until the test's end."""
        yield from pieces
        self.released.wait(PATIENCE_SECONDS)

    def see(self, *answers):
        """One for each connection: a stream's pieces, or what is no stream."""
        whole = (Raw, tuple)
        self.answers["GET /v1/events"] = [
            each if isinstance(each, whole) else Live(each) for each in answers
        ]

    def last_ids(self):
        return [request[2].get("Last-Event-ID") for request in self.api.requests]

    def end(self, child, number=signal.SIGINT):
        child.send_signal(number)
        out, err = child.communicate(timeout=PATIENCE_SECONDS)
        return child.returncode, out, err

    def test_a_line_an_event_until_ctrl_c(self):
        self.see(self.staying(b": hello\n\n", event(1), event(2, "second")))
        child = self.start_ctl("watch")
        lines = [child.stdout.readline(), child.stdout.readline()]
        self.assertEqual(lines, [
            f"2001-11-20 10:00:00  drain           {FE02}: {text} (by operations from 10.0.0.7)\n"
            for text in ("patch", "second")
        ])  # fmt: skip
        self.assertEqual(self.end(child), (130, "", ""))
        self.assertEqual(self.api.requests[0][2]["Accept"].split(",")[0], "text/event-stream")

    def test_sigterm_is_143(self):
        self.see(self.staying(event(1)))
        child = self.start_ctl("watch")
        child.stdout.readline()
        self.assertEqual(self.end(child, signal.SIGTERM)[0], 143)

    def test_json_is_an_object_a_line(self):
        self.see(self.staying(b'data: {"type": "drain",\ndata: "x": "\xc3\xa9"}\n\n'))
        child = self.start_ctl("--json", "watch")
        self.assertEqual(child.stdout.readline(), '{"type":"drain","x":"é"}\n')
        self.assertEqual(self.end(child)[0], 130)

    def test_a_lost_connection_goes_on_where_it_was(self):
        self.see([event(1)], problem(503, detail="starting"), self.staying(event(2)))
        child = self.start_ctl("watch")
        self.assertIn("patch", child.stdout.readline())
        self.assertIn("patch", child.stdout.readline())
        code, _, err = self.end(child)
        self.assertEqual(code, 130)
        self.assertEqual(self.last_ids(), [None, "run-1", "run-1"])
        self.assertEqual(err.count("connection lost"), 1, err)
        self.assertIn("sluicectl: connected again\n", err)

    def test_half_an_event_of_a_lost_connection_is_not_shown(self):
        self.see([event(1), event(2)[:-10]], self.staying(event(2, "whole")))
        child = self.start_ctl("watch")
        child.stdout.readline()
        self.assertIn("whole", child.stdout.readline())
        self.assertEqual(self.last_ids(), [None, "run-1"])
        self.end(child)

    def test_without_an_id_a_gap_is_said(self):
        self.see([b":\n\n"], self.staying(event(9)))
        child = self.start_ctl("watch")
        child.stdout.readline()
        self.assertIn("what happened meanwhile is not shown", self.end(child)[2])

    def test_a_reset_is_said_plainly(self):
        reset = b'id: run-4\nevent: reset\ndata: {"type":"reset","text":"too old"}\n\n'
        self.see([event(1)], self.staying(reset, event(5)))
        child = self.start_ctl("watch")
        lines = [child.stdout.readline() for _ in range(3)]
        self.assertIn("reset           too old", lines[1])
        self.assertIn("there may be a gap", self.end(child)[2])

    def test_an_authority_that_was_never_there_is_not_waited_for(self):
        self.check(5, "--api", "http://127.0.0.1:1", "watch", err="no authority answers at")
        self.answers["GET /v1/events"] = problem(401, detail="no such token")
        self.check(5, "watch", err="not authorised")
        self.answers["GET /v1/events"] = Raw(b"<html>", kind="text/html")
        self.check(1, "watch", err="is not of type text/event-stream")

    def test_an_odd_stream_ends_it(self):
        for odd in (b"data: no json\n\n", b"data: {}\n\n", b"data: " + b"x" * 2_000_000):
            self.see([odd])
            self.check(1, "watch", err="the event stream is odd")

    def test_colour_on_a_terminal_only(self):
        self.see(self.staying(event(1, type="alarm")))
        ours, theirs = pty.openpty()
        child = processes.start(
            [self.build / "sluicectl", "watch"], env={**self.environment, "TERM": "xterm"},
            stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        said = b""
        while b"\n" not in said:
            said += os.read(ours, 4096)
        child.terminate()
        child.wait()
        os.close(ours)
        self.assertIn(b"\x1b[33malarm\x1b[0m", said)

    def test_a_full_disk_ends_it(self):
        self.see([event(number) for number in range(5)])
        with open("/dev/full", "w") as full:
            child = self.start_ctl("watch", stdout=full)
            _, err = child.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(child.returncode, 1)
        self.assertIn("stdout cannot be written", err)


class BackingUp(SluicectlTest):
    KIND = "application/vnd.sqlite3"

    def setUp(self):
        super().setUp()
        self.places = self.folder / "places"
        self.places.mkdir()
        self.copy = self.places / "copy.db"
        source = self.folder / "source.db"
        database = sqlite3.connect(source)
        with database:
            database.execute("CREATE TABLE holds (server TEXT)")
            database.executemany(
                "INSERT INTO holds VALUES (?)", [(f"server {n} " * 20,) for n in range(3000)]
            )
        database.close()
        self.octets = source.read_bytes()
        self.answers["GET /v1/backup"] = Raw(self.octets, kind=self.KIND)

    def names(self):
        return sorted(path.name for path in self.places.iterdir())

    def test_the_copy_is_there_whole_and_for_its_owner_alone(self):
        self.check(0, "backup", str(self.copy), out=f"copied {len(self.octets)} octets to ")
        self.assertEqual(self.copy.read_bytes(), self.octets)
        self.assertEqual(self.copy.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.names(), ["copy.db"])
        rows = sqlite3.connect(self.copy).execute("SELECT count(*) FROM holds").fetchone()
        self.assertEqual(rows, (3000,))

    def test_what_exists_stays_unless_forced(self):
        self.copy.write_text("precious")
        self.check(1, "backup", str(self.copy), err="exists; --force takes its place")
        self.assertEqual(self.api.requests, [])
        self.assertEqual(self.copy.read_text(), "precious")
        self.check(0, "backup", str(self.copy), "--force")
        self.assertEqual(self.copy.read_bytes(), self.octets)
        self.check(1, "backup", "/dev/null", "--force", err="is no regular file")

    def test_stdout_gets_the_octets_alone(self):
        with open(self.copy, "wb") as file:
            child = self.start_ctl("backup", "-", stdout=file)
            _, err = child.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual((child.returncode, err), (0, f"copied {len(self.octets)} octets\n"))
        self.assertEqual(self.copy.read_bytes(), self.octets)

    def test_a_terminal_gets_no_octets(self):
        ours, theirs = pty.openpty()
        child = self.start_ctl("backup", "-", stdout=theirs)
        _, err = child.communicate(timeout=PATIENCE_SECONDS)
        os.close(theirs)
        os.close(ours)
        self.assertEqual(child.returncode, 1)
        self.assertIn("no text for a terminal", err)

    def test_half_of_a_copy_is_none(self):
        whole = self.octets
        halves = [
            Raw(whole[:-4096], kind=self.KIND, declared=len(whole)),
            Raw(whole[:-4096], kind=self.KIND), Raw(whole + b"x", kind=self.KIND),
            Raw(b"", kind=self.KIND), Raw(b"x" * 5000, kind=self.KIND),
            Raw(whole[:50], kind=self.KIND), Live(iter([whole[:5000]]), self.KIND), Raw(whole, kind="text/html"),
        ]  # fmt: skip
        for half in halves:
            self.answers["GET /v1/backup"] = half
            done = self.run_ctl("backup", str(self.copy), "--json")
            self.assertIn(done.returncode, (1, 5), done.stderr)
            self.assertIn("sluicectl: ", done.stderr)
            json.loads(done.stdout)
            self.assertEqual(self.names(), [])

    def test_a_copy_may_be_larger_than_a_document(self):
        # An honest header of 70 MiB, and pages of nothing.
        pages = 70 << 8
        header = self.octets[:28] + pages.to_bytes(4, "big") + self.octets[32:4096]
        pieces = [header, *[bytes(1 << 20)] * 69, bytes((1 << 20) - 4096)]
        self.answers["GET /v1/backup"] = Live(iter(pieces), self.KIND)
        self.check(0, "backup", str(self.copy), out=f"copied {70 << 20} octets")
        self.assertEqual(self.copy.stat().st_size, 70 << 20)

    def test_the_authoritys_refusal_is_said(self):
        self.answers["GET /v1/backup"] = problem(507, detail="the disk is full")
        self.check(1, "backup", str(self.copy), err="the disk is full")
        self.answers["GET /v1/backup"] = problem(403, detail="a reader may not")
        self.check(5, "backup", str(self.copy), err="a reader may not")
        self.check(1, "backup", str(self.places / "none" / "copy"), err="cannot be written")
        self.assertEqual(self.names(), [])

    def test_a_signal_leaves_nothing_behind(self):
        released = threading.Event()
        self.addCleanup(released.set)

        def slowly():
            yield self.octets[:5000]
            released.wait(PATIENCE_SECONDS)

        self.answers["GET /v1/backup"] = Live(slowly(), self.KIND)
        child = self.start_ctl("backup", str(self.copy))
        eventually(
            lambda: any(path.stat().st_size for path in self.places.iterdir()), "half is there"
        )
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(child.returncode, 130)
        self.assertIn("nothing was written", err)
        self.assertEqual(self.names(), [])

    def test_json_says_where_and_how_much(self):
        done = self.check(0, "backup", str(self.copy), "--json")
        said = {"file": str(self.copy), "octets": len(self.octets)}
        self.assertEqual(json.loads(done.stdout), said)


if __name__ == "__main__":
    main()
