"""What sluiced may do, as the kernel sees it: started as root it keeps nothing of it but a port below
1024; as an ordinary user it does all its work; its DNS workers are confined, whatever comes in."""

import contextlib
import os
import pathlib
import random
import re
import resource
import shlex
import shutil
import socket
import stat
import struct
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes
from support.api import Api
from support.network import Network
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, Sluiced, configuration, server_name

# A user of the test's own, in a user database of the test's own: numbers that nobody else has.
USER, UID, GID, MORE = "sluice-test", 64_123, 64_123, 64_124
GROUP = "dns-admins"  # of which it is a member
BIND = 1 << 10  # CAP_NET_BIND_SERVICE
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def status_of(task):
    lines = task.joinpath("status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


class Privileges(Scenario):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root can start it as root")
        super().setUp()
        self.folder.chmod(0o755)  # for the user to get through
        folder = self.folder / "etc"
        folder.mkdir()
        for name, line in (
            ("passwd", f"{USER}:x:{UID}:{GID}::/nonexistent:/usr/sbin/nologin\n"),
            ("group", f"{USER}:x:{GID}:\n{GROUP}:x:{MORE}:{USER}\n"),
        ):
            (folder / name).write_text(pathlib.Path("/etc", name).read_text() + line)
        # A sanitizer's last look for leaks would need to trace a process that was root's.
        self.environment = {**os.environ}
        if self.sanitized:
            options = os.environ.get("ASAN_OPTIONS", "")
            self.environment["ASAN_OPTIONS"] = f"{options}:detect_leaks=0"

    def command(self, daemon, *more):
        """sluiced, where the system knows the test's user."""
        etc = self.folder / "etc"
        binds = [f"mount --bind {shlex.quote(str(etc / name))} /etc/{name}"
                 for name in ("passwd", "group")]  # fmt: skip
        words = [self.build / "sluiced", "--config", daemon.file, *more]
        run = " ".join(shlex.quote(str(word)) for word in words)
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                " && ".join([*binds, f"exec {run}"])]  # fmt: skip

    def make(self, folder="authority", **keys):
        """Not started; `keys` of the configuration."""
        path = self.folder / folder
        path.mkdir(exist_ok=True)
        config = configuration()
        config["api"]["socket"] = {"path": "run/sluice.sock", "mode": "0660", "group": GROUP}
        config.update(keys)
        daemon = Sluiced(self.build, path, config, start=False)
        self.daemons.append(daemon)
        return daemon

    def launch(self, daemon, limits=None, **options):
        daemon.write_config()
        with open(daemon.log_file, "w", encoding="utf-8") as log:
            daemon.process = processes.start(
                self.command(daemon), limits=limits, stdout=log, stderr=log, env=self.environment,
                **options,
            )  # fmt: skip

    def start(self, limits=None, **keys):
        daemon = self.make(**keys)
        self.launch(daemon, limits)
        daemon.await_ready()
        daemon.agents_push()
        return daemon

    def start_alone(self, uid, limits=None, **keys):
        """By an ordinary user, in a folder of that user's; no group, it may be in none."""
        daemon = self.make(**keys)
        daemon.config["api"]["socket"] = {"path": "run/sluice.sock", "mode": "0600"}
        daemon.write_config()
        os.chown(daemon.folder, uid, uid)

        def prepare():
            if limits:
                limits()
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)

        with open(daemon.log_file, "w", encoding="utf-8") as log:
            daemon.process = processes.start(
                [self.build / "sluiced", "--config", daemon.file], limits=prepare, stdout=log,
                stderr=log, env=self.environment,
            )  # fmt: skip
        return daemon

    def refused(self, daemon):
        """What it said when it did not start."""
        status = daemon.process.wait(timeout=20)
        self.assertEqual(status, 1, daemon.log())
        daemon.process = None
        return daemon.log()

    def warnings(self, text):
        """Those of privileges: the zone's name servers are another matter."""
        return [line for line in text.splitlines()
                if "warning" in line and "which is not this responder" not in line]  # fmt: skip

    def tasks(self, daemon):
        """The threads, by name; under a sanitizer, whose run-time library has threads of its own,
        the first alone."""
        tasks = pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir()
        if self.sanitized:
            tasks = [pathlib.Path(f"/proc/{daemon.process.pid}")]
        return {(task / "comm").read_text().strip(): status_of(task) for task in tasks}

    def assert_credentials(self, daemon, uid, gid, groups, capabilities, bounds=None):
        tasks = self.tasks(daemon)
        if not self.sanitized:
            self.assertGreaterEqual(tasks.keys(), {"dns-0", "dns-1"})
        for name, task in tasks.items():
            with self.subTest(thread=name):
                self.assertEqual(task["Uid"].split(), [str(uid)] * 4)
                self.assertEqual(task["Gid"].split(), [str(gid)] * 4)
                self.assertEqual(sorted(map(int, task["Groups"].split())), groups)
                self.assertEqual(task["NoNewPrivs"], "1")
                for each in CAPABILITIES:
                    if each == "CapBnd" and bounds is None:
                        continue  # an ordinary user can't change it
                    wanted = bounds if each == "CapBnd" else capabilities
                    self.assertEqual(int(task[each], 16), wanted, each)

    def assert_confined(self, daemon):
        if self.sanitized:
            return  # config/base/syscall_filter.h
        tasks = self.tasks(daemon)
        others = {int(task["Seccomp_filters"]) for name, task in tasks.items()
                  if not name.startswith("dns-")}  # fmt: skip
        self.assertEqual(len(others), 1, "the process has one filter, in all its threads")
        for name, task in tasks.items():
            self.assertEqual(task["Seccomp"], "2", name)
            if name.startswith("dns-"):
                self.assertEqual(int(task["Seccomp_filters"]), min(others) + 1, name)
        maps = pathlib.Path(f"/proc/{daemon.process.pid}/maps").read_text()
        both = [line for line in maps.splitlines() if re.match(r"\S+ .w.?x|\S+ .wx", line)]
        self.assertEqual(both, [], "memory that is writable and executable")

    def assert_works(self, daemon):
        """From checkout to drain: everything that files, sockets and locks are needed for."""
        local = Api(path=daemon.folder / "run" / "sluice.sock")
        self.addCleanup(local.close)
        self.assert_members(daemon, [1, 2, 3])
        self.assertEqual(self.members(daemon, tcp=True), [1, 2, 3])
        local.drain(server_name(1))
        self.assert_members(daemon, [2, 3])
        daemon.api().drain(server_name(2))
        self.assert_members(daemon, [3])
        daemon.config["pools"][0]["ttl"] = "5s"
        daemon.write_config()
        reply = daemon.api().call("POST", "/v1/reload")
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual(dns.ask(daemon.dns_port, POOL, "A").answer[0].ttl, 5)
        with socket.create_connection(("127.0.0.1", daemon.api_port)) as client:
            client.settimeout(30)
            client.sendall(
                f"GET /v1/backup HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {OPERATOR}\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            backup = b""
            while part := client.recv(65536):
                backup += part
        self.assertTrue(backup.startswith(b"HTTP/1.1 200"), backup[:300])
        self.assertIn(b"SQLite format 3", backup)

    def assert_ends(self, daemon):
        self.assertEqual(daemon.stop(), 0, daemon.log())
        self.assertEqual(list((daemon.folder / "run").iterdir()), [], "the socket's file is left")

    def assert_owned(self, folder, uid):
        for path in [folder, *folder.rglob("*")]:
            self.assertEqual(path.stat().st_uid, uid, path)


class StartedByRoot(Privileges):
    def test_binds_port_53_and_becomes_the_user(self):
        try:
            network = Network()
        except OSError as error:
            self.skipTest(str(error))
        self.addCleanup(network.leave)
        daemon = self.make(user=USER)
        daemon.config["dns"]["listen"] = ["127.0.0.1@53"]
        daemon.config["api"]["listen"] = ["127.0.0.1@853"]
        self.launch(daemon)
        daemon.await_ready()
        daemon.agents_push()
        self.assertEqual(daemon.dns_port, 53)
        # What a port below 1024 takes, also for the process that takes over at an upgrade.
        self.assert_credentials(daemon, UID, GID, [GID, MORE], BIND, BIND)
        self.assert_confined(daemon)
        self.assert_works(daemon)
        file = (daemon.folder / "run" / "sluice.sock").stat()
        self.assertEqual((file.st_uid, file.st_gid, stat.S_IMODE(file.st_mode)), (UID, MORE, 0o660))
        # The directories that were missing, and all that is in them.
        self.assert_owned(daemon.folder / "state", UID)
        self.assert_owned(daemon.folder / "run", UID)
        self.assertEqual(daemon.folder.stat().st_uid, 0, "what was there stays as it was")
        self.assertEqual(self.warnings(daemon.log()), [])
        self.assert_ends(daemon)
        # The store is there for the next start, the drains with it.
        self.launch(daemon)
        daemon.await_ready()
        self.assert_members(daemon, [3])
        self.assert_ends(daemon)

    def test_keeps_nothing_on_high_ports(self):
        daemon = self.start(user=USER)
        self.assert_credentials(daemon, UID, GID, [GID, MORE], 0, 0)
        self.assert_works(daemon)
        self.assert_ends(daemon)

    def test_remains_root_without_a_user_and_without_privileges(self):
        daemon = self.start()
        groups = sorted(os.getgroups())
        self.assert_credentials(daemon, 0, os.getegid(), groups, 0, 0)
        self.assert_confined(daemon)
        self.assertRegex(daemon.log(), "warning runs as root: write `user: NAME` into ")
        self.assert_works(daemon)
        self.assert_ends(daemon)

    def test_says_who_may_not_use_the_store(self):
        daemon = self.make(user=USER)
        state = daemon.folder / "state"
        state.mkdir(mode=0o700)
        self.launch(daemon)
        self.assertIn(f"{state}: user {USER} may not read and write it; as root: "
                      f"chown -R {USER} {state}", self.refused(daemon))  # fmt: skip
        self.assertEqual(state.stat().st_uid, 0, "what is there stays as it is")
        # As after years as root.
        os.chown(state, UID, GID)
        (state / "lock").touch(mode=0o600)
        self.launch(daemon)
        self.assertIn(f"{state}/lock: user {USER} may not read and write it", self.refused(daemon))

    def test_says_that_there_is_no_such_user(self):
        daemon = self.make(user="nobody-at-all")
        self.launch(daemon)
        self.assertIn("sluice.yaml: user: this machine has no user nobody-at-all",
                      self.refused(daemon))  # fmt: skip

    def test_says_at_the_start_that_reloads_will_fail(self):
        daemon = self.make(user=USER)
        daemon.write_config()
        daemon.file.chmod(0o600)
        checked = processes.run(self.command(daemon, "--check"), env=self.environment)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertRegex(checked.stderr, f"warning: as user {USER} .*\n.*Permission denied")
        self.launch(daemon)
        daemon.await_ready()
        self.assertRegex(daemon.log(), f"as user {USER} every reload would be refused:\n.*denied")
        reply = daemon.api().call("POST", "/v1/reload")
        self.assertEqual(reply.status, 409, reply.text)
        self.assertIn("Permission denied", reply.text)
        daemon.file.chmod(0o644)
        self.assertEqual(daemon.api().call("POST", "/v1/reload").status, 200)

    def test_check_changes_nothing(self):
        daemon = self.make(user=USER)
        daemon.write_config()
        checked = processes.run(self.command(daemon, "--check"), env=self.environment)
        self.assertEqual((checked.returncode, self.warnings(checked.stderr)), (0, []))
        self.assertEqual(sorted(path.name for path in daemon.folder.iterdir()), ["sluice.yaml"])

    def test_a_user_is_not_changed_by_a_reload(self):
        daemon = self.start(user=USER)
        daemon.config["user"] = "root"
        daemon.write_config()
        reply = daemon.api().call("POST", "/v1/reload")
        self.assertEqual(reply.status, 409, reply.text)
        self.assertIn("user", reply.text)


class StartedByAnOrdinaryUser(Privileges):
    def test_does_all_its_work_on_high_ports(self):
        daemon = self.start_alone(UID)
        daemon.await_ready()
        daemon.agents_push()
        self.assert_credentials(daemon, UID, UID, [], 0)
        self.assert_confined(daemon)
        self.assert_works(daemon)
        self.assertEqual(self.warnings(daemon.log()), [])
        self.assert_ends(daemon)

    def test_may_not_be_another(self):
        daemon = self.start_alone(UID, user="daemon")
        self.assertIn(f"user: is daemon, but sluiced was started by {UID}: start it as that user or "
                      "as root", self.refused(daemon))  # fmt: skip

    def test_says_who_may_not_make_the_store(self):
        daemon = self.start_alone(UID, store={"directory": "/sluice-test/state"})
        self.assertIn(f"/sluice-test: user {UID} may not make it; as root: install -d -m 0750 "
                      f"-o {UID} /sluice-test/state", self.refused(daemon))  # fmt: skip


class ConfinedWorkers(Privileges):
    """A call that a worker needs and may not make would show as a lost answer, or as the end."""

    def flood(self, daemon, rounds):
        generator = random.Random(20261129)  # any; the same in each run
        query = dns.encode_query(POOL, "A", payload=1232)
        framed = struct.pack(">H", len(query)) + query
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.connect(("127.0.0.1", daemon.dns_port))
            for turn in range(rounds):
                udp.send(generator.randbytes(generator.randrange(600)))
                udp.send(query)
                with socket.create_connection(("127.0.0.1", daemon.dns_port)) as tcp:
                    tcp.settimeout(20)
                    if turn % 4 == 0:
                        tcp.sendall(framed[: turn % 30])  # and gone
                    elif turn % 4 == 1:
                        tcp.sendall(generator.randbytes(200))
                    elif turn % 4 == 2:
                        # Reset in the middle of an answer.
                        tcp.sendall(framed * 50)
                        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    else:
                        tcp.sendall(framed * 3)
                        for _ in range(3):
                            self.assertEqual(len(dns.decode(dns.read_tcp(tcp)).answer), 3)

    def test_answer_through_garbage_churn_and_reloads(self):
        daemon = self.start(user=USER)
        for _ in range(3):
            self.flood(daemon, 200)
            self.assertEqual(daemon.api().call("POST", "/v1/reload").status, 200)
        self.assert_works(daemon)
        self.assert_ends(daemon)

    def test_take_clients_again_after_the_files_were_used_up(self):
        most = 120
        daemon = self.start(
            limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)), user=USER
        )
        with contextlib.ExitStack() as clients:
            for port in (daemon.dns_port, daemon.api_port):
                for _ in range(most):
                    with contextlib.suppress(OSError):
                        clients.enter_context(
                            socket.create_connection(("127.0.0.1", port), timeout=5)
                        )
            self.assert_members(daemon, [1, 2, 3])  # UDP goes on
        eventually(lambda: self.members(daemon, tcp=True) == [1, 2, 3], "TCP answers again")
        self.assert_works(daemon)
        self.assert_ends(daemon)


def can_bind_over():
    """Whether a user database of the test's own can be put in place."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return True  # the tests say so
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


if __name__ == "__main__":
    if not can_bind_over():
        print("privileges_test: mount namespaces are refused here: skipped")
        sys.exit(0)
    main()
