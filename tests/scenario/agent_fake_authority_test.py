"""A real sluice-agent against authorities that say what the test wants them to say."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.polling import eventually

DONE, FAILED, USAGE, REFUSED, TIMED_OUT, NO_AUTHORITY = range(6)
SERVER = "fe01.pool01.contoso.example"
BUILD = pathlib.Path()


class Authority:
    """Answers heartbeats on a port of the kernel's choice; keeps what was pushed."""

    def __init__(self, token="t0"):
        self.lock = threading.Lock()
        self.pushes = []
        self.tokens = []
        self.token = token
        self.held = set()  # by the authority's own operators
        self.refuse = set()  # services of which it accepts no pause
        self.lift = set()
        self.answer = None  # (status, octets) in place of a reply
        self.confirm = True
        self.hang = threading.Event()
        self.server = None
        self.port = 0
        self.start()

    def start(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, octets = outer.on_push(self.path, self.headers, body)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(octets)))
                    self.end_headers()
                    self.wfile.write(octets)

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request, client_address):
                pass  # the agent left: it was killed, or its time limit ended

            # A stopped server's kept connections must end too.
            def process_request(self, request, client_address):
                with outer.lock:
                    outer.connections.append(request)
                super().process_request(request, client_address)

        self.connections = []
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(
            target=lambda: self.server.serve_forever(poll_interval=0.02), daemon=True
        )
        self.thread.start()

    def stop(self):
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def on_push(self, path, headers, body):
        if self.hang.is_set():
            eventually(lambda: not self.hang.is_set(), "the hang ends", within=120)
        with self.lock:
            assert path == f"/v1/servers/{SERVER}/heartbeat", path
            token = headers["Authorization"].removeprefix("Bearer ")
            self.tokens.append(token)
            if token != self.token:
                return 401, b'{"title": "Unauthorized"}'
            push = json.loads(body)
            self.pushes.append(push)
            return self.answer or (200, json.dumps(self.reply(push)).encode())

    def reply(self, push):
        services = {}
        for name, service in push["services"].items():
            order = {"held": name in self.held, "reason": "", "lift": False, "refused": None}
            paused = service.get("paused")
            if paused and name in self.lift:
                order.update(held=True, lift=True)
            elif paused and name in self.refuse and not paused["force"]:
                order["refused"] = {
                    "rule": "floor", "numbers": {"accepting": 2, "min_accepting": 2},
                }  # fmt: skip
            elif paused and self.confirm:
                order.update(held=True, reason=paused["reason"])
            services[name] = order
        return {"generation": 17, "lease": 3.0, "services": services}

    def last(self, service):
        with self.lock:
            return self.pushes[-1]["services"].get(service) if self.pushes else None

    def count(self):
        with self.lock:
            return len(self.pushes)


