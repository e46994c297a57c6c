"""The Debian packages: what is in them, what lintian and systemd think of them, and their life on a
machine with a real systemd: installed, asked, reloaded, hung, upgraded, removed, purged."""

import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.machine import Machine, why_not
from support.polling import eventually
from support.scenario import Scenario, main

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ("sluice-authority", "sluice-agent", "sluice-tools")
PROGRAMS = {
    "sluice-authority": "usr/sbin/sluiced",
    "sluice-agent": "usr/sbin/sluice-agent",
    "sluice-tools": "usr/bin/sluicectl",
}
SERVICES = ("sluiced", "sluice-agent")
POOL = "pool01.contoso.example"
# Of 10, by `systemd-analyze security`; what is called OK begins at 2. What is left is what a server
# does: it has IP sockets, and the host's network and users.
MOST_EXPOSED = 2.0
# Where a package might leave something, but for the places where that is its design or others write
# meanwhile: dpkg's own notes and logs, caches, what deb-systemd-helper and sysusers keep (the users
# stay, postrm says why).
COMPARED = "/etc /home /opt /srv /usr /var"
NOT_COMPARED = (
    "/var/cache", "/var/lib/dpkg", "/var/lib/systemd", "/var/log", "/var/tmp",
    "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-",
)  # fmt: skip


def succeed(words, **options):
    done = processes.run(words, **options)
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


