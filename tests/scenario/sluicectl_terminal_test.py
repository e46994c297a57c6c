"""What sluicectl shows on a terminal: pictures that are drawn over, tables that fit."""

import json
import os
import pathlib
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, server_name
from support.terminal import Terminal


class OnATerminal(Scenario):
    def terminal(self, daemon, width=80, height=24, **environment):
        path = f"{self.build}:{os.environ['PATH']}"
        socket = str(daemon.folder / "sluice.sock")
        environment = {"PATH": path, "SLUICE_SOCKET": socket, "NO_COLOR": "1", **environment}
        terminal = Terminal(width, height, environment)
        self.addCleanup(terminal.close)
        return terminal

    def shown(self, terminal, *texts, absent=()):
        def found():
            text = terminal.text()
            for each in texts:
                self.assertIn(each, text)
            for each in absent:
                self.assertNotIn(each, text)
            return True

        eventually(found, f"the terminal shows {texts} and not {absent}")

    def test_a_status_that_is_watched_is_drawn_over_in_place(self):
        daemon = self.start()
        terminal = self.terminal(daemon, height=16)
        terminal.run("echo", "what was before")
        terminal.run("sluicectl", "status", "--watch=0.2")
        # 18 rows, a head of three lines, and a line less for the note.
        self.shown(terminal, "3 of 3 accepting", "fe01    front-end", "6 more lines are not shown")
        self.assertTrue(terminal.is_alternate())
        self.assertFalse(terminal.shows_cursor())
        self.assertNotIn("what was before", terminal.text())
        self.assertEqual(len([line for line in terminal.lines() if line]), 16)
        self.assertTrue(all(len(line) <= 80 for line in terminal.lines()))
        daemon.api().drain(server_name(1), reason="patch")
        self.shown(terminal, "2 of 3 accepting", "operations: ")
        terminal.resize(200, 50)
        self.shown(terminal, server_name(3), "connections=0", "STARTUP", absent=["not shown"])
        self.assertEqual(terminal.text().count("SERVER"), 1)
        terminal.resize(80, 24)
        self.shown(terminal, "fe03    call-park", absent=[server_name(3), "not shown"])

        self.assertEqual(daemon.stop(), 0)
        self.shown(terminal, "no answer for ", "fe03    call-park")
        daemon.start()
        daemon.agents_push()
        self.shown(terminal, "2 of 3 accepting", absent=["no answer"])

        # One that hangs takes connections and says nothing.
        daemon.process.send_signal(signal.SIGSTOP)
        self.shown(terminal, "no answer for ", "fe03    call-park")
        daemon.process.send_signal(signal.SIGCONT)
        daemon.agents_push()
        self.shown(terminal, "2 of 3 accepting", absent=["no answer"])

        terminal.press("C-c")
        self.shown(terminal, "what was before", absent=["accepting"])
        self.assertFalse(terminal.is_alternate())
        self.assertTrue(terminal.shows_cursor())
        terminal.type("echo status $?")
        terminal.press("Enter")
        self.shown(terminal, "status 130")

    def test_a_wait_shows_sessions_and_caches_however_narrow_it_is(self):
        daemon = self.start(ttl="60s")
        daemon.agent(1).say(sessions={"connections": 7})  # of each of six services
        terminal = self.terminal(daemon)
        terminal.run("sluicectl", "drain", "fe01", "--wait")
        self.shown(terminal, "fe01: 42 connections left; caches clear in ")
        terminal.press("C-c")
        self.shown(terminal, "interrupted", "`sluicectl resume fe01` lifts it")
        self.assertNotIn("42 connections left", terminal.text())

    def test_however_it_ends_the_terminal_is_as_it_was(self):
        daemon = self.start()
        terminal = self.terminal(daemon)
        pid_file = self.folder / "pid"
        for sent, status in ((signal.SIGTERM, 143), (signal.SIGQUIT, 131)):
            terminal.type(
                f"(ulimit -c 0; echo $BASHPID > {pid_file}; exec sluicectl status --watch=0.2);"
                " echo status $?"
            )
            terminal.press("Enter")
            self.shown(terminal, "3 of 3 accepting")
            os.kill(int(pid_file.read_text(encoding="ascii")), sent)
            self.shown(terminal, f"status {status}", absent=["accepting"])
            self.assertTrue(terminal.shows_cursor())
            self.assertFalse(terminal.is_alternate())
        # Stopped, the terminal is the shell's; going on, it is the picture's.
        terminal.run("sluicectl", "status", "--watch=0.2")
        self.shown(terminal, "3 of 3 accepting")
        terminal.press("C-z")
        self.shown(terminal, "Stopped", absent=["accepting"])
        self.assertTrue(terminal.shows_cursor())
        terminal.run("fg")
        self.shown(terminal, "3 of 3 accepting", absent=["Stopped"])
        self.assertFalse(terminal.shows_cursor())
        terminal.press("C-c")
        self.shown(terminal, "Stopped", absent=["accepting"])

    def test_what_is_no_terminal_gets_documents_one_after_another(self):
        daemon = self.start()
        command = [self.build / "sluicectl", "--socket", daemon.folder / "sluice.sock", "status"]

        def first_lines(*more):
            watching = subprocess.Popen(
                [*command, "--watch=0.1", *more], stdout=subprocess.PIPE, text=True
            )
            with watching, watching.stdout:
                for line in watching.stdout:
                    if (yield line):
                        break
                watching.terminate()

        lines = first_lines("--json")
        documents = [json.loads(next(lines)) for _ in range(3)]
        lines.close()
        self.assertEqual([each["pools"][0]["pool"] for each in documents], [POOL] * 3)
        text, lines = [], first_lines()
        while text.count(text[1] if len(text) > 1 else None) < 3:
            text.append(next(lines))
        lines.close()
        self.assertIn("3 of 3 accepting", text[1])
        self.assertNotIn("\x1b", "".join(text))

    def test_tables_fit_and_have_colours_where_they_may(self):
        daemon = self.start()
        daemon.api().drain(server_name(2), reason="a reason that is longer than a row has room for")
        terminal = self.terminal(daemon, height=60)
        for words in (["status"], ["services", "fe02"], ["explain", POOL], ["verify", "--no-ns"],
                      ["dig", f"_sip._tcp.{POOL}"], ["ready", "fe02"], ["history", "fe02"],
                      ["schedule", "list"], ["roll", "pool01", "--dry-run"]):  # fmt: skip
            terminal.type("clear; " + " ".join(["sluicectl", *words]) + " | cat >/dev/null; clear;")
            terminal.type(" ".join([" sluicectl", *words]) + "; echo end")
            terminal.press("Enter")
            self.shown(terminal, "\nend")
            joined = terminal.tmux("capture-pane", "-p", "-J").split("\n")
            self.assertEqual([line for line in joined if len(line.rstrip()) > 80], [], words)
            self.assertNotIn("\x1b", terminal.coloured(), "NO_COLOR")
        coloured = self.terminal(daemon, NO_COLOR="")
        coloured.type("clear; sluicectl explain pool01.contoso.example; echo end")
        coloured.press("Enter")
        self.shown(coloured, "\nend")
        self.assertIn("\x1b[31mno", coloured.coloured())


if __name__ == "__main__":
    main()
