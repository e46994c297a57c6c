"""sluicectl watch, history, schedule and backup on the real authority."""

import itertools
import json
import os
import pathlib
import signal
import sqlite3
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.polling import PATIENCE_SECONDS, eventually
from support.scenario import Scenario, main
from support.sluiced import server_name

FE02 = server_name(2)


class Watching(Scenario):
    def words(self, daemon, *words):
        return [self.build / "sluicectl", "--socket", daemon.folder / "sluice.sock", *words]

    def ctl(self, daemon, exit_code, *words):
        done = processes.run(self.words(daemon, *words), env={**os.environ, "TZ": "UTC0"})
        self.assertEqual(done.returncode, exit_code, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def watch(self, daemon, *words):
        """Returns once it is known to listen: an operator does something until it is shown."""
        child = processes.start(
            self.words(daemon, "watch", *words), env={**os.environ, "TZ": "UTC0"},
            stdout=-1, stderr=-1, text=True, bufsize=1,
            limits=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        os.set_blocking(child.stdout.fileno(), False)
        self.seen = []
        api, turns = daemon.api(), itertools.cycle(["up", None])

        def shown():
            api.force(server_name(3), next(turns))
            return self.read(child)

        eventually(shown, "watch shows what happens")
        return child

    def read(self, child):
        """The lines so far."""
        while line := child.stdout.readline():
            self.seen.append(line.rstrip("\n"))
        return self.seen

    def until(self, child, condition, what):
        return eventually(lambda: [line for line in self.read(child) if condition(line)], what)

    def end(self, child):
        child.send_signal(signal.SIGINT)
        child.wait(timeout=PATIENCE_SECONDS)
        err = child.stderr.read()
        child.stdout.close()
        child.stderr.close()
        self.assertEqual(child.returncode, 130, err)
        return err

    def test_what_an_operator_does_is_shown_and_kept(self):
        daemon = self.start()
        child = self.watch(daemon)
        self.ctl(daemon, 0, "drain", "fe02", "--reason", "patch the kernel")
        lines = self.until(child, lambda line: "patch the kernel" in line, "the drain")
        self.assertRegex(lines[0], rf"^\d\d:\d\d:\d\d  drain +{FE02}: patch the kernel \(by ")
        self.until(child, lambda line: "accepting -> drain" in line, "the status")
        self.ctl(daemon, 0, "resume", "fe02")
        self.until(child, lambda line: " resume " in line, "the resume")
        self.end(child)
        history = self.ctl(daemon, 0, "history", "fe02").stdout
        self.assertLess(history.index("patch the kernel"), history.index("resume"))
        newest = self.ctl(daemon, 0, "--json", "history", "fe02", "--limit", "1").stdout
        self.assertEqual(len(json.loads(newest)["events"]), 1)
        self.ctl(daemon, 1, "history", "fe09")

    def test_json_is_the_event_as_the_api_has_it(self):
        daemon = self.start()
        child = self.watch(daemon, "--json")
        self.ctl(daemon, 3, "drain", "fe02", "--service", "registrar")
        found = self.until(child, lambda line: json.loads(line)["type"] == "refusal", "a refusal")
        event = json.loads(found[0])
        self.assertEqual((event["server"], event["rule"]), (FE02, "consolidated"))
        self.end(child)

    def test_a_restart_of_the_authority_is_bridged_and_told(self):
        daemon = self.start()
        child = self.watch(daemon)
        daemon.restart()
        daemon.agents_push()
        self.until(child, lambda line: " reset " in line, "another run has other events")
        self.ctl(daemon, 0, "drain", "fe02", "--reason", "after it")
        self.until(child, lambda line: "after it" in line, "what happens then")
        err = self.end(child)
        for words in ("connection lost", "connected again", "there may be a gap"):
            self.assertIn(words, err)

    def test_a_plan_is_listed_cancelled_and_in_the_history(self):
        daemon = self.start()
        said = self.ctl(daemon, 0, "drain", "fe02", "--at", "+2h", "--reason", "tonight").stdout
        self.assertIn("leaves the answers", said)
        plan = json.loads(self.ctl(daemon, 0, "--json", "schedule", "list").stdout)["schedules"][0]
        self.assertIn(f"(schedule {plan['id']})", said)
        self.assertIn("tonight", self.ctl(daemon, 0, "schedule", "list").stdout)
        self.assertIn("(schedule ", self.ctl(daemon, 0, "status").stdout)
        self.assertIn("(schedule ", self.ctl(daemon, 0, "services", "fe02").stdout)
        self.ctl(daemon, 0, "schedule", "cancel", plan["id"])
        self.ctl(daemon, 1, "schedule", "cancel", plan["id"])
        self.assertIn("nothing is planned", self.ctl(daemon, 0, "schedule", "list").stdout)
        self.assertIn("cancel", self.ctl(daemon, 0, "history", "fe02").stdout)
        self.ctl(daemon, 2, "drain", "fe02", "--at", "2001-01-01T00:00:00Z")

    def test_a_hold_that_ends_by_itself(self):
        daemon = self.start()
        said = self.ctl(daemon, 0, "drain", "fe02", "--expires", "2h", "--then", "alarm").stdout
        self.assertIn(", then an alarm", said)
        self.assertIn(", then an alarm]", self.ctl(daemon, 0, "status").stdout)
        listed = json.loads(self.ctl(daemon, 0, "--json", "schedule", "list").stdout)["schedules"]
        self.assertEqual([each["kind"] for each in listed], ["expiry"])
        self.ctl(daemon, 0, "schedule", "cancel", listed[0]["id"])
        self.assertNotIn("alarm", self.ctl(daemon, 0, "status").stdout)
        self.assertIn("server by ", self.ctl(daemon, 0, "status").stdout)

    def test_a_backup_is_a_store(self):
        daemon = self.start()
        self.ctl(daemon, 0, "drain", "fe02", "--reason", "patch")
        copy = self.folder / "copy.db"
        self.ctl(daemon, 0, "backup", copy)
        database = sqlite3.connect(copy)
        self.addCleanup(database.close)
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        self.assertIn("holds", tables)
        self.ctl(daemon, 1, "backup", copy)
        self.ctl(daemon, 0, "backup", copy, "--force")


if __name__ == "__main__":
    main()
