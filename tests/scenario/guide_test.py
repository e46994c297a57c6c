"""tools/guide/deploy.md, typed as it stands: on machines of its own, with a real parent zone in Knot,
a real Unbound that follows the delegation, and real programs.

What stands in for the surroundings: `systemctl` starts what the units start and `ssh` goes to the
other machine by its namespaces. SHORTER says what differs besides."""

import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import machines, peers, processes
from support.polling import eventually
from support.scenario import Scenario, main

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "tools/guide/deploy.md"
BLOCK = re.compile(r"^```(\S+)( by hand)?(?: on ([a-z0-9 ]+?))?(?: (/\S+))?\n(.*?)^```$", re.M | re.S)
ADDRESSES = {
    "parent": "192.0.2.1", "resolver": "192.0.2.2", "ns1": "192.0.2.53",
    "fe01": "192.0.2.11", "fe02": "192.0.2.12", "fe03": "192.0.2.13",
}  # fmt: skip
# So that the test waits less; and nobody has made a group.
SHORTER = {
    "ttl: 30s": "ttl: 3s",
    "roll pool01 --timeout 2h": "roll pool01 --timeout 2h --soak 1s",
    "; chgrp sluice-agent /etc/sluice/agent.key": "",
    "-g sluice ": "",
}
PARENT = """\
$ORIGIN contoso.example.
@    3600 IN SOA ns.contoso.example. hostmaster.contoso.example. 1 3600 600 86400 300
@    3600 IN NS  ns
ns   3600 IN A   192.0.2.1
"""

SYSTEMCTL = """\
#!/bin/bash
# systemctl VERB UNIT: what the units' ExecStart and ExecReload say, and no more.
unit=${@: -1}
pid=/run/$unit.main-pid
stop() {
  [[ -e $pid ]] || return 0
  kill "$(cat "$pid")"
  while kill -0 "$(cat "$pid")" 2>/dev/null; do sleep 0.02; done
  rm "$pid"
}
start() {
  mkdir -p /run/sluice /var/lib/sluice /var/lib/sluice-agent
  case $unit in
    sluiced) run=(sluiced --config /etc/sluice/sluice.yaml) ;;
    sluice-agent) run=(sluice-agent run --config /etc/sluice/agent.yaml) ;;
    front-end) run=(python3 "${BASH_SOURCE[0]%/*}/front-end") ;;
    *) echo "no unit $unit" >&2; exit 5 ;;
  esac
  : >"/run/$unit.log"  # what the run before said must not be taken for this one's word
  "${run[@]}" </dev/null >>"/run/$unit.log" 2>&1 &
  echo $! >"$pid"
  for ((i = 0; i < 1000; i++)); do
    case $unit in
      sluiced) grep -q ' ready$' "/run/$unit.log" && return ;;
      sluice-agent) [[ -e /run/sluice-agent/agent.sock ]] && return ;;
      *) return ;;
    esac
    sleep 0.02
  done
  cat "/run/$unit.log" >&2
  exit 1
}
case $1 in
  restart) stop; start ;;
  stop) stop ;;
  reload)
    sluiced --config /etc/sluice/sluice.yaml --check >/dev/null || exit 1
    before=$(grep -c ' reloaded ' "/run/$unit.log")
    kill -HUP "$(cat "$pid")"
    until (($(grep -c ' reloaded ' "/run/$unit.log") > before)); do sleep 0.02; done
    ;;
  *) echo "no verb $1" >&2; exit 1 ;;
esac
"""


# The pool's service: accepts, and has a pid file.
FRONT_END = """\
import os, socket, time
listeners = [socket.create_server(("", port)) for port in (5061, 5075)]
with open("/run/front-end.pid.new", "w") as file:
    file.write(str(os.getpid()))
os.rename("/run/front-end.pid.new", "/run/front-end.pid")
time.sleep(100000)
"""


