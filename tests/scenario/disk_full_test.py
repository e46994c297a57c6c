"""When the store fails, a hold is in force but not acknowledged, and a retry is harmless."""

import os
import pathlib
import resource
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes
from support.api import Api
from support.host import Host
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, POOL, configuration, server_name, v4

FE01, FE02 = server_name(1), server_name(2)
# More drains than any free space of the small file system has room for.
ENOUGH = 400


class DiskFull(Scenario):
    def refuse_writes(self, daemon):
        """From now on the kernel refuses every write to a file with EFBIG."""
        _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (0, hard))

    def allow_writes(self, daemon):
        _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def start_limited(self, **pool):
        """The limit's signal would end the process; a full disk sends none."""
        daemon = self.start(**pool)
        assert daemon.stop() == 0
        daemon.start(limits=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
        daemon.agents_push()
        return daemon

    def test_507_says_in_force_and_the_answers_are_already_without_the_server(self):
        daemon = self.start_limited()
        self.refuse_writes(daemon)
        reply = daemon.api().try_drain(FE01)
        self.assert_reply(reply, 507, in_force=True)
        self.assert_members(daemon, [2, 3])

    def test_a_retry_succeeds_when_there_is_space_again(self):
        daemon = self.start_limited()
        self.refuse_writes(daemon)
        self.assert_reply(daemon.api().try_drain(FE01), 507, in_force=True)
        self.assert_reply(daemon.api().try_drain(FE01), 507, in_force=True)
        self.allow_writes(daemon)
        daemon.api().drain(FE01)
        daemon.kill9()
        daemon.start()
        self.assert_members(daemon, [2, 3])
        self.assertEqual(len(daemon.api().service(FE01, "front-end")["holds"]), 1)

    def test_a_resume_that_cannot_be_stored_leaves_the_hold(self):
        daemon = self.start_limited()
        daemon.api().drain(FE01)
        self.refuse_writes(daemon)
        self.assert_reply(daemon.api().try_resume(FE01), 507)
        self.assert_members(daemon, [2, 3])
        self.allow_writes(daemon)
        daemon.api().resume(FE01)
        self.assert_members(daemon, [1, 2, 3])

    def test_it_goes_on_answering_and_counts_its_failures(self):
        daemon = self.start_limited()
        self.refuse_writes(daemon)
        daemon.api().try_drain(FE01)
        daemon.agent(2).say(health="down")
        self.assert_members(daemon, [3])
        metrics = daemon.api().call("GET", "/metrics").text
        self.assertRegex(metrics, r"(?m)^sluice_store_failures_total [1-9]")

    def test_the_audit_has_afterwards_what_happened_meanwhile(self):
        daemon = self.start_limited()
        self.refuse_writes(daemon)
        self.assert_reply(daemon.api().try_drain(FE01, reason="while it was full"), 507)
        self.allow_writes(daemon)
        daemon.api().drain(FE02, reason="afterwards")

        def told(server):
            events = daemon.api().get(f"/v1/servers/{server}/history")["events"]
            return [event["text"] for event in events if event["type"] == "drain"]

        self.assertEqual(told(FE02), ["afterwards"])
        self.assertEqual(told(FE01), ["while it was full"])

    def test_a_log_that_cannot_be_written_stops_nothing(self):
        daemon = self.start()
        daemon.keep_ports()
        daemon.write_config()
        dns_port, api_port = daemon.dns_port, daemon.api_port
        self.assertEqual(daemon.stop(), 0)
        with open("/dev/full", "w", encoding="utf-8") as full:
            daemon.process = processes.start(
                [self.build / "sluiced", "--config", daemon.file], stdout=full, stderr=full
            )
        api = Api(port=api_port, token=OPERATOR)
        self.addCleanup(api.close)

        def ready():
            try:
                return api.call("GET", "/readyz").status == 200
            except OSError:
                return False

        eventually(ready, "it serves")
        api.drain(FE01)
        answer = dns.ask(dns_port, POOL, "A")
        self.assertEqual(answer.data("A"), [v4(2), v4(3)])
        daemon.process.terminate()
        self.assertEqual(daemon.process.wait(timeout=30), 0)

    def test_a_backup_onto_a_full_disk_says_so_and_leaves_nothing(self):
        daemon = self.start()
        target = self.folder / "backup"
        target.mkdir()
        file = target / "sluice.db"

        def backup(octets):
            def limits():
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (octets, octets))

            return processes.run(
                [self.build / "sluicectl", "--socket", daemon.folder / "sluice.sock", "backup",
                 file], preexec_fn=limits,
            )  # fmt: skip

        failed = backup(4096)
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        self.assertIn("File too large", failed.stderr)
        self.assertEqual(list(target.iterdir()), [], "a part of it is left")
        self.assertEqual(backup(1 << 30).returncode, 0)
        self.assertTrue(file.exists())

    def test_a_full_disk_of_an_agent_keeps_no_pause_and_says_so(self):
        daemon = self.start()
        host = Host(daemon, 1, services=("front-end",))
        host.start_agent(limits=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))

        def pushed():
            return daemon.api().server(FE01)["services"]["front-end"]["sessions"]

        host.sessions(7)
        eventually(lambda: pushed() == {"connections": 7}, "it pushes")
        _, hard = resource.prlimit(host.agent.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(host.agent.pid, resource.RLIMIT_FSIZE, (0, hard))
        for words in (["pause"], ["pause", "--force"]):
            refused = host.type(*words)
            self.assertEqual(refused.returncode, 1, refused.stdout + refused.stderr)
            self.assertIn("nothing is held: the pause cannot be kept on disk", refused.stderr)
        # The authority had placed it, and learns of the failure by the next push.
        eventually(lambda: self.members(daemon) == [1, 2, 3], "nothing is held")
        host.sessions(8)
        eventually(lambda: pushed() == {"connections": 8}, "it goes on pushing")
        resource.prlimit(host.agent.pid, resource.RLIMIT_FSIZE, (hard, hard))
        paused = host.type("pause")
        self.assertEqual(paused.returncode, 0, paused.stdout + paused.stderr)
        self.assert_members(daemon, [2, 3])
        self.assertEqual(host.type("resume").returncode, 0)
        host.kill_agent()
        host.stop_service()

    def test_a_really_full_file_system(self):
        small = self.folder / "small"
        small.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k", "sluice-test", small],
            capture_output=True, check=False,
        )  # fmt: skip
        if mounted.returncode != 0:
            raise unittest.SkipTest("may not mount a file system here")
        self.addCleanup(subprocess.run, ["umount", "--lazy", small], check=True)
        config = configuration()
        config["store"]["directory"] = str(small / "state")
        daemon = self.start(config)
        self.fill(small / "filler")
        for _ in range(ENOUGH):
            reply = daemon.api().try_drain(FE01, reason="x" * 1000)
            if reply.status == 507:
                break
            self.assertEqual(reply.status, 200, reply.text)
            resumed = daemon.api().try_resume(FE01)
            if resumed.status == 507:
                reply = daemon.api().try_drain(FE01)
                break
        self.assertIn(reply.status, (200, 507))
        self.assert_members(daemon, [2, 3])
        (small / "filler").unlink()
        daemon.api().drain(FE01)
        daemon.kill9()
        daemon.start()
        self.assert_members(daemon, [2, 3])
        self.assertEqual(daemon.stop(), 0)

    def fill(self, file):
        with open(file, "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(os.urandom(4096))
            except OSError:
                pass


if __name__ == "__main__":
    main()
