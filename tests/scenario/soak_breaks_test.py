"""The soak sees what is wrong on purpose: each fault of its own ends a run with a violation that
names it, how to have it again, and where everything is kept."""

import pathlib
import re
import shutil
import sys
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import processes
from support.scenario import Scenario, main

SKIPPED = 77
# Any seed finds them within seconds; some minutes are for a busy machine.
SEED, MINUTES, PATIENCE_SECONDS = 7, 3, 280


class Breaks(Scenario):
    def soak(self, broken):
        done = processes.run(
            [sys.executable, HERE / "soak" / "run.py", self.build, "--seed", SEED, "--minutes",
             MINUTES, "--break", broken], timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        if done.returncode == SKIPPED:
            raise unittest.SkipTest(done.stdout.strip())
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1, said)
        kept = pathlib.Path(re.search(r"are kept in (\S+)", said).group(1))
        self.addCleanup(shutil.rmtree, kept, ignore_errors=True)
        self.assertTrue((kept / "kept-state" / "sluice.db").exists(), said)
        self.assertIn("VIOLATION", (kept / "events.log").read_text(encoding="utf-8"))
        self.assertIn(f"tools/soak --minutes {MINUTES} --seed {SEED}", said)
        return said

    def test_a_hold_that_is_lifted_behind_its_back(self):
        self.assertRegex(self.soak("resume"), r"violation: .*(a hold of|names)")

    def test_answers_from_before(self):
        self.assertRegex(self.soak("relay"), r"violation: udp-relayed|violation: .*-relayed|unbound")


if __name__ == "__main__":
    main()
