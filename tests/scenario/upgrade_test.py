"""A new process takes the place of the running one: no query is lost, no connection cut, no promise
broken, and whatever goes wrong on the way leaves the old one answering (README.md, "Life of an
upgrade").

    upgrade_test.py BUILD                                    the short form, for every run of tests
    upgrade_test.py BUILD --queries 1000000 --takeovers 20   the long form: under load, and no more
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, ports, processes
from support.events import Watcher
from support.host import Host
from support.metrics import metric
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, Sluiced, configuration, server_name, v4
from support.supervisor import Supervisor

# What stands at the program's path instead of a new version: speaks the protocol as far as it is
# told to. CBOR of {"type": WORD}, and what comes is told by the word in it.
FAKE = """\
#!{python}
import os, socket, sys, time
channel = socket.socket(fileno=int(os.environ["SLUICE_HANDOVER"]))
channel.setblocking(True)
def say(word):
    channel.send(b"\\xa1\\x64type" + bytes([0x60 + len(word)]) + word.encode())
def hear(word):
    while True:
        octets = socket.recv_fds(channel, 1 << 18, 253)[0]
        if not octets:
            sys.exit(9)
        if word.encode() in octets:
            return
{steps}
"""


class Upgrades(Scenario):
    def start_own(self, config=None, **launch):
        """A sluiced of which the program may be replaced."""
        folder = self.folder / "authority"
        folder.mkdir()
        programs = self.folder / "programs"
        programs.mkdir()
        shutil.copy(self.build / "sluiced", programs / "sluiced")
        daemon = Sluiced(programs, folder, config or configuration(), start=False)
        self.daemons.append(daemon)
        daemon.start(**launch)
        daemon.agents_push()
        return daemon

    def replace_program(self, daemon, text):
        """As a package manager does it: another file takes the name."""
        fresh = daemon.build / "fresh"
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.rename(daemon.build / "sluiced")

    def replace_by_fake(self, daemon, *steps):
        self.replace_program(daemon, FAKE.format(python=sys.executable, steps="\n".join(steps)))

    def restore_program(self, daemon):
        fresh = daemon.build / "fresh"
        shutil.copy(self.build / "sluiced", fresh)
        fresh.rename(daemon.build / "sluiced")

    def watch(self, daemon, last_event_id=None):
        watcher = Watcher(self.folder, daemon.api_port, OPERATOR, last_event_id)
        self.addCleanup(watcher.end)
        return watcher

    def start_ctl(self, daemon, *words):
        child = processes.start(
            [self.build / "sluicectl", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "SLUICE_SOCKET": str(daemon.folder / "sluice.sock")},
        )  # fmt: skip
        self.addCleanup(child.stdout.close)
        return child

    def ask_for_upgrade(self, daemon):
        daemon.process.send_signal(signal.SIGUSR2)

    def await_log(self, daemon, pattern, times=1):
        return eventually(
            lambda: len(found := re.findall(pattern, daemon.log())) >= times and found,
            f"{pattern!r} in the log:\n{daemon.log()[-3000:]}",
        )

    def assert_stays(self, daemon, why, times=1):
        """The old process answers and takes orders as before, and said why."""
        self.await_log(daemon, rf"did not take over, this one goes on: [^\n]*{why}", times)
        self.assertIsNone(daemon.process.poll())
        self.assertTrue(dns.ask(daemon.dns_port, POOL, "A").answer)
        api = daemon.api()
        before = api.drain(server_name(3))["generation"]
        self.assert_members(daemon, [1, 2])
        api.resume(server_name(3))
        self.assert_members(daemon, [1, 2, 3])
        self.assertGreater(api.drain(server_name(2))["generation"], before)
        api.resume(server_name(2))


def is_dead(pid):
    """Gone, or a zombie that nobody has asked for."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


# By UDP; by connections that stay, that read slowly, that are made for one query.
KINDS = ("udp", "tcp", "slow", "fresh")