class AgentScenario(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.authorities = []
        self.environment = None  # of the agent; None: ours
        self.agent = None
        self.fields = {}
        (self.folder / "token").write_text("t0\n")
        self.addCleanup(self.end)

    def end(self):
        status = self.stop_agent() if self.agent else 0
        for authority in self.authorities:
            authority.hang.clear()
            authority.stop()
        self.assertEqual(status, 0, self.log())

    def authority(self, **options):
        made = Authority(**options)
        self.authorities.append(made)
        return made

    def write_config(self, **service):
        front_end = {
            "checks": [{"command": ["/bin/true"], "interval": "200ms", "timeout": "200ms"}],
            "sessions": {},
            **service,
        }
        plain = {"checks": [{"command": ["/bin/true"], "interval": "1s"}], "sessions": {}}
        config = {
            "authorities": [authority.url for authority in self.authorities],
            "token_file": "token",
            "server": SERVER,
            "state": "state",
            "socket": {"path": "agent.sock", "mode": "0600"},
            "heartbeat": "200ms",
            "services": {"front-end": front_end, "call-park": plain},
        }
        (self.folder / "agent.yaml").write_text(json.dumps(config))

    def start_agent(self, **service):
        if service or not (self.folder / "agent.yaml").exists():
            self.write_config(**service)
        log = open(self.folder / "agent.log", "ab")
        with log:
            self.agent = processes.start(
                [BUILD / "sluice-agent", "run", "--config", self.folder / "agent.yaml"],
                stdout=log, stderr=log, env=self.environment,
            )  # fmt: skip
        eventually(lambda: self.type("status").returncode == DONE, "the agent listens")

    def start(self, **service):
        """An authority, and an agent that pushes both services to it."""
        authority = self.authority()
        self.start_agent(**service)
        self.pushes_both(authority)
        return authority

    def pushes_both(self, authority):
        eventually(
            lambda: authority.last("front-end") and authority.last("call-park"),
            f"both services are pushed\n{self.log()}",
        )

    def stop_agent(self):
        if self.agent.poll() is None:
            self.agent.terminate()
        return self.agent.wait(timeout=30)

    def kill_agent(self):
        self.agent.kill()
        self.agent.wait()

    def type(self, *words):
        return processes.run(
            [BUILD / "sluice-agent", *words, "--config", self.folder / "agent.yaml"], timeout=60
        )

    def typed(self, status, *words):
        done = self.type(*words)
        self.assertEqual(
            done.returncode, status, f"{words}: {done.stdout}{done.stderr}\n{self.log()}"
        )
        return done.stdout + done.stderr

    def status(self):
        return json.loads(self.typed(DONE, "status", "--json"))

    def log(self):
        path = self.folder / "agent.log"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""

    def lines(self, name):
        path = self.folder / name
        return path.read_text().split() if path.exists() else []

    def writes(self, name, word):
        return ["sh", "-c", f"echo {word} >> {self.folder / name}"]

    def more_pushes(self, authority, count=2):
        before = authority.count()
        eventually(
            lambda: authority.count() >= before + count, f"more heartbeats\n{self.log()}"
        )


class Heartbeats(AgentScenario):
    def test_seq_grows_over_restarts_of_the_agent_too(self):
        authority = self.start()
        self.more_pushes(authority, 5)
        self.kill_agent()
        self.start_agent()
        self.more_pushes(authority, 5)
        seqs = [push["seq"] for push in authority.pushes]
        self.assertEqual(seqs, sorted(set(seqs)))
        boot_id = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self.assertEqual({push["instance"] for push in authority.pushes}, {boot_id})

    def test_a_change_of_health_is_pushed_at_once(self):
        flag = self.folder / "up"
        flag.touch()
        check = {"command": ["test", "-e", str(flag)], "interval": "100ms", "timeout": "100ms",
                 "rise": 1, "fall": 1}  # fmt: skip
        authority = self.start(checks=[check])
        eventually(lambda: authority.last("front-end")["health"] == "up", "up")
        flag.unlink()
        eventually(lambda: authority.last("front-end")["health"] == "down", "down")
        flag.touch()
        eventually(lambda: authority.last("front-end")["health"] == "up", "up again")

    def test_a_hung_check_delays_no_heartbeat_and_no_other_service(self):
        hung = {"command": ["sleep", "1000"], "interval": "10s", "timeout": "10s"}
        authority = self.authority()
        self.start_agent(checks=[hung])
        eventually(lambda: authority.last("call-park"), "the other service is pushed")
        self.more_pushes(authority, 10)
        self.assertIsNone(authority.last("front-end"), "nothing is known of it yet")
        self.assertEqual(self.status()["services"]["front-end"]["health"], "unknown")

    def test_a_hung_check_is_killed_and_fails(self):
        hung = {"command": ["sh", "-c", f"echo $$ >> {self.folder / 'pids'}; sleep 1000"],
                "interval": "200ms", "timeout": "200ms"}  # fmt: skip
        authority = self.authority()
        self.start_agent(checks=[hung])
        eventually(
            lambda: (authority.last("front-end") or {}).get("health") == "down", "it counts as down"
        )
        first = self.lines("pids")[0]
        eventually(lambda: not os.path.exists(f"/proc/{first}"), "it is gone")

    def test_sessions_are_counted_by_the_kernel_and_its_own_check_is_none(self):
        with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
            port = listener.getsockname()[1]
            check = {"tcp": f"127.0.0.1@{port}", "interval": "100ms", "timeout": "100ms"}
            authority = self.start(
                checks=[check], sessions={"connections": {"tcp_ports": [port]}}
            )
            accepting = threading.Thread(target=self.close_all, args=(listener,), daemon=True)

            def sessions():
                return authority.last("front-end").get("sessions")

            eventually(lambda: sessions() == {"connections": 0}, "none yet")
            self.accepted = []
            accepting.start()
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
            eventually(lambda: sessions() == {"connections": 3}, "three")
            self.assertIn("last_new_connection", authority.last("front-end"))
            for client in clients:
                client.close()
            eventually(lambda: sessions() == {"connections": 0}, "they have ended")
            before = authority.count()
            self.more_pushes(authority, 5)
            counts = [p["services"]["front-end"]["sessions"]["connections"]
                      for p in authority.pushes[before:]]  # fmt: skip
            self.assertEqual(set(counts), {0})

    def close_all(self, listener):
        """Accepts; what the agent's checks left is closed when it is seen to have ended."""
        with contextlib.suppress(OSError):
            while True:
                self.accepted.append(listener.accept()[0])

    def test_a_counter_that_fails_makes_all_sessions_not_known(self):
        number = self.folder / "number"
        number.write_text("5\n")
        authority = self.start(
            sessions={"calls": {"command": ["cat", str(number)]},
                      "others": {"command": ["echo", "1"]}}
        )  # fmt: skip
        eventually(
            lambda: authority.last("front-end").get("sessions") == {"calls": 5, "others": 1}, "known"
        )
        for wrong in ("-1", "many", "", "99999999999999999999"):
            number.write_text(wrong)
            eventually(lambda: "sessions" not in authority.last("front-end"), f"{wrong!r}")
            number.write_text("5\n")
            eventually(lambda: "sessions" in authority.last("front-end"), "known again")

    def test_the_process_of_the_pid_file_is_the_instance(self):
        pid_file = self.folder / "pid"
        authority = self.start(pid_file=str(pid_file))
        eventually(lambda: authority.last("front-end")["health"] == "stopped", "no file")
        self.assertNotIn("instance", authority.last("front-end"))
        instances = []
        for _ in range(2):
            process = processes.start(["sleep", "1000"])
            pid_file.write_text(f"{process.pid}\n")
            eventually(
                lambda p=process: authority.last("front-end").get("instance", "").startswith(
                    f"{p.pid}-"
                ),
                "the instance is known",
            )
            self.assertEqual(authority.last("front-end")["health"], "up")
            instances.append(authority.last("front-end")["instance"])
            process.kill()
            process.wait()
            eventually(lambda: authority.last("front-end")["health"] == "stopped", "it ended")
        self.assertNotEqual(*instances)

    def test_a_unit_of_which_nobody_tells_is_left_unsaid(self):
        authority = self.authority()
        self.write_config()
        config = json.loads((self.folder / "agent.yaml").read_text())
        config["services"]["front-end"] = {"unit": "kamailio.service"}
        (self.folder / "agent.yaml").write_text(json.dumps(config))
        self.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}
        self.start_agent()
        eventually(lambda: authority.last("call-park"), "the other is pushed")
        self.more_pushes(authority, 3)
        self.assertIsNone(authority.last("front-end"))
        self.assertIn("systemd cannot be asked: the system bus: No such file", self.log())
        self.assertIn("kamailio.service: not known", self.type("status").stdout)


