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

from support.scenario import Scenario, main
from support.sluiced import configuration, server_name

FE01 = server_name(1)
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
