"""Pools from a list file: they start, answer, drain and reload as pools that are written out."""

import hashlib
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, Sluiced

POOLS = 2_000
ZONE = """\
@    300 IN SOA ns1 hostmaster 1 3600 600 86400 10
@    300 IN NS  ns1
ns1  300 IN A   127.0.0.1
"""


def pool(number):
    return f"pool{number:06}.scale.example"


def server(number, of):
    return f"fe{number:02}.{pool(of)}"


def address(number, of):
    value = 3 * (of - 1) + number
    return f"10.0.{value >> 8}.{value & 255}"


def records(pools):
    lines = ["$ORIGIN scale.example.\n"]
    for of in range(1, pools + 1):
        for number in (1, 2, 3):
            lines.append(f"fe{number:02}.pool{of:06} A {address(number, of)}\n")
    return lines


def configuration():
    sha256 = hashlib.sha256(OPERATOR.encode()).hexdigest()
    return {
        "dns": {"identity": "ns1.scale.example", "listen": ["127.0.0.1@0"], "workers": 2},
        "api": {
            "listen": ["127.0.0.1@0"],
            "socket": {"path": "sluice.sock", "mode": "0600"},
            "tokens": [{"name": "operations", "role": "operator", "sha256": sha256}],
        },
        "store": {"directory": "state"},
        "services": {"front-end": {"title": "Front-End"}},
        "zones": [{"name": "scale.example", "records": ZONE}],
        "pools": [{"list": "pools.zone", "service": "front-end", "ttl": "1s"}],
    }


class List(Scenario):
    def begin(self):
        """A daemon of 2,000 pools, and the lines of its list."""
        folder = self.folder / "authority"
        folder.mkdir()
        lines = records(POOLS)
        (folder / "pools.zone").write_text("".join(lines))
        daemon = Sluiced(self.build, folder, configuration())
        self.daemons.append(daemon)
        return daemon, lines

    def reload(self, daemon, lines, expected=200):
        (daemon.folder / "pools.zone").write_text("".join(lines))
        reply = daemon.api().call("POST", "/v1/reload")
        self.assertEqual(reply.status, expected, reply.text)
        return reply

    def assert_answer(self, daemon, of, numbers):
        got = dns.dig(daemon.dns_port, pool(of), "A")
        self.assertEqual(sorted(got), sorted(address(number, of) for number in numbers))

    def test_first_and_last_pool_answer_and_drain(self):
        daemon, _ = self.begin()
        for of in (1, POOLS):
            self.assert_answer(daemon, of, [1, 2, 3])
            self.assertEqual(dns.dig(daemon.dns_port, server(2, of), "A"), [address(2, of)])
            daemon.api().drain(server(2, of))
            self.assert_answer(daemon, of, [1, 3])
        self.assert_answer(daemon, 2, [1, 2, 3])

    def test_a_second_start_keeps_holds(self):
        daemon, _ = self.begin()
        daemon.api().drain(server(1, 1234))
        daemon.restart()
        self.assert_answer(daemon, 1234, [2, 3])

    def test_all_pools_are_shown(self):
        daemon, _ = self.begin()
        shown = daemon.api().get("/v1/pools")["pools"]
        self.assertEqual([view["pool"] for view in shown], [pool(of) for of in range(1, POOLS + 1)])

    def test_a_reload_takes_a_changed_list_and_keeps_holds(self):
        daemon, lines = self.begin()
        daemon.api().drain(server(1, 7))
        # Pool 1 goes, so all numbers change; one comes behind.
        self.reload(daemon, [lines[0], *lines[4:], "fe01.late A 10.9.9.9\n"])
        self.assertEqual(dns.dig(daemon.dns_port, "late.scale.example", "A"), ["10.9.9.9"])
        self.assertEqual(dns.dig(daemon.dns_port, pool(1), "A"), [])
        self.assert_answer(daemon, 7, [2, 3])

    def test_a_bad_list_is_refused_with_file_and_line(self):
        daemon, lines = self.begin()
        bad = list(lines)
        bad[41] = "fe02.pool000014 A 10.0.0.256\n"
        reply = self.reload(daemon, bad, expected=409)
        where = f"{daemon.folder}/pools.zone:42: pools[0].list: must be an IPv4 address"
        self.assertIn(where, reply.json["detail"])
        daemon.hang_up()
        eventually(lambda: where in daemon.log(), "the log says where")
        self.assert_answer(daemon, 14, [1, 2, 3])
        self.reload(daemon, lines)

    def test_check_tells_what_is_wrong_and_what_is_there(self):
        daemon, lines = self.begin()
        command = [self.build / "sluiced", "--config", daemon.file, "--check"]
        good = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertIn("2000 pools, 6000 servers", good.stdout)
        (daemon.folder / "pools.zone").write_text(lines[0] + lines[1] + lines[1])
        bad = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(bad.returncode, 1)
        self.assertIn("pools.zone:3: pools[0].list: 10.0.0.1 is an address of the pool", bad.stderr)


if __name__ == "__main__":
    main()