class Flood:
    """upgrade_flood, which runs until it is told to stop."""

    def __init__(self, build, daemon, rate, expected):
        self.process = subprocess.Popen(
            [build / "upgrade_flood", str(daemon.dns_port), str(rate), POOL, expected],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout.readline() == "asking\n"

    def end(self):
        out, _ = self.process.communicate(timeout=120)
        return json.loads(out)


def totals(counts):
    kinds = [counts[kind] for kind in KINDS]
    return {key: sum(kind[key] for kind in kinds) for key in kinds[0] if key != "longest_gap_ms"}


class UnderLoad(Upgrades):
    def assert_nothing_lost(self, counts):
        for kind in KINDS:
            for fault in ("lost", "wrong", "refused", "cut"):
                self.assertEqual(counts[kind][fault], 0, f"{kind} {fault}: {counts}")
            self.assertGreater(counts[kind]["answered"], 0, f"else nothing was tested: {kind}")
            self.assertEqual(counts[kind]["answered"], counts[kind]["asked"], kind)

    def test_no_query_is_lost_and_drains_hold(self):
        daemon = self.start()
        flood = Flood(self.build, daemon, rate=4000, expected="2-3")
        for number in (1, 2, 3):
            daemon.api().drain(server_name(number))
            daemon.upgrade()
            self.assert_members(daemon, [n for n in (1, 2, 3) if n != number])
            daemon.api().resume(server_name(number))
        counts = flood.end()
        print(counts)
        self.assert_nothing_lost(counts)

    def test_no_query_is_lost_to_workers_that_are_more_or_fewer(self):
        config = configuration()
        config["dns"]["workers"] = 1
        daemon = self.start(config)
        daemon.keep_ports()
        flood = Flood(self.build, daemon, rate=4000, expected="3")
        for workers in (4, 2, 3):
            daemon.config["dns"]["workers"] = workers
            daemon.write_config()
            daemon.upgrade()
        self.assert_nothing_lost(flood.end())

    def test_one_that_fails_takes_no_query_along(self):
        """It has opened its sockets by then, for more workers than there were."""
        config = configuration()
        config["dns"]["workers"] = 1
        daemon = self.start(config)
        daemon.keep_ports()
        (daemon.folder / "file").write_text("")
        daemon.config["dns"]["workers"] = 4
        daemon.config["store"]["directory"] = "file"
        daemon.write_config()
        flood = Flood(self.build, daemon, rate=4000, expected="3")
        for times in (1, 2, 3):
            os.kill(daemon.process.pid, signal.SIGUSR2)
            said = "did not take over, this one goes on"
            eventually(lambda n=times: daemon.log().count(said) >= n, daemon.log)
        self.assert_nothing_lost(flood.end())

    def test_the_promise_of_an_acknowledgement_holds_across_take_overs(self):
        daemon = self.start(configuration(servers=5))
        flood = processes.start(
            [
                self.build / "ack_flood", daemon.dns_port, daemon.api_port, OPERATOR, 300, POOL,
                f"call-park.{POOL}", *[f"{server_name(n)}={v4(n)}" for n in range(1, 6)],
            ],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        takeovers = 0
        while flood.poll() is None and takeovers < 6:
            daemon.upgrade()
            takeovers += 1
        self.assertEqual(flood.wait(timeout=240), 0, daemon.log()[-2000:])
        counts = json.loads(flood.stdout.read())
        print(takeovers, counts)
        self.assertGreater(takeovers, 1)
        for transport in ("udp", "tcp"):
            self.assertGreater(counts[transport]["judged"], 0, transport)
            self.assertEqual(counts[transport]["broken"], 0, transport)
            self.assertEqual(counts[transport]["short"], 0, transport)


class TakeOver(Upgrades):
    def test_sockets_generation_and_orders_go_on(self):
        daemon = self.start()
        first = daemon.process.pid
        ports = daemon.dns_port, daemon.api_port
        socket_file = os.stat(daemon.folder / "sluice.sock").st_ino
        held = daemon.api().drain(server_name(1))
        daemon.upgrade()
        self.assertNotEqual(daemon.process.pid, first)
        for kind, port in zip(("dns", "api"), ports):
            listening = re.findall(rf"\b{kind} listening on \S+@(\d+)", daemon.log())
            self.assertEqual(set(listening), {str(port)}, kind)
        self.assertEqual(os.stat(daemon.folder / "sluice.sock").st_ino, socket_file)
        self.assertEqual(daemon.local_api().get(f"/v1/servers/{server_name(1)}")["weight"], 100)
        self.assert_members(daemon, [2, 3])
        after = daemon.api().resume(server_name(1))
        self.assertGreater(after["generation"], held["generation"])
        daemon.upgrade()  # once more, by a process that was itself started that way
        self.assert_members(daemon, [1, 2, 3])
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse((daemon.folder / "sluice.sock").exists())

    def test_nothing_else_is_inherited(self):
        daemon = self.start(agents=False)
        before = self.open_files(daemon)
        daemon.upgrade()
        eventually(
            lambda: self.assertEqual(self.open_files(daemon), before) or True,
            "the same descriptors are open",
        )

    @staticmethod
    def open_files(daemon):
        """All but files of the store, which come and go: sockets as they are, others by their kind."""
        kinds = []
        for each in pathlib.Path(f"/proc/{daemon.process.pid}/fd").iterdir():
            try:
                target = os.readlink(each)
            except FileNotFoundError:
                continue
            if "/state" not in target:
                kinds.append(re.sub(r"pipe:.*", "pipe", re.sub(r"^/proc/\d+/", "/proc/self/", target)))
        return sorted(kinds)

    def test_another_number_of_workers_and_another_address(self):
        for workers in (4, 1, 3):
            with self.subTest(workers=workers):
                if not self.daemons:
                    daemon = self.start()
                    daemon.keep_ports()
                port = daemon.dns_port
                daemon.config["dns"]["workers"] = workers
                daemon.config["dns"]["listen"] = [f"127.0.0.1@{port}", f"127.0.0.{workers + 1}@{port}"]
                daemon.write_config()
                daemon.upgrade()
                for client in range(16):
                    self.assert_members(daemon, [1, 2, 3])
                answer = dns.ask(port, POOL, "A", address=f"127.0.0.{workers + 1}")
                self.assertEqual(len(answer.answer), 3)

    def test_a_connection_lives_on_within_a_query_and_within_an_answer(self):
        daemon = self.start()
        query = dns.encode_query(POOL, "A")
        framed = len(query).to_bytes(2, "big") + query
        with socket.create_connection(("127.0.0.1", daemon.dns_port)) as client:
            client.settimeout(20)
            client.sendall(framed + framed[:9])
            self.assertEqual(len(dns.decode(dns.read_tcp(client)).answer), 3)
            daemon.upgrade()
            client.sendall(framed[9:])
            self.assertEqual(len(dns.decode(dns.read_tcp(client)).answer), 3)

    def test_the_supervisor_learns_the_main_process(self):
        supervisor = Supervisor(self.folder / "notify", 20)
        daemon = Sluiced(self.build, self.folder, configuration(), start=False)
        self.daemons.append(daemon)
        daemon.start(env=supervisor.environment)
        daemon.upgrade()
        self.assertEqual(supervisor.await_said("MAINPID")["MAINPID"], str(daemon.process.pid))
        supervisor.await_said("READY", times=2)
        keys = [key for message in supervisor.messages for key in message
                if key in ("READY", "MAINPID", "STOPPING")]  # fmt: skip
        self.assertEqual(keys, ["READY", "MAINPID", "READY"])
        alive = len(supervisor.said("WATCHDOG"))
        eventually(lambda: len(supervisor.said("WATCHDOG")) > alive, "the new one shows that it lives")


class OthersAcrossIt(Upgrades):
    """Agents, and whoever watches or waits: their connections end well, they come back, and nothing
    that was acknowledged is lost."""

    def test_agents_go_on_and_holds_hold(self):
        daemon = self.start()
        daemon.agent(1).stop()
        host = Host(daemon, 1, services=("front-end",))
        self.addCleanup(host.refuse)
        host.start_agent()
        front_end = lambda: daemon.api().service(server_name(1), "front-end")  # noqa: E731
        eventually(lambda: front_end()["health"] == "up", "the agent is heard")
        held = daemon.api().drain(server_name(2), reason="patch")
        host.sessions(5)
        for turn in (1, 2):
            with self.subTest(turn):
                daemon.upgrade()
                held_there = daemon.api().service(server_name(2), "front-end")["holds"]
                self.assertEqual([hold["reason"] for hold in held_there], ["patch"])
                self.assert_members(daemon, [1, 3])
                eventually(
                    lambda: front_end()["sessions"] == {"connections": 5}, "its heartbeats come"
                )
                self.assertEqual(daemon.api().server(server_name(1))["lease"]["state"], "current")
        self.assertGreater(daemon.api().resume(server_name(2))["generation"], held["generation"])
        self.assertIsNone(host.agent.poll())
        self.assertEqual(host.stop_agent(), 0)

    def test_a_stream_ends_well_and_goes_on_with_the_new_process(self):
        daemon = self.start()
        old = self.watch(daemon)
        daemon.api().drain(server_name(1))
        seen = old.await_event("drain", server=server_name(1))["id"]
        daemon.upgrade()
        self.assertEqual(old.process.wait(timeout=20), 0, "curl saw the last chunk")
        new = self.watch(daemon, seen)
        daemon.api().resume(server_name(1))
        new.await_event("resume", server=server_name(1))
        self.assertEqual(new.blocks()[0]["event"], "reset", "it is another run: read all anew")

    def test_sluicectl_watches_and_waits_on(self):
        daemon = self.start()
        daemon.agent(1).services["front-end"]["sessions"] = {"connections": 3}
        daemon.agent(1).push()
        daemon.api().drain(server_name(1))
        watching = self.start_ctl(daemon, "watch", "--json")
        waiting = self.start_ctl(daemon, "wait", server_name(1), "--service", "front-end")
        eventually(lambda: self.watchers(daemon) > 0, "it watches")
        daemon.upgrade()
        eventually(lambda: self.watchers(daemon) > 0, "it watches again")
        daemon.agents_push()
        daemon.agent(1).services["front-end"]["sessions"] = {"connections": 0}

        def safe():
            daemon.agent(1).push()  # counted after the last cache forgot it
            return waiting.poll() is not None

        eventually(safe, "it is safe to take offline")
        self.assertEqual(waiting.returncode, 0)
        daemon.api().drain(server_name(2), reason="seen by who was there before")
        said = iter(watching.stdout)
        while "seen by who was there before" not in next(said):
            pass
        self.assertIsNone(watching.poll())

    @staticmethod
    def watchers(daemon):
        return metric(daemon.api(), "sluice_api_event_readers")


class Failures(Upgrades):
    def test_it_is_told_by_log_audit_status_and_metrics(self):
        supervisor = Supervisor(self.folder / "notify", 20)
        daemon = self.start_own(env=supervisor.environment)
        seen = self.watch(daemon)
        begin = seen.last_id()
        failed = lambda: metric(daemon.api(), "sluice_take_overs_failed_total")  # noqa: E731
        self.assertEqual(failed(), 0)
        self.replace_by_fake(daemon, 'say("prepared")', 'hear("state")', "sys.exit(7)")
        self.ask_for_upgrade(daemon)
        self.assert_stays(daemon, "exited with status 7")
        self.assertEqual(failed(), 1)
        eventually(lambda: "exited with status 7" in supervisor.status, "systemctl status tells")
        self.assertEqual(supervisor.said("MAINPID"), [])
        # It is the same run: who watched goes on without a gap.
        again = self.watch(daemon, begin)
        event = again.await_event("reload", origin="SIGUSR2")
        self.assertIn("exited with status 7", event["data"]["text"])
        self.assertNotIn("reset", [block["event"] for block in again.blocks()])
        eventually(
            lambda: any("exited with status 7" in text for text in self.audited(daemon)), "the audit"
        )
        self.restore_program(daemon)
        daemon.upgrade()
        self.assertEqual(failed(), 0)
        eventually(lambda: supervisor.status.startswith("serving"), "and of it no more")

    @staticmethod
    def audited(daemon):
        with sqlite3.connect(f"file:{daemon.folder}/state/sluice.db?mode=ro", uri=True) as db:
            return [text for text, in db.execute("SELECT text FROM audit WHERE origin = 'SIGUSR2'")]

    def test_programs_of_another_kind(self):
        daemon = self.start_own()
        cases = {
            "exited with status 2": "#!/bin/sh\necho no such option >&2\nexit 2\n",
            "exec format error|status 127": "no program at all\n",
        }
        for times, (why, text) in enumerate(cases.items(), 1):
            with self.subTest(why):
                self.replace_program(daemon, text)
                self.ask_for_upgrade(daemon)
                eventually(
                    lambda n=times: metric(daemon.api(), "sluice_take_overs_failed_total") == n,
                    f"it failed:\n{daemon.log()[-2000:]}",
                )
                self.assertRegex(daemon.log(), rf"(?i)(?:did not take over|could be started).*({why})")
                self.assert_members(daemon, [1, 2, 3])

    def test_a_version_that_hands_over_in_another_way(self):
        """It is the new one that refuses what it does not know, and says so."""
        folder = self.folder / "authority"
        folder.mkdir()
        daemon = Sluiced(self.build, folder, configuration(), start=False)
        self.daemons.append(daemon)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.set_inheritable(theirs.fileno(), True)
        daemon.launch(
            env={**os.environ, "SLUICE_HANDOVER": str(theirs.fileno())}, pass_fds=[theirs.fileno()]
        )
        theirs.close()
        ours.settimeout(20)
        ours.send(offer(1, protocol=2, sockets=False))
        said = ours.recv(65536)
        self.assertIn(b"failed", said)
        self.assertIn(b"in a way that this version does not know", said)
        self.assertEqual(daemon.process.wait(timeout=20), 1)
        self.daemons.remove(daemon)  # which would have to end well
        ours.close()

    def test_a_bad_configuration(self):
        daemon = self.start_own()
        good = json.dumps(daemon.config)
        daemon.config["pools"][0]["service"] = "no-such-service"
        daemon.write_config()
        self.ask_for_upgrade(daemon)
        self.assert_stays(daemon, "exited with status 1: [^\n]*no-such-service")
        daemon.config = json.loads(good)
        daemon.write_config()
        daemon.upgrade()
        self.assert_members(daemon, [1, 2, 3])

    def test_a_program_that_ends_or_is_not_there(self):
        daemon = self.start_own()
        self.replace_program(daemon, "#!/bin/sh\nexit 3\n")
        self.ask_for_upgrade(daemon)
        self.assert_stays(daemon, "exited with status 3")
        (daemon.build / "sluiced").unlink()
        self.ask_for_upgrade(daemon)
        self.await_log(daemon, "no other process could be started")
        self.restore_program(daemon)
        daemon.upgrade()

    def test_a_store_that_can_not_be_opened(self):
        daemon = self.start_own()
        (daemon.folder / "file").write_text("")
        daemon.config["store"]["directory"] = "file"
        daemon.write_config()
        self.ask_for_upgrade(daemon)
        self.assert_stays(daemon, "Not a directory")

    def test_one_that_dies_at_any_stage(self):
        daemon = self.start_own()
        stages = ["", 'say("prepared")', 'hear("state")', 'say("serving")', 'hear("sessions")',
                  'hear("silent")']  # fmt: skip
        for count in range(1, len(stages) + 1):
            with self.subTest(after=stages[count - 1]):
                self.replace_by_fake(daemon, *stages[:count], "os.kill(os.getpid(), 9)")
                self.ask_for_upgrade(daemon)
                self.assert_stays(daemon, "signal 9", count)
        self.restore_program(daemon)
        daemon.upgrade()
        self.assert_members(daemon, [1, 2, 3])

    def test_orders_amid_a_take_over(self):
        daemon = self.start_own()
        gate = self.folder / "gate"
        self.replace_by_fake(
            daemon, f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)", "sys.exit(3)"
        )
        self.ask_for_upgrade(daemon)
        self.await_log(daemon, "which is to take over")
        self.ask_for_upgrade(daemon)
        self.await_log(daemon, "taking over already")
        daemon.config["pools"][0]["ttl"] = "7s"
        daemon.write_config()
        daemon.hang_up()
        self.await_log(daemon, "SIGHUP waits")
        self.assertIn("taking over", daemon.api().call("POST", "/v1/reload").text)
        gate.touch()
        self.assert_stays(daemon, "exited with status 3")
        self.await_log(daemon, "reloaded by SIGHUP")
        self.assertEqual(dns.ask(daemon.dns_port, POOL, "A").answer[0].ttl, 7)

    def test_a_stop_amid_a_take_over(self):
        for steps in ([], ['say("prepared")', 'hear("state")'],
                      ['say("prepared")', 'hear("state")', 'say("serving")', 'hear("silent")']):  # fmt: skip
            with self.subTest(steps=steps):
                for old in self.daemons:
                    old.stop()
                shutil.rmtree(self.folder / "authority", ignore_errors=True)
                shutil.rmtree(self.folder / "programs", ignore_errors=True)
                daemon = self.start_own()
                self.replace_by_fake(
                    daemon, *steps, f"open({str(self.folder / 'there')!r}, 'w').write(str(os.getpid()))",
                    "time.sleep(60)",
                )  # fmt: skip
                self.ask_for_upgrade(daemon)
                there = self.folder / "there"
                eventually(lambda: there.exists() and there.read_text(), "it is that far")
                pid = int(there.read_text())
                there.unlink()
                self.assertEqual(daemon.stop(), 0, daemon.log())
                eventually(lambda: is_dead(pid), "the other one is dead")

    def test_an_old_process_that_dies_leaves_everything_to_the_new_one(self):
        """The test is the old process, which ends at each stage."""
        for stage in ("offer", "state", "sessions"):
            with self.subTest(dies_after=stage):
                folder = self.folder / stage
                folder.mkdir()
                udp, tcp = ports.udp_and_tcp()
                port = udp.getsockname()[1]
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                daemon = Sluiced(self.build, folder, configuration(), start=False)
                daemon.config["dns"]["listen"] = [f"127.0.0.1@{port}"]
                self.daemons.append(daemon)
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                os.set_inheritable(theirs.fileno(), True)
                daemon.launch(
                    env={**os.environ, "SLUICE_HANDOVER": str(theirs.fileno())},
                    pass_fds=[theirs.fileno()],
                )
                theirs.close()
                socket.send_fds(ours, [offer(port)], [udp.fileno(), tcp.fileno()])
                udp.close()
                tcp.close()
                if stage != "offer":
                    self.assertIn(b"prepared", ours.recv(65536))
                    ours.send(b"\xa1\x64type\x65state")
                if stage == "sessions":
                    self.assertIn(b"serving", ours.recv(65536))
                ours.close()
                daemon.await_ready()
                self.assertEqual(daemon.dns_port, port)
                self.assert_members(daemon, [1, 2, 3])
                daemon.api().drain(server_name(1))
                self.assert_members(daemon, [2, 3])


def offer(port, protocol=1, sockets=True):
    """CBOR of an offer of one UDP and one TCP socket for DNS, or of none."""

    def text(words):
        octets = words.encode()
        head = bytes([0x60 + len(octets)]) if len(octets) < 24 else bytes([0x78, len(octets)])
        return head + octets

    def entry(kind):
        return b"\xa2" + text("kind") + text(kind) + text("at") + text(f"127.0.0.1@{port}")

    return (
        b"\xa3" + text("type") + text("offer") + text("protocol") + bytes([protocol])
        + text("sockets") + (b"\x82" + entry("dns-udp") + entry("dns-tcp") if sockets else b"\x80")
    )  # fmt: skip


class LongForm(UnderLoad):
    """Not part of the short form: see the head of this file."""

    queries = takeovers = 0

    def runTest(self):
        daemon = self.start()
        flood = Flood(self.build, daemon, rate=self.rate, expected="2-3")
        started = time.monotonic()
        seconds = self.queries * 1.02 / self.rate
        for number in range(self.takeovers):
            server = server_name(number % 3 + 1)
            daemon.api().drain(server)
            daemon.upgrade()
            daemon.api().resume(server)
            time.sleep(max(0.0, seconds * (number + 1) / self.takeovers - (time.monotonic() - started)))
        # With none: what the machine does to the longest gap by itself.
        time.sleep(max(0.0, seconds - (time.monotonic() - started)))
        counts = flood.end()
        print(json.dumps(counts, indent=1))
        print(f"{self.takeovers} take-overs, {totals(counts)}, "
              f"longest gap between two answers {counts['longest_gap_ms']} ms "
              f"(by UDP {counts['udp']['longest_gap_ms']} ms, by TCP {counts['tcp']['longest_gap_ms']} ms; "
              f"the load itself paused for {counts['longest_own_pause_ms']} ms)")  # fmt: skip
        self.assert_nothing_lost(counts)
        self.assertGreaterEqual(totals(counts)["asked"], self.queries)


def load_tests(loader, tests, _):
    return unittest.TestSuite(test for suite in tests for test in suite
                              if not isinstance(test, LongForm))  # fmt: skip


def long_form(arguments):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--takeovers", type=int, default=20)
    parser.add_argument("--rate", type=int, default=20_000, help="queries a second")
    options = parser.parse_args(arguments)
    Scenario.build = options.build.resolve()
    LongForm.queries, LongForm.takeovers = options.queries, options.takeovers
    LongForm.rate = options.rate
    result = unittest.TextTestRunner(verbosity=2).run(LongForm())
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    if any(word.startswith("--") for word in sys.argv[1:]):
        long_form(sys.argv[1:])
    main()
