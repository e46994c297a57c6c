"""TAB, in real shells: bash with and without the package bash-completion, and zsh."""

import os
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes, shells
from support.polling import eventually
from support.ports import free_port
from support.scenario import Scenario, main
from support.sluiced import POOL, READER


class Completion:
    """What each shell must do alike; below are the shells."""

    def setUp(self):
        super().setUp()
        self.daemon = self.start()
        self.home = self.folder / "home"
        self.home.mkdir()
        self.socket = self.daemon.folder / "sluice.sock"
        self.shell = None

    def open(self, **environment):
        if self.shell:
            self.shell.end()
        self.shell = self.new_shell({"SLUICE_SOCKET": str(self.socket), **environment})
        self.addCleanup(self.close)

    def line(self, typed, expected):
        """What a TAB makes of it. On a busy machine a program may run out of patience: who presses
        TAB again gets it."""
        eventually(lambda: self.shell.line(typed) == expected, f"{typed!r} becomes {expected!r}")

    def close(self):
        if self.shell:
            self.shell.end()
        self.shell = None

    def test_commands_options_values_and_names(self):
        self.open()
        line = self.line
        # Commands and options, of each program.
        line("sluicectl dra", "sluicectl drain ")
        line("sluicectl --js", "sluicectl --json ")
        line("sluicectl drain --hid", "sluicectl drain --hide-host ")
        line("sluicectl schedule can", "sluicectl schedule cancel ")
        line("sluiced --ch", "sluiced --check ")
        line("sluice-agent pau", "sluice-agent pause ")
        # Values that are declared.
        line("sluicectl token oper", "sluicectl token operator ")
        line("sluicectl drain fe02 --startup man", "sluicectl drain fe02 --startup manual ")
        line("sluicectl drain fe02 --startup=man", "sluicectl drain fe02 --startup=manual ")
        line(
            "sluicectl drain fe02 --expires 1h --then al",
            "sluicectl drain fe02 --expires 1h --then alarm ",
        )
        line("sluice-agent pause --startup au", "sluice-agent pause --startup automatic ")
        # Names that the authority knows.
        line("sluicectl drain fe0", "sluicectl drain fe0")
        eventually(
            lambda: {"fe01", "fe02", "fe03"} <= self.shell.listed("sluicectl drain fe0"), "a list"
        )
        line("sluicectl ready fe03.", f"sluicectl ready fe03.{POOL} ")
        line("sluicectl status poo", "sluicectl status pool01 ")
        line("sluicectl drain fe02 --service fr", "sluicectl drain fe02 --service front-end ")
        line("sluicectl drain --service=call", "sluicectl drain --service=call-park ")
        line("sluicectl explain _sip", f"sluicectl explain _sip._tcp.{POOL} ")
        # In the middle of a line.
        line("sluicectl --json history fe01.", f"sluicectl --json history fe01.{POOL} ")

    def test_the_authority_is_the_one_that_the_line_names(self):
        self.open(SLUICE_SOCKET=str(self.folder / "nobody"))
        line = self.line
        line("sluicectl ready fe03.", "sluicectl ready fe03.")
        typed = f"sluicectl --socket {self.socket} ready fe03."
        line(typed, f"{typed}{POOL} ")
        token = self.home / "token"
        token.write_text(READER + "\n")
        url = f"http://127.0.0.1:{self.daemon.api_port}"
        typed = f"sluicectl --api {url} --token-file {token} ready fe03."
        line(typed, f"{typed}{POOL} ")
        self.open(SLUICE_SOCKET="", SLUICE_API=url, SLUICE_TOKEN_FILE=str(token))
        line("sluicectl ready fe03.", f"sluicectl ready fe03.{POOL} ")

    def test_nothing_that_goes_wrong_is_shown_and_nobody_waits(self):
        # It accepts, and never answers.
        silent = free_port()
        listener = processes.start(
            [sys.executable, "-c",
             "import socket, time\n"
             f"listener = socket.create_server(('127.0.0.1', {silent}))\ntime.sleep(3600)"]
        )  # fmt: skip
        self.addCleanup(listener.wait)
        self.addCleanup(listener.kill)
        self.open()
        for connection in (
            "--socket /nowhere/socket",
            f"--api http://127.0.0.1:{free_port()}",
            f"--api http://127.0.0.1:{silent} --token-file /etc/hostname",
            "--api nonsense",
            "--token-file /nowhere/token",
        ):
            typed = f"sluicectl {connection} drain fe0"
            if "--token-file /nowhere" in typed:
                url = f"http://127.0.0.1:{self.daemon.api_port}"
                typed = typed.replace("--token", f"--api {url} --token")
            began = time.monotonic()
            line, shown = self.shell.completed(typed)
            self.assertEqual(line, typed)
            # The echo of what was typed, and nothing else.
            self.assertNotRegex(shown, r"(?i)error|cannot|usage|fe0.*fe0[1-3]")
            self.assertLess(time.monotonic() - began, 15, connection)

    def test_files_stand_where_files_are_expected(self):
        folder = self.home / "files"
        folder.mkdir()
        (folder / "authority one.yaml").write_text("")
        (folder / "token-of-mine").write_text("")
        self.open()
        line = self.line
        line(
            f"sluiced --check --config {folder}/auth",
            rf"sluiced --check --config {folder}/authority\ one.yaml ",
        )
        line(
            f"sluicectl --token-file={folder}/tok",
            f"sluicectl --token-file={folder}/token-of-mine ",
        )
        line(f"sluicectl backup {self.home}/fil", f"sluicectl backup {folder}/")
        line("sluicectl backup ~/fil", "sluicectl backup ~/files/")

    def test_the_agent_completes_its_services(self):
        config = self.folder / "agent.yaml"
        config.write_text(
            "authorities: [\"http://127.0.0.1:1\"]\ntoken_file: token\nserver: a.b\n"
            "services: {front-end: {checks: [{tcp: \"127.0.0.1@1\"}]}, "
            "call-park: {checks: [{tcp: \"127.0.0.1@1\"}]}}\n"
        )
        self.open()
        typed = f"sluice-agent pause --config {config} fro"
        self.line(typed, typed.replace("fro", "front-end "))


class BashAlone(Completion, Scenario):
    def new_shell(self, environment):
        return shells.Bash(self.home, self.build, False, environment)


class BashWithItsPackage(Completion, Scenario):
    def new_shell(self, environment):
        return shells.Bash(self.home, self.build, True, environment)


class Zsh(Completion, Scenario):
    def new_shell(self, environment):
        return shells.Zsh(self.home, self.build, environment)


if __name__ == "__main__":
    os.environ.pop("SLUICE_API", None)
    main()
