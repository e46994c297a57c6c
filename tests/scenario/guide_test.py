"""tools/guide/deploy.md, typed as it stands: on machines of its own, with a real parent zone in Knot,
a real Unbound that follows the delegation, a real etcd of three, and real programs.

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
ADDRESS = re.compile(r"(\d+ )?192\.0\.2\.\d+")  # perhaps with the count of `uniq -c`
ADDRESSES = {
    "parent": "192.0.2.1", "resolver": "192.0.2.2", "ns1": "192.0.2.53",
    "ns2": "192.0.2.54", "witness": "192.0.2.55",
    "fe01": "192.0.2.11", "fe02": "192.0.2.12", "fe03": "192.0.2.13",
}  # fmt: skip
# So that the test waits less; and nobody has made a group.
SHORTER = {
    "ttl: 30s": "ttl: 3s",
    "roll pool01 --timeout 2h": "roll pool01 --timeout 2h --soak 1s",
    "; chgrp sluice-agent /etc/sluice/agent.key": "",
    "; chgrp sluice /etc/sluice/server.key": "",
    "; chgrp sluice /etc/sluice/etcd.password": "",
    "-g sluice ": "",
}
PARENT = """\
$ORIGIN contoso.example.
@    3600 IN SOA ns.contoso.example. hostmaster.contoso.example. {serial} 3600 600 86400 300
@    3600 IN NS  ns
ns   3600 IN A   192.0.2.1
"""

SYSTEMCTL = """\
#!/bin/bash
# systemctl VERB [--no-block] UNIT: what the units' ExecStart and ExecReload say, and no more.
unit=${@: -1}
[[ $2 == --no-block ]] && wait=no || wait=yes
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
    etcd)  # as Debian's unit
      export ETCD_NAME=$HOSTNAME ETCD_DATA_DIR=/var/lib/etcd/default
      set -a
      [[ ! -e /etc/default/etcd ]] || . /etc/default/etcd
      set +a
      run=(setpriv --reuid=etcd --regid=etcd --clear-groups etcd)
      ;;
    front-end) run=(python3 "${BASH_SOURCE[0]%/*}/front-end") ;;
    *) echo "no unit $unit" >&2; exit 5 ;;
  esac
  : >"/run/$unit.log"  # what the run before said must not be taken for this one's word
  "${run[@]}" </dev/null >>"/run/$unit.log" 2>&1 &
  echo $! >"$pid"
  [[ $wait == yes ]] || return 0
  for ((i = 0; i < 1000; i++)); do
    case $unit in
      etcd) grep -q 'ready to serve client requests' "/run/$unit.log" && return ;;
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
        self.parent_serial = 0

    def type(self, machine, script):
        # Whoever runs the test may have rolls of his own under way.
        path = f"PATH={self.shims}:{self.build}:$PATH\nexport XDG_STATE_HOME={self.folder}/state\n"
        # A busy machine may take its time.
        path += "export ETCDCTL_DIAL_TIMEOUT=20s ETCDCTL_COMMAND_TIMEOUT=60s\n"
        # One shell types all of it: a block begins in the folder where the one before it ended.
        folder = "cd \"$(cat /run/typed-in 2>/dev/null || echo /root)\"\ntrap 'pwd >/run/typed-in' EXIT\n"
        return self.machines[machine].run(path + folder + "set -e\n" + script, timeout=180)

    def delegate(self, delegation):
        """Into the parent's zone; the first time the parent is started with it."""
        folder = self.folder / "knot"
        folder.mkdir(exist_ok=True)
        zone, config = folder / "contoso.example.zone", folder / "knot.conf"
        self.parent_serial += 1
        zone.write_text(PARENT.format(serial=self.parent_serial) + delegation)
        checked = processes.run([peers.program("nsd-checkzone"), "contoso.example", zone])
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        if config.exists():
            told = self.machines["parent"].run(f"knotc -c {config} -b zone-reload contoso.example")
            self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
            return
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
        for name in ("ns1", "ns2", "witness"):  # Debian's package does at its installation
            started = self.type(name, "systemctl restart etcd")
            self.assertEqual(started.returncode, 0, started.stderr)
        shown, typed = "", 0
        for kind, by_hand, where, path, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
            if by_hand:
                continue
            if kind == "text":
                self.assert_shown(text, shown)
                continue
            if kind == "zone":
                self.delegate(text)
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
        self.assertGreater(typed, 60, "the blocks of the guide are not found")

    def logs(self, machine):
        return self.machines[machine].run("tail -n 20 /run/*.log").stdout

    def assert_shown(self, expected, shown):
        """Each line stands in what the block before it printed, blanks and TTLs aside; and of lines
        that are addresses, neither more nor fewer."""
        squeezed = re.sub(r"[ \t]+", " ", shown)
        for line in expected.splitlines():
            wanted = re.sub(r" 30 IN ", " 3 IN ", line.strip())
            self.assertIn(wanted, squeezed, f"the guide shows {line!r}")
        for addresses in lists_of_addresses(expected):
            self.assertIn(addresses, lists_of_addresses(shown), f"the guide shows them in\n{shown}")


def lists_of_addresses(text):
    """Of lines that follow one another."""
    found = [[]]
    for line in text.splitlines():
        if ADDRESS.fullmatch(line.strip()):
            found[-1].append(line.strip())
        elif found[-1]:
            found.append([])
    return [each for each in found if each]


if __name__ == "__main__":
    main()