class Guide(Scenario):
    def setUp(self):
        super().setUp()
        if not machines.are_possible():
            self.skipTest("no namespaces here")
        self.lan = machines.Lan()
        self.addCleanup(self.lan.end)
        self.machines = {
            name: self.lan.add(name, address, self.folder / name)
            for name, address in ADDRESSES.items()
        }
        self.shims = self.folder / "bin"
        self.shims.mkdir()
        (self.shims / "systemctl").write_text(SYSTEMCTL)
        (self.shims / "front-end").write_text(FRONT_END)
        # The one machine from which the guide goes to others.
        authority = self.machines["ns1"]
        reach = "".join(
            f'  root@{name}) shift; exec {" ".join(machine.inside_from(authority))} bash -c "$*" ;;\n'
            for name, machine in self.machines.items()
        )
        (self.shims / "ssh").write_text(f"#!/bin/bash\ncase $1 in\n{reach}  *) exit 255 ;;\nesac\n")
        for each in self.shims.iterdir():
            each.chmod(0o755)
        for machine in self.machines.values():
            machine.run("mkdir -p /etc/sluice")

    def type(self, machine, script):
        # Whoever runs the test may have rolls of his own under way.
        path = f"PATH={self.shims}:{self.build}:$PATH\nexport XDG_STATE_HOME={self.folder}/state\n"
        # One shell types all of it: a block begins in the folder where the one before it ended.
        folder = "cd \"$(cat /run/typed-in 2>/dev/null || echo /root)\"\ntrap 'pwd >/run/typed-in' EXIT\n"
        return self.machines[machine].run(path + folder + "set -e\n" + script, timeout=90)

    def start_parent(self, delegation):
        folder = self.folder / "knot"
        folder.mkdir()
        zone = folder / "contoso.example.zone"
        zone.write_text(PARENT + delegation)
        checked = processes.run([peers.program("nsd-checkzone"), "contoso.example", zone])
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        config = folder / "knot.conf"
        config.write_text(
            f"server:\n  rundir: {folder}\n  listen: 192.0.2.1@53\n  udp-workers: 1\n"
            f"  tcp-workers: 1\n  background-workers: 1\ndatabase:\n  storage: {folder}\n"
            f"zone:\n- domain: contoso.example\n  file: {zone}\n  zonefile-sync: -1\n"
            "  journal-content: none\n"
        )
        self.machines["parent"].start(
            peers.program("knotd"), "-c", config, stdout=subprocess.DEVNULL
        )
        self.start_resolver()

    def start_resolver(self):
        config = self.folder / "unbound.conf"
        config.write_text(
            "server:\n  interface: 127.0.0.1\n  interface: 192.0.2.2\n"
            "  access-control: 192.0.2.0/24 allow\n  do-not-query-localhost: no\n  num-threads: 1\n"
            f'  username: ""\n  chroot: ""\n  directory: "{self.folder}"\n  use-syslog: no\n'
            f'  pidfile: "{self.folder}/unbound.pid"\n  do-daemonize: no\n'
            '  module-config: "iterator"\n  local-zone: "example." nodefault\n'
            'stub-zone:\n  name: "contoso.example"\n  stub-addr: 192.0.2.1\n'
            "remote-control:\n  control-enable: no\n"
        )
        self.machines["resolver"].start(
            peers.program("unbound"), "-d", "-c", config, stderr=subprocess.DEVNULL
        )
        ask = "dig @127.0.0.1 contoso.example SOA +short +time=1 +tries=1"
        eventually(
            lambda: "hostmaster" in self.machines["resolver"].run(ask).stdout, "the resolver answers"
        )

    def test_everything_in_it_does_what_it_says(self):
        for name in ("fe01", "fe02", "fe03"):
            started = self.type(name, "systemctl restart front-end")
            self.assertEqual(started.returncode, 0, started.stderr)
        shown, typed = "", 0
        # What follows is about several responders, and needs an etcd of three.
        alone = GUIDE.read_text(encoding="utf-8").partition("\n## 10. ")[0]
        for kind, by_hand, where, path, text in BLOCK.findall(alone):
            if by_hand:
                continue
            if kind == "text":
                self.assert_shown(text, shown)
                continue
            if kind == "zone":
                self.start_parent(text)
                continue
            shown = ""
            for machine in where.split():
                own = text
                for whole, shorter in SHORTER.items():
                    own = own.replace(whole, shorter)
                if kind == "yaml":
                    own = own.replace("fe01.", f"{machine}.") if machine != "ns1" else own
                    own = f"cat >{path} <<'END_OF_FILE'\n{own}END_OF_FILE\n"
                done = self.type(machine, own)
                said = f"on {machine}:\n{own}\n{done.stdout}{done.stderr}{self.logs(machine)}"
                self.assertEqual(done.returncode, 0, said)
                shown += done.stdout + done.stderr
            typed += 1
        self.assertGreater(typed, 15, "the blocks of the guide are not found")

    def logs(self, machine):
        return self.machines[machine].run("tail -n 20 /run/*.log").stdout

    def assert_shown(self, expected, shown):
        """Each line stands in what the block before it printed, blanks and TTLs aside."""
        squeezed = re.sub(r"[ \t]+", " ", shown)
        for line in expected.splitlines():
            wanted = re.sub(r" 30 IN ", " 3 IN ", line.strip())
            self.assertIn(wanted, squeezed, f"the guide shows {line!r}")


if __name__ == "__main__":
    main()