class Authorities(AgentScenario):
    def test_fail_over_to_the_one_that_answers_and_stays_there(self):
        first, second = self.authority(), self.authority()
        self.start_agent()
        self.pushes_both(first)
        self.assertEqual(second.count(), 0)
        first.stop()
        self.pushes_both(second)
        first.start()
        before = first.count()
        self.more_pushes(second, 5)
        self.assertEqual(first.count(), before)
        second.stop()
        eventually(lambda: first.count() > before, "and back when that one fails")

    def test_fail_over_from_one_that_hangs(self):
        first, second = self.authority(), self.authority()
        first.hang.set()
        self.start_agent()
        self.pushes_both(second)

    def test_an_authority_that_goes_is_found_again(self):
        authority = self.start()
        authority.stop()
        eventually(lambda: "no authority answers" in self.log(), "said once")
        eventually(lambda: not self.status()["authority"]["connected"], "and shown")
        authority.start()
        self.more_pushes(authority)
        eventually(lambda: "answers again" in self.log(), "said")

    def test_garbage_is_logged_and_left(self):
        authority = self.start()
        for status, octets in [
            (200, b"<html>"), (200, b""), (200, b"\xff" * 100), (200, b"[" * 50_000),
            (200, b'{"generation": 1, "lease": -1, "services": {}}'),
            (200, b"x" * 2_000_000), (500, b"broken"), (503, b""), (301, b""), (400, b"{}"),
            (404, b'{"title": "Not Found", "detail": "no such server"}'),
        ]:  # fmt: skip
            with self.subTest(status=status, octets=octets[:20]):
                authority.answer = (status, octets)
                self.more_pushes(authority)
        authority.answer = None
        eventually(lambda: self.status()["authority"]["connected"], "well again")
        self.assertIn("no such server", self.log())
        # Rate limited: some 2 pushes for each of 11 kinds of garbage, a few kinds of line.
        self.assertLess(self.log().count("heartbeat to"), 15)

    def test_an_older_seq_is_logged_and_the_next_push_goes_its_way(self):
        authority = self.start()
        authority.answer = (409, b'{"title": "Conflict", "rule": "seq"}')
        self.more_pushes(authority, 3)
        self.assertIn("by rule seq", self.log())
        self.assertTrue(self.status()["authority"]["connected"])

    def test_a_token_that_was_changed_is_read_again(self):
        authority = self.start()
        authority.token = "t1"
        eventually(lambda: "status 401" in self.log(), "refused")
        (self.folder / "token").write_text("t1\n")
        self.more_pushes(authority)
        self.assertEqual(set(authority.tokens), {"t0", "t1"})

    def test_a_token_that_cannot_be_read_is_waited_for(self):
        (self.folder / "token").unlink()
        authority = self.authority()
        self.start_agent()
        eventually(lambda: "the token cannot be read" in self.log(), "said")
        self.assertEqual(authority.tokens, [], "nothing is pushed without")
        (self.folder / "token").write_text("t0\n")
        self.pushes_both(authority)


