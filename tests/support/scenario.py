"""The frame of every scenario: a temporary folder, a sluiced, an end that finds it healthy."""

import pathlib
import shutil
import sys
import tempfile
import unittest

from support import dns
from support.sluiced import POOL, Sluiced, configuration, is_sanitized, v4, v6


class Scenario(unittest.TestCase):
    build = pathlib.Path()  # set by main()
    longMessage = True

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.daemons = []
        # Cleanups run last to first: what a test adds ends before its daemons do.
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.end_daemons)

    def end_daemons(self):
        self.assertEqual(self.broken_daemons(), [], "a daemon ended badly")

    def broken_daemons(self):
        """What daemons that still ran said when they did not end with 0 on SIGTERM."""
        broken = []
        for daemon in self.daemons:
            if daemon.process is None:
                continue
            # Killed by the test itself is fine; dead by a fault of its own, or by a sanitizer's
            # finding, is not.
            status = daemon.stop()
            if status not in (0, -9):
                broken.append((status, daemon.log()[-6000:]))
        return broken

    def start(self, config=None, folder="authority", agents=True, tls=None, **pool):
        """A sluiced whose agents have all said that everything is up; `tls`: of all its clients."""
        path = self.folder / folder
        path.mkdir(exist_ok=True)
        daemon = Sluiced(self.build, path, config or configuration(**pool), start=False)
        daemon.tls = tls
        self.daemons.append(daemon)
        daemon.start()
        if agents:
            daemon.agents_push()
        return daemon

    @property
    def sanitized(self):
        return is_sanitized(self.build)

    # The members of an address RRset, by the numbers of the servers.
    def members(self, daemon, name=POOL, qtype="A", tcp=False):
        answer = dns.ask(daemon.dns_port, name, qtype, tcp=tcp)
        self.assertEqual(answer.rcode, dns.NOERROR, f"{name} {qtype}")
        addresses = {v4(n): n for n in range(1, 100)} | {v6(n): n for n in range(1, 100)}
        return sorted(addresses.get(data, data) for data in answer.data(qtype))

    def assert_members(self, daemon, expected, name=POOL, qtype="A"):
        self.assertEqual(self.members(daemon, name, qtype), sorted(expected), f"{name} {qtype}")

    def assert_reply(self, reply, status, **fields):
        """A problem document of that status with those members."""
        self.assertEqual(reply.status, status, reply.text)
        if status >= 400:
            self.assertEqual(reply.headers.get("content-type"), "application/problem+json")
            self.assertEqual(reply.json["status"], status)
            for member in ("type", "title", "detail"):
                self.assertIn(member, reply.json)
        for name, value in fields.items():
            self.assertEqual(reply.json.get(name), value, reply.text)
        return reply.json


def main():
    """python3 X_test.py BUILD [unittest's arguments]"""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD [-v] [Class.test]")
    Scenario.build = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(module="__main__", verbosity=2)
