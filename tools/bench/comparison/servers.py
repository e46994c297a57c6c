"""The servers that are compared: how each is installed, configured, started, and what it spends."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from comparison import data

PACKAGES = pathlib.Path(__file__).resolve().parents[2] / "packages"


def free_port():
    """Free for UDP and TCP on 127.0.0.1."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                try:
                    udp.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port


def install(packages):
    """Those that are missing, from Debian, by the one door for that: what comes is not started, it would take port 53."""
    script = f'source {PACKAGES} && install_missing "$@"'
    command = ["bash", "-euo", "pipefail", "-c", script, "install", *packages]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        sys.exit("compare: the peers are missing, and can't be installed")


def processes_of(pid):
    """The process and all that it started."""
    found = [pid]
    for parent in found:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


class Server:
    """One server with its folder, its port and its process."""

    name = ""
    package = ""  # Debian's; empty: ours

    def __init__(self, folder, build, prefix):
        self.folder = folder / self.name
        self.folder.mkdir()
        self.build = build
        self.port = free_port()
        self.prefix = prefix  # of the command: where and how it runs
        self.process = None

    def version(self):
        query = ["dpkg-query", "-W", "-f", "${Version}", self.package]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def command(self):
        """Writes what the server reads, returns how it is started in the foreground."""
        raise NotImplementedError

    def start(self):
        log = open(self.folder / "log", "w", encoding="utf-8")
        command = [*self.prefix, *map(str, self.command())]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 20
        probe = [self.build / "bench_load", f"127.0.0.1@{self.port}", f"pool01.{data.ZONE}"]
        probe += ["A", "NOERROR", str(data.SERVERS), "--window", "1", "--seconds", "0.02"]
        while subprocess.run(probe, capture_output=True).returncode != 0:
            if time.monotonic() > deadline or self.process.poll() is not None:
                log_text = (self.folder / "log").read_text()[-1_000:]
                sys.exit(f"compare: {self.name} does not answer: {log_text}")
            time.sleep(0.1)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def cpu(self):
        """Nanoseconds on a CPU so far, by the scheduler: all threads of all its processes."""
        total = 0
        for pid in processes_of(self.process.pid):
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
                total += int(task.read_text().split()[0])
        return total


class Sluice(Server):
    name = "Sluice"

    def version(self):
        done = subprocess.run([self.build / "sluiced", "--version"], capture_output=True, text=True)
        return done.stdout.split()[-1]

    def command(self):
        text = json.dumps(data.configuration(self.port, self.folder))
        return [self.build / "sluiced", "--config", self.write("sluice.yaml", text)]


class Gdnsd(Server):
    name, package = "gdnsd", "gdnsd"

    def command(self):
        self.write(f"etc/zones/{data.ZONE}", data.zone_file())
        options = {
            "listen": f"127.0.0.1:{self.port}",
            "udp_threads": 1,
            "tcp_threads": 1,
            "run_dir": self.folder / "run",
            "state_dir": self.folder / "state",
        }
        lines = "".join(f"  {key} => {value}\n" for key, value in options.items())
        self.write("etc/config", f"options => {{\n{lines}}}\n")
        return ["gdnsd", "-c", self.folder / "etc", "start"]


class Nsd(Server):
    name, package = "NSD", "nsd"

    def command(self):
        zone = self.write("zone", data.zone_file())
        config = self.write(
            "nsd.conf",
            f"""server:
  ip-address: 127.0.0.1@{self.port}
  server-count: 1
  username: ""
  database: ""
  zonesdir: "{self.folder}"
  zonelistfile: "{self.folder}/zone.list"
  xfrdfile: "{self.folder}/xfrd.state"
  xfrdir: "{self.folder}"
  pidfile: "{self.folder}/nsd.pid"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: {data.ZONE}
  zonefile: {zone}
""",
        )
        return ["nsd", "-d", "-c", config]


class Knot(Server):
    name, package = "Knot", "knot"

    def command(self):
        zone = self.write("zone", data.zone_file())
        config = self.write(
            "knot.conf",
            f"""server:
  listen: 127.0.0.1@{self.port}
  rundir: "{self.folder}"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "{self.folder}/db"
zone:
  - domain: {data.ZONE}
    storage: "{self.folder}"
    file: {zone}
""",
        )
        return ["knotd", "-c", config]


class Echo(Server):
    """A bare recvfrom and sendto of another server's answers."""

    name = "echo"

    def __init__(self, folder, build, prefix, answers):
        self.folder, self.build, self.prefix = folder, build, prefix
        self.port = free_port()
        self.answers = answers
        self.process = None

    def command(self):
        return [self.build / "bench_echo", f"127.0.0.1@{self.port}", self.answers]

    def start(self):
        command = [*self.prefix, *map(str, self.command())]
        self.process = subprocess.Popen(command, start_new_session=True)


PEERS = [Gdnsd, Knot, Nsd]