class Hooks(AgentScenario):
    def start_with_hooks(self, **service):
        return self.start(
            on_hold=self.writes("hooks", "hold"), on_resume=self.writes("hooks", "resume"), **service
        )

    def test_run_once_for_each_change_and_not_again_after_a_restart(self):
        authority = self.start_with_hooks()
        authority.held.add("front-end")
        eventually(lambda: self.lines("hooks") == ["hold"], "on_hold ran")
        eventually(
            lambda: authority.last("front-end").get("hook", {}).get("state") == "ok", "and is told"
        )
        self.assertEqual(self.stop_agent(), 0)
        self.assertEqual(self.lines("hooks"), ["hold"], "none runs at the end")
        self.start_agent()
        self.more_pushes(authority, 5)
        self.kill_agent()
        self.start_agent()
        self.more_pushes(authority, 5)
        self.assertEqual(self.lines("hooks"), ["hold"])
        authority.held.clear()
        eventually(lambda: self.lines("hooks") == ["hold", "resume"], "on_resume ran")

    def test_a_hook_that_fails_is_told_and_stops_nothing(self):
        authority = self.start(on_hold=["sh", "-c", "echo broken >&2; exit 3"])
        authority.held.add("front-end")
        hook = eventually(
            lambda: (h := authority.last("front-end").get("hook"))
            and h["state"] == "failed" and h, "failed"
        )  # fmt: skip
        self.assertEqual(hook["text"], "on_hold: exit status 3: broken")
        self.assertIn("broken", self.typed(DONE, "status"))
        self.more_pushes(authority)

    def test_a_hook_that_hangs_delays_no_heartbeat_and_ends_with_the_agent(self):
        pids = self.folder / "pids"
        authority = self.start(on_hold=["sh", "-c", f"echo $$ > {pids}; sleep 1000"])
        authority.held.add("front-end")
        pid = eventually(lambda: self.lines("pids"), "it runs")[0]
        self.more_pushes(authority, 5)
        self.assertEqual(authority.last("front-end")["hook"]["state"], "running")
        self.assertEqual(self.stop_agent(), 0)
        eventually(lambda: not os.path.exists(f"/proc/{pid}"), "killed with its group")


