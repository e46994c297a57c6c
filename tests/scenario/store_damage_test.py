"""A store that is found damaged: its last good copy is used, and no acknowledged hold is lost."""

import pathlib
import re
import sqlite3
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, server_name, v4

PAGE = 4096


class StoreDamage(Scenario):
    def commits(self, path):
        """How many commits the file says it has; none yet: 0."""
        try:
            database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
            try:
                return database.execute("SELECT commits FROM seal").fetchone()[0]
            finally:
                database.close()
        except sqlite3.DatabaseError:
            return 0

    def state(self, daemon, name):
        return daemon.folder / "state" / name

    def start_with_holds(self):
        """Two holds, one of them with everything; the copy has them, then the daemon is killed."""
        daemon = self.start()
        daemon.keep_ports()
        daemon.api().drain(server_name(1), reason="new disks")
        daemon.api().drain(server_name(2), service="call-park", startup="manual", reason="patch")
        wanted = self.commits(self.state(daemon, "sluice.db"))
        eventually(
            lambda: self.commits(self.state(daemon, "sluice.backup.db")) >= wanted,
            "the copy has the holds",
        )
        daemon.kill9()
        return daemon

    def assert_holds(self, daemon):
        """In the very first answers, and whole."""
        pool = dns.ask(daemon.dns_port, POOL, "A")
        self.assertEqual(sorted(pool.data("A")), [v4(2), v4(3)])
        feature = dns.ask(daemon.dns_port, f"call-park.{POOL}", "A")
        self.assertEqual(sorted(feature.data("A")), [v4(3)])
        hold = daemon.api().service(server_name(1), "front-end")["holds"][0]
        self.assertEqual((hold["reason"], hold["by"]), ("new disks", "operations"))
        hold = daemon.api().service(server_name(2), "call-park")["holds"][0]
        self.assertEqual((hold["reason"], hold["startup"]), ("patch", "manual"))

    def assert_went_on_from_the_copy(self, daemon, why):
        self.assertRegex(
            daemon.log(),
            rf"(?m)^\S+ \S+ warning backup: \S+sluice\.db {why}.*"
            r"went on from sluice\.backup\.db, age [0-9]+\.[0-9] s ",
        )
        self.assert_holds(daemon)

    def test_zeros_in_the_database(self):
        daemon = self.start_with_holds()
        path = self.state(daemon, "sluice.db")
        with open(path, "r+b") as file:
            file.seek(PAGE)
            file.write(bytes(path.stat().st_size - PAGE))
        pathlib.Path(f"{path}-wal").unlink(missing_ok=True)
        daemon.start()
        self.assert_went_on_from_the_copy(daemon, r"is damaged \(")
        kept = re.search(r"kept as (sluice\.db\.damaged-\S+)", daemon.log()).group(1)
        self.assertTrue(self.state(daemon, kept).exists())
        # From now on it is a store like any other.
        daemon.api().resume(server_name(1))
        daemon.restart()
        self.assertNotIn("backup:", daemon.log())
        self.assertEqual(sorted(dns.ask(daemon.dns_port, POOL, "A").data("A")), [v4(1), v4(2), v4(3)])

    def test_a_database_that_is_gone(self):
        daemon = self.start_with_holds()
        for end in ("", "-wal", "-shm"):
            pathlib.Path(f"{self.state(daemon, 'sluice.db')}{end}").unlink(missing_ok=True)
        daemon.start()
        self.assert_went_on_from_the_copy(daemon, "is missing")

    def test_a_journal_that_is_gone(self):
        daemon = self.start_with_holds()
        pathlib.Path(f"{self.state(daemon, 'sluice.db')}-wal").unlink()
        daemon.start()
        self.assert_went_on_from_the_copy(daemon, r"is (older than it was|damaged)")

    def test_a_copy_that_is_damaged_is_made_anew_meanwhile(self):
        daemon = self.start_with_holds()
        copy = self.state(daemon, "sluice.backup.db")
        copy.write_bytes(b"\xa5" * copy.stat().st_size)
        daemon.start()
        self.assert_holds(daemon)
        wanted = self.commits(self.state(daemon, "sluice.db"))
        eventually(lambda: self.commits(copy) >= wanted, "the copy is whole again")

    def test_both_damaged_is_refused(self):
        daemon = self.start_with_holds()
        for name in ("sluice.db", "sluice.backup.db"):
            path = self.state(daemon, name)
            path.write_bytes(b"\xa5" * path.stat().st_size)
        daemon.launch()
        self.assertEqual(daemon.process.wait(timeout=30), 1)
        for name in ("sluice.db", "sluice.backup.db"):
            self.assertRegex(daemon.log(), rf"{re.escape(name)} is damaged \(")
        daemon.process = None


if __name__ == "__main__":
    main()