class Package(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.packages = cls.build / "packages"
        said = succeed([ROOT / "tools" / "package", cls.build], timeout=250)
        cls.said = said.splitlines()
        cls.debs = [next(cls.packages.glob(f"{name}_*.deb")) for name in NAMES]

    def unpacked(self, name):
        folder = self.folder / name
        if not folder.exists():
            succeed(["dpkg-deb", "-x", self.debs[NAMES.index(name)], folder])
        return folder


class Content(Package):
    def test_a_second_run_has_nothing_to_do(self):
        self.assertRegex(self.said[-1], r"^tools/package: (made|up to date): .*sluice-tools_")
        before = [deb.stat().st_mtime_ns for deb in self.debs]
        said = succeed([ROOT / "tools" / "package", self.build]).splitlines()
        self.assertEqual(len(said), 1)
        self.assertIn("up to date", said[0])
        self.assertEqual([deb.stat().st_mtime_ns for deb in self.debs], before)

    def test_programs_are_hardened(self):
        for name, program in PROGRAMS.items():
            path = self.unpacked(name) / program
            read = succeed(["readelf", "--wide", "--file-header", "--program-headers", "--dynamic",
                            "--dyn-syms", path])  # fmt: skip
            with self.subTest(program):
                self.assertRegex(read, r"Type:\s+DYN \(Position-Independent Executable")
                self.assertRegex(read, r"GNU_RELRO")
                self.assertRegex(read, r"BIND_NOW|Flags:.*NOW")
                self.assertRegex(read, r"GNU_STACK\s.*\sRW\s", "no stack that can be run")
                self.assertNotRegex(read, r"LOAD\s.*\sRWE\s", "nothing both written and run")
                self.assertIn("__stack_chk_fail", read)
                self.assertRegex(read, r"__\w+_chk@", "fortified calls")
                self.assertNotRegex(read, r"R(UN)?PATH")

    def test_dependencies_are_those_of_the_programs(self):
        depends = {name: succeed(["dpkg-deb", "-f", deb, "Depends"]).strip()
                   for name, deb in zip(NAMES, self.debs)}  # fmt: skip
        for library in ("libc6", "libuv1", "libldns3", "libsqlite3-0", "libyaml-cpp0.7"):
            self.assertRegex(depends["sluice-authority"], rf"\b{re.escape(library)} ")
        self.assertIn("libcurl4 ", depends["sluice-tools"])
        self.assertNotIn("systemd", depends["sluice-tools"])

    def test_the_version_is_that_of_the_programs(self):
        for name, deb in zip(NAMES, self.debs):
            version = succeed(["dpkg-deb", "-f", deb, "Version"]).strip()
            program = self.unpacked(name) / PROGRAMS[name]
            self.assertTrue(succeed([program, "--version"]).strip().endswith(f" {version}"))

    def test_pages_and_completions_of_the_build_are_in_them(self):
        files = {
            path.name.removesuffix(".gz")
            for name in NAMES
            for path in self.unpacked(name).rglob("*")
            if path.is_file()
        }
        for folder in ("man", "completion/bash", "completion/zsh"):
            for path in (self.build / folder).glob("*"):
                self.assertIn(path.name, files)

    def test_lintian_finds_nothing_that_has_no_reason(self):
        # spelling-error-in-binary: it takes machine code for text ("mor", "anothe").
        found = processes.run(
            ["lintian", "--allow-root", "--display-info", "--tag-display-limit", "0",
             "--suppress-tags", "spelling-error-in-binary", *self.packages.glob("*.changes")],
            timeout=250,
        )  # fmt: skip
        tags = found.stdout.splitlines()
        if not (self.build / "man").is_dir():
            tags = [tag for tag in tags if " no-manual-page " not in tag]
        self.assertEqual(tags, [], found.stderr)


class Life(Package):
    """One machine, from its first package to its last."""

    def setUp(self):
        super().setUp()
        if (reason := why_not()) is not None:
            raise unittest.SkipTest(f"no machine of its own can be had here: {reason}")
        self.shared = self.folder / "shared"
        self.shared.mkdir()
        for file in (*self.debs, self.build / "upgrade_flood"):
            shutil.copy(file, self.shared)
        self.machine = Machine(self.shared)
        self.addCleanup(self.machine.end)

    def sh(self, script, status=0):
        done = self.machine.shell(script)
        self.assertEqual(
            done.returncode, status,
            f"{script}\n{done.stdout}{done.stderr}\n" + (self.journal() if status == 0 else ""),
        )  # fmt: skip
        return done.stdout

    def journal(self):
        return self.machine.shell("journalctl --no-pager -o short | tail -n 60").stdout

    def property(self, name, service="sluiced"):
        return self.sh(f"systemctl show --value -p {name} {service}").strip()

    def files(self):
        pruned = " -o ".join(f"-path {path}" for path in NOT_COMPARED)
        return set(self.sh(f"find {COMPARED} \\( {pruned} \\) -prune -o -print").splitlines())

    def dig(self, *words, port=5353):
        return sorted(self.sh(f"dig @127.0.0.1 -p {port} +short " + " ".join(words)).split())

    def fe01(self):
        pools = json.loads(self.sh(f"sluicectl --json status {POOL}"))
        pool = pools["pools"][0] if "pools" in pools else pools
        return next(each for each in pool["servers"] if each["server"] == f"fe01.{POOL}")

    def edit(self, file, old, new):
        text = self.sh(f"cat {file}")
        self.assertIn(old, text)
        (self.shared / "edited").write_text(text.replace(old, new))
        self.sh(f"cat /mnt/edited >{file}")

    def test_from_the_first_package_to_the_last(self):
        self.sh("useradd olga; useradd otto")
        before = self.files()
        self.sh("dpkg -i /mnt/*.deb")
        self.check_the_authority_as_installed()
        self.check_the_units()
        self.check_who_may_what()
        self.check_reloads()
        self.check_the_agent()
        self.check_a_hook()
        self.check_the_watchdog()
        self.check_port_53()
        self.check_an_upgrade()
        self.check_an_upgrade_that_fails()
        self.check_a_stop()
        self.check_a_removal()
        self.sh(f"dpkg --purge {' '.join(NAMES)}")
        self.assertEqual(sorted(self.files() - before), [], "left behind")
        self.assertEqual(sorted(before - self.files()), [], "taken along")

    def test_who_stops_a_service_or_the_host_waits_for_the_last_session(self):
        """By this machine's systemd and logind, from the agent's sandbox."""
        self.sh("dpkg -i /mnt/*.deb")
        # Anew, so that nobody has to wait for answers of 30 s that caches may still have.
        self.sh("systemctl stop sluiced; rm -r /var/lib/sluice/*")
        self.edit("/etc/sluice/sluice.yaml", "ttl: 30s", "ttl: 1s")
        self.sh("systemctl start sluiced")
        self.let_the_agent_in()
        (self.shared / "front-end.service").write_text(
            # Whoever stops asks the authority, which is on this machine.
            "[Unit]\nAfter=sluice-agent.service sluiced.service\n[Service]\nExecStart=/bin/sleep infinity\n"
            "ExecStop=+/usr/sbin/sluice-agent drain-and-wait front-end --timeout 1min\n"
        )
        (self.shared / "agent.yaml").write_text(
            "authorities: ['http://127.0.0.1:8053']\ntoken_file: agent.token\n"
            f"server: fe01.{POOL}\nreboot: {{delay: true}}\nheartbeat: 200ms\nservices:\n"
            "  front-end:\n    unit: front-end.service\n"
            "    sessions: {calls: {file: /mnt/calls, max_age: 1h}}\n"
        )
        self.calls(1)
        self.sh("cp /mnt/front-end.service /etc/systemd/system/; cp /mnt/agent.yaml /etc/sluice/")
        self.sh("systemctl daemon-reload; systemctl start front-end sluice-agent")
        eventually(lambda: self.front_end()["status"] == "accepting", "the unit is seen")
        eventually(lambda: self.front_end()["sessions"] == {"calls": 1}, "and its session")

        self.sh("systemctl --no-block stop front-end")
        eventually(lambda: self.front_end()["status"] == "draining", "its stop drains it")
        self.assertEqual(self.property("ActiveState", "front-end"), "deactivating")
        self.calls(0)
        eventually(lambda: self.property("ActiveState", "front-end") == "inactive", "it has stopped")
        self.sh("systemctl start front-end")
        eventually(lambda: self.front_end()["status"] == "accepting", "it is in again")

        self.calls(1)
        eventually(lambda: self.front_end()["sessions"] == {"calls": 1}, "a new session")
        self.assertIn("sluice-agent", self.sh("systemd-inhibit --list --no-legend"))
        self.sh("systemctl poweroff")
        eventually(lambda: self.front_end()["status"] == "draining", "the host's end drains it")
        hold = self.front_end()["holds"][0]
        self.assertEqual((hold["by"], hold["reason"]), ("shutdown", "the host shuts down"))
        self.assertIsNone(self.machine.outside.poll())
        self.calls(0)
        eventually(lambda: self.machine.outside.poll() is not None, "the machine is off")

    def calls(self, count):
        fresh = self.shared / "calls.new"
        fresh.write_text(f"{count}\n")
        fresh.rename(self.shared / "calls")

    def front_end(self):
        return self.fe01()["services"]["front-end"]

    def let_the_agent_in(self):
        made = json.loads(self.sh(f"sluicectl --json token agent --server fe01.{POOL}"))
        self.edit("/etc/sluice/sluice.yaml", "tokens: []", f"tokens:\n    {made['line']}")
        self.sh("systemctl reload sluiced")
        (self.shared / "token").write_text(made["token"] + "\n")
        self.sh("install -m 0640 -g sluice-agent /mnt/token /etc/sluice/agent.token")

    def check_the_authority_as_installed(self):
        self.assertEqual(self.property("ActiveState"), "active")
        self.assertEqual(self.property("User"), "sluice")
        self.assertEqual(self.dig(POOL), ["192.0.2.11", "192.0.2.12", "192.0.2.13"])
        self.assertRegex(self.property("StatusText"), r"serving generation \d+, .*3 servers")
        log = self.sh("journalctl -u sluiced -o cat --no-pager")
        self.assertIn("ready\n", log, "the journal knows time and priority")
        self.assertIn("No entries", self.sh("journalctl -u sluiced -p warning --no-pager"))
        # Nothing to say yet, and no failure.
        self.assertEqual(self.property("ActiveState", "sluice-agent"), "inactive")
        self.assertEqual(self.property("ConditionResult", "sluice-agent"), "no")
        self.assertEqual(self.sh("systemctl list-units --failed --plain --no-legend"), "")
        self.sh("systemctl is-enabled " + " ".join(SERVICES))

    def check_the_units(self):
        services = " ".join(f"{name}.service" for name in SERVICES)
        found = self.machine.shell(f"systemd-analyze verify {services}")
        wrong = [
            line
            for line in (found.stdout + found.stderr).splitlines()
            if "Command 'man " not in line or (self.build / "man").is_dir()
        ]
        self.assertEqual(wrong, [])
        for name in SERVICES:
            said = self.sh(f"systemd-analyze security --no-pager {name}.service")
            level = float(re.search(r"exposure level for \S+: ([\d.]+)", said).group(1))
            self.assertLessEqual(level, MOST_EXPOSED, said)

    def check_who_may_what(self):
        self.assert_confined()
        # Operators are the members of the group, and nobody else.
        self.sh("usermod --append --groups sluice,sluice-agent olga")
        self.sh("runuser -u olga -- sluicectl drain fe03 --reason patch")
        self.assertEqual(self.dig(POOL), ["192.0.2.11", "192.0.2.12"])
        self.sh("runuser -u otto -- sluicectl --socket /run/sluice/sluice.sock status", status=5)
        self.sh("runuser -u otto -- cat /etc/sluice/sluice.yaml", status=1)
        self.sh("runuser -u otto -- ls /var/lib/sluice", status=2)

    def assert_confined(self):
        pid = self.property("MainPID")
        status = self.sh(f"cat /proc/{pid}/status")
        self.assertRegex(status, r"CapEff:\s+0*400\n", "CAP_NET_BIND_SERVICE alone")
        self.assertRegex(status, r"NoNewPrivs:\s+1\n")
        self.assertRegex(status, r"Seccomp:\s+2\n")
        filters = {}
        for text in self.sh(f"cat /proc/{pid}/task/*/status").split("Name:")[1:]:
            filters[text.split()[0]] = int(re.search(r"Seccomp_filters:\s+(\d+)", text).group(1))
        workers = {name: count for name, count in filters.items() if name.startswith("dns-")}
        self.assertTrue(workers, filters)
        for count in workers.values():
            self.assertGreater(count, filters["sluiced"], "the workers have one of their own")

    def check_reloads(self):
        config = "/etc/sluice/sluice.yaml"
        self.edit(config, "service: front-end", "service: no-such-service")
        self.sh("systemctl reload sluiced", status=1)
        self.assertIn("no-such-service", self.sh("journalctl -u sluiced -o cat --no-pager"))
        self.assertEqual(self.property("NRestarts"), "0")
        self.edit(config, "service: no-such-service", "service: front-end")
        # What only a running one can refuse stands in its status.
        self.edit(config, "127.0.0.1@8053", "127.0.0.1@8054")
        self.sh("systemctl reload sluiced")
        eventually(lambda: "needs a restart" in self.property("StatusText"), "it says so")
        errors = self.sh("journalctl -u sluiced -p err -o cat --no-pager")
        self.assertRegex(errors, r"(?m)^reload by SIGHUP refused.*\n.*needs a restart", "each line")
        self.edit(config, "127.0.0.1@8054", "127.0.0.1@8053")
        self.edit(config, "ttl: 30s", "ttl: 7s")
        self.sh("systemctl reload sluiced")
        eventually(lambda: "refused" not in self.property("StatusText"), "a good reload")
        self.assertRegex(self.sh(f"dig @127.0.0.1 -p 5353 {POOL} A"), rf"{POOL}\.\s+7\s+IN")
        self.assertEqual(self.property("ActiveState"), "active")
        self.assertEqual(self.property("NRestarts"), "0")

    def check_the_agent(self):
        self.let_the_agent_in()
        self.sh("systemctl start sluice-agent")
        self.assertEqual(self.property("ActiveState", "sluice-agent"), "active")
        eventually(lambda: "answers" in self.property("StatusText", "sluice-agent"), "it is heard")
        # Its default check asks sshd, which does not run here.
        eventually(lambda: self.fe01()["services"]["front-end"]["health"] == "down", "its health")
        self.assertEqual(self.fe01()["lease"]["state"], "current")
        # sock_diag works without a privilege.
        sessions = self.fe01()["services"]["front-end"]["sessions"]
        self.assertEqual(sessions, {"connections": 0})
        self.assertIn("front-end", self.sh("runuser -u olga -- /usr/sbin/sluice-agent status"))
        self.sh("runuser -u otto -- /usr/sbin/sluice-agent status", status=5)
        # What a delayed shutdown needs: logind grants it, for so long.
        self.sh("runuser -u sluice-agent -- systemd-inhibit --what=shutdown --mode=delay true")
        self.assertIn(
            "t 900000000",
            self.sh("busctl get-property org.freedesktop.login1 /org/freedesktop/login1 "
                    "org.freedesktop.login1.Manager InhibitDelayMaxUSec"),
        )  # fmt: skip
        self.sh("runuser -u sluice-agent -- busctl call org.freedesktop.systemd1 "
                "/org/freedesktop/systemd1 org.freedesktop.systemd1.Manager GetUnit s "
                "sluiced.service")  # fmt: skip

    def check_a_hook(self):
        """The agent's commands run in the agent's sandbox, as the unit says."""
        hook = "{ id -un; grep NoNewPrivs /proc/self/status; ls /root 2>&1; } >/var/lib/%s/hook"
        self.edit(
            "/etc/sluice/agent.yaml", "    checks:",
            f"    on_hold: [/bin/sh, -c, '{hook % 'sluice-agent'}']\n    checks:",
        )  # fmt: skip
        self.sh("systemctl restart sluice-agent; sluicectl drain fe01 --force")
        written = lambda: self.machine.shell("cat /var/lib/sluice-agent/hook").stdout  # noqa: E731
        said = eventually(lambda: (text := written()).count("\n") > 2 and text, "the hook has run")
        self.assertRegex(said, r"^sluice-agent\nNoNewPrivs:\s+1\nls: .*denied")
        self.sh("sluicectl resume fe01")

    def check_the_watchdog(self):
        """A daemon that stands still is started anew, and answers; its holds are there. One that has
        taken over is watched as any other."""
        self.sh("mkdir /run/systemd/system/sluiced.service.d; "
                "printf '[Service]\\nWatchdogSec=3\\n' >/run/systemd/system/sluiced.service.d/x.conf; "
                "systemctl daemon-reload; systemctl restart sluiced")  # fmt: skip
        first = self.property("MainPID")
        self.sh("systemctl kill --kill-whom=main -s USR2 sluiced")
        pid = eventually(
            lambda: (pid := self.property("MainPID")) != first and pid, "it has taken over"
        )
        self.sh(f"kill -STOP {pid}")
        eventually(
            lambda: self.property("MainPID") not in (pid, "0")
            and self.property("ActiveState") == "active",
            f"a new one: {self.journal()}",
        )
        self.assertIn("watchdog", self.sh("journalctl -u sluiced -o cat --no-pager").lower())
        self.assertNotIn("192.0.2.13", self.dig(POOL))
        self.sh("rm -r /run/systemd/system/sluiced.service.d; systemctl daemon-reload")

    def check_port_53(self):
        self.edit("/etc/sluice/sluice.yaml", "127.0.0.1@5353", "127.0.0.1@53")
        self.sh("systemctl restart sluiced")
        self.assertTrue(self.dig(POOL, port=53))

    def check_an_upgrade(self):
        pids = {name: self.property("MainPID", name) for name in SERVICES}
        restarts = self.property("NRestarts")
        begin = self.cursor()
        holds = self.sh(f"sluicectl --json status {POOL}").count('"reason":"patch"')
        self.assertGreater(holds, 0)
        for name, deb in zip(NAMES, self.debs):
            self.repack(name, deb, "99.0")
        with self.under_load():
            # A conffile that the administrator changed stays, and nobody is asked.
            self.sh("dpkg -i /mnt/newer-*.deb </dev/null")
        self.assertIn("127.0.0.1@53", self.sh("cat /etc/sluice/sluice.yaml"))
        self.assertEqual(self.sh("stat -c %U:%G:%a /etc/sluice/sluice.yaml"), "root:sluice:640\n")
        for name in SERVICES:
            self.assertEqual(self.property("ActiveState", name), "active")
            self.assertNotEqual(self.property("MainPID", name), pids[name], "another process")
        self.assertEqual(self.property("NRestarts"), restarts)
        self.assertIn("has taken over: this one ends", self.log_since(begin))
        self.assertNotIn("Stopping sluiced", self.log_since(begin))
        self.assertNotIn("not our child", self.log_since(begin))
        self.sh("systemctl status sluiced")
        self.assertRegex(self.property("StatusText"), r"^serving generation \d+")
        self.assert_confined()
        self.assertEqual(
            self.sh(f"sluicectl --json status {POOL}").count('"reason":"patch"'), holds
        )

    def check_an_upgrade_that_fails(self):
        """The old version answers, and the administrator is told, by dpkg already."""
        pid, begin = self.property("MainPID"), self.cursor()
        config = "/etc/sluice/sluice.yaml"
        self.edit(config, "service: front-end", "service: no-such-service")
        self.repack(NAMES[0], self.debs[0], "99.1")
        with self.under_load():
            done = self.machine.shell(f"dpkg -i /mnt/newer-{NAMES[0]}.deb </dev/null")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"did not take over: .*no-such-service")
        self.assertIn("no-such-service", self.property("StatusText"))
        self.assertRegex(self.log_since(begin), r"did not take over, this one goes on: .*status 1")
        self.assertEqual(self.property("MainPID"), pid)
        self.edit(config, "service: no-such-service", "service: front-end")
        with self.under_load():
            self.sh("systemctl kill --kill-whom=main -s USR2 sluiced")
            eventually(lambda: self.property("MainPID") != pid, "now it takes over")
        eventually(
            lambda: self.property("StatusText").startswith("serving"), "and nothing is wrong"
        )
        self.sh("systemctl reload sluiced")
        self.assertEqual(self.property("ActiveState"), "active")

    def check_a_stop(self):
        """Of a process that systemd did not start itself."""
        self.sh("systemctl stop sluiced")
        self.assertEqual(self.property("Result"), "success", self.journal())
        self.assertEqual(self.property("ExecMainStatus"), "0")
        self.sh("test ! -e /sys/fs/cgroup/system.slice/sluiced.service -a ! -e /run/sluice")
        self.sh("systemctl start sluiced")
        self.assertTrue(self.dig(POOL, port=53))

    @contextlib.contextmanager
    def under_load(self):
        """Port 53 is asked without a pause, and nothing is lost."""
        flood = self.machine.start(
            "/mnt/upgrade_flood", "53", "2000", POOL, "1-3",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.assertEqual(flood.stdout.readline(), "asking\n")
        yield
        out, _ = flood.communicate(timeout=60)
        counts = json.loads(out)
        print(counts)
        for kind in ("udp", "tcp", "slow", "fresh"):
            self.assertGreater(counts[kind]["answered"], 0, kind)
            self.assertEqual(counts[kind]["answered"], counts[kind]["asked"], counts)
            for fault in ("lost", "wrong", "refused", "cut"):
                self.assertEqual(counts[kind][fault], 0, counts)

    def cursor(self):
        said = self.sh("journalctl -n 1 --show-cursor -o cat --no-pager")
        return re.search(r"^-- cursor: (\S+)$", said, re.M).group(1)

    def log_since(self, cursor):
        return self.sh(f"journalctl -u sluiced --after-cursor '{cursor}' -o cat --no-pager")

    def repack(self, name, deb, version):
        folder = self.folder / f"newer-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        succeed(["dpkg-deb", "-R", deb, folder])
        control = folder / "DEBIAN" / "control"
        text = re.sub(r"^Version: .*", f"Version: {version}", control.read_text(), flags=re.M)
        control.write_text(text)
        succeed(["dpkg-deb", "-Zgzip", "-z1", "-b", folder, self.shared / f"newer-{name}.deb"])

    def check_a_removal(self):
        self.sh(f"dpkg --remove {' '.join(NAMES)}")
        for name in SERVICES:
            self.sh(f"test ! -e /sys/fs/cgroup/system.slice/{name}.service")
        self.sh("test -f /etc/sluice/sluice.yaml -a -f /etc/sluice/agent.yaml")
        self.sh("test -f /var/lib/sluice/sluice.db -a -f /etc/sluice/agent.token")


if __name__ == "__main__":
    main()