class Pauses(AgentScenario):
    def test_an_accepted_pause_holds_and_survives_the_agent(self):
        authority = self.start()
        said = self.typed(
            DONE, "pause", "front-end", "--reason", "patch", "--startup", "manual"
        )
        self.assertIn("generation 17", said)
        paused = authority.last("front-end")["paused"]
        self.assertEqual(
            (paused["reason"], paused["startup"], paused["force"]), ("patch", "manual", False)
        )
        self.assertRegex(paused["since"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertNotIn("paused", authority.last("call-park"))
        self.kill_agent()
        self.start_agent()
        seen = authority.count()
        self.more_pushes(authority)
        for push in authority.pushes[seen:]:
            if "front-end" in push["services"]:
                kept = dict(push["services"]["front-end"]["paused"])
                # Which run was paused is known once the pause is the host's.
                self.assertTrue(kept.pop("instance").endswith("/boot"))
                self.assertEqual(kept, paused)
        self.assertIn("already", self.typed(DONE, "pause", "front-end"))
        self.typed(DONE, "resume", "front-end")
        self.assertNotIn("paused", authority.last("front-end"))

    def test_a_pause_without_a_service_is_the_whole_servers(self):
        authority = self.start()
        self.typed(DONE, "pause")
        for service in ("front-end", "call-park"):
            self.assertIn("paused", authority.last(service))
        self.typed(DONE, "resume")
        for service in ("front-end", "call-park"):
            self.assertNotIn("paused", authority.last(service))

    def test_a_refused_pause_names_the_rule_and_leaves_nothing(self):
        authority = self.start(on_hold=self.writes("hooks", "hold"))
        authority.refuse.add("call-park")
        said = self.typed(REFUSED, "pause")
        self.assertIn("floor (accepting 2, min_accepting 2)", said)
        eventually(lambda: "paused" not in authority.last("front-end"), "all of it is dropped")
        self.more_pushes(authority, 3)
        self.assertEqual(self.lines("hooks"), [], "no hook ran for what was never held")
        self.assertIn("held", self.typed(DONE, "pause", "call-park", "--force"))

    def test_without_an_authority_only_force_pauses(self):
        authority = self.start()
        authority.stop()
        said = self.typed(NO_AUTHORITY, "pause", "front-end")
        self.assertIn("--force", said)
        self.assertIsNone(self.status()["services"]["front-end"]["paused"])
        self.typed(DONE, "pause", "front-end", "--force", "--reason", "fire")
        self.kill_agent()
        self.start_agent()
        authority.start()
        eventually(
            lambda: (authority.last("front-end") or {}).get("paused", {}).get("reason") == "fire",
            "kept on disk and pushed",
        )
        self.assertTrue(authority.last("front-end")["paused"]["force"])

    def test_lift_drops_the_pause(self):
        authority = self.start()
        self.typed(DONE, "pause", "front-end")
        authority.lift.add("front-end")
        eventually(lambda: "paused" not in authority.last("front-end"), "lifted")
        self.kill_agent()
        self.start_agent()
        self.more_pushes(authority, 3)
        self.assertIsNone(self.status()["services"]["front-end"]["paused"])

    def test_resume_says_who_else_holds(self):
        authority = self.start()
        authority.held.add("front-end")
        self.typed(DONE, "pause", "front-end")
        self.assertIn("still held by the authority", self.typed(DONE, "resume", "front-end"))

    def test_a_pause_that_is_not_confirmed_times_out(self):
        authority = self.start()
        authority.confirm = False
        self.typed(TIMED_OUT, "pause", "front-end")
        eventually(lambda: "paused" not in authority.last("front-end"), "taken back")

    def test_a_damaged_state_pauses_everything_until_somebody_resumes(self):
        authority = self.start()
        self.typed(DONE, "pause", "front-end")
        self.kill_agent()
        state = self.folder / "state" / "host-state.json"
        state.write_text(state.read_text()[:-20])
        self.start_agent()
        for service in ("front-end", "call-park"):
            eventually(
                lambda s=service: (authority.last(s) or {}).get("paused", {}).get("by")
                == "sluice-agent", f"{service} is paused"
            )  # fmt: skip
        self.assertIn("critical", self.log())
        self.typed(DONE, "resume")

    def test_mistakes_are_told_apart_by_their_exit(self):
        self.start()
        self.typed(USAGE, "pause", "--startup", "never")
        self.typed(USAGE, "unheard-of")
        self.typed(USAGE)
        self.assertIn("front-end, call-park", self.typed(FAILED, "pause", "no-such-service"))
        self.assertRegex(self.typed(DONE, "--version"), r"sluice-agent \d")
        self.assertEqual(self.stop_agent(), 0)
        self.typed(NO_AUTHORITY, "pause")

    def typed(self, status, *words):
        if words in ((), ("--version",), ("unheard-of",)):
            done = processes.run([BUILD / "sluice-agent", *words])
            self.assertEqual(done.returncode, status)
            return done.stdout
        return super().typed(status, *words)

    def test_a_second_agent_does_not_start(self):
        self.start()
        second = processes.run(
            [BUILD / "sluice-agent", "run", "--config", self.folder / "agent.yaml"]
        )
        self.assertEqual(second.returncode, FAILED)
        self.assertIn("another sluice-agent", second.stderr)
        self.typed(DONE, "status")


class AtRest(AgentScenario):
    def test_is_small(self):
        authority = self.start()
        self.more_pushes(authority, 10)
        status = pathlib.Path(f"/proc/{self.agent.pid}/status").read_text()
        resident = int(status.split("VmRSS:")[1].split()[0])
        if (BUILD / "CMakeCache.txt").exists():
            cache = (BUILD / "CMakeCache.txt").read_text()
            if "SLUICE_SANITIZE:STRING=\n" not in cache:
                self.skipTest("a sanitizer's memory is not the agent's")
        self.assertLess(resident, 20 * 1024, "KiB resident")


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
