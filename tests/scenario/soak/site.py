"""All processes of a run, and where they are: authority, agents, resolvers, relays. Of the main
thread: a child ends with the thread that started it."""

import json
import re
import signal
import subprocess
import time

from soak.hosts import Hosts, address
from soak.relay import Relay
from support import certificates, dns, peers, processes
from support.api import Api
from support.sluiced import POOL, Sluiced, agent_token, configuration, server_name
from support.wall_clock import WallClock

AUTHORITY, RELAYS, RESOLVERS = "127.0.0.1", "127.0.3.1", ("127.0.2.1", "127.0.2.2")
DNS_PORT, API_PORT = 53, 8053
NUMBERS = (1, 2, 3, 4)
SERVICES = ("front-end", "call-park", "attendant")
HEARTBEAT, LEASE, MASS_LOSS_HOLD = 0.5, 3.0, 8.0
TTL, MARGIN = 3, 2.0
LAST_RESORT = ("192.0.2.9", "2001:db8::9")
# From the start of the program to the first answer: the release takes some 50 ms, beside whatever
# else this machine does.
FIRST_ANSWER_SECONDS = 5.0
STATE_SIZE = "48m"
UNHEALTHY = re.compile(
    r"AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:|Assertion|terminate called|"
    r"stack smashing|\*\*\* buffer overflow|Segmentation", re.IGNORECASE,
)  # fmt: skip


def milliseconds(seconds):
    return f"{int(seconds * 1000)}ms"


def authority_configuration(policy):
    config = configuration(servers=len(NUMBERS), lease=milliseconds(LEASE), ttl=f"{TTL}s",
                           min_accepting=1)  # fmt: skip
    config["dns"]["listen"] = [f"{AUTHORITY}@{DNS_PORT}"]
    config["api"]["listen"] = [f"{AUTHORITY}@{API_PORT}"]
    config["health"].update(
        heartbeat=milliseconds(HEARTBEAT), mass_loss_hold=milliseconds(MASS_LOSS_HOLD),
        horizon_margin=f"{MARGIN:.0f}s",
    )  # fmt: skip
    config["services"] = {name: config["services"][name] for name in SERVICES}
    pool = config["pools"][0]
    pool["features"] = [{"name": name, "service": name} for name in SERVICES[1:]]
    pool["when_all_held"] = {"addresses": list(LAST_RESORT)} if policy == "addresses" else policy
    for number, server in enumerate(pool["servers"], 1):
        server["addresses"][0] = address(number)
    return config


class Authority(Sluiced):
    """Keeps the log of each of its lives; its state is on a small file system of its own."""

    def __init__(self, build, folder, policy, journal):
        folder.mkdir()
        self.journal, self.lives = journal, 0
        state = folder / "state"
        state.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={STATE_SIZE}", "soak", state], check=True)
        super().__init__(build, folder, authority_configuration(policy), start=False)
        self.clock = WallClock(build, folder)
        self.slowest, self.started = 0.0, 0.0
        self.certificates = None  # who signs that of the API, when it speaks TLS
        self.can_be_replaced = b"which is to take over" in (build / "sluiced").read_bytes()

    def launch(self, **options):
        self.lives += 1
        self.log_file = self.folder / f"sluiced.{self.lives}.log"
        self.started = time.monotonic()
        super().launch(env=self.clock.environment, **options)

    def certify(self):
        """Gives the API a certificate, or another one; it is read with the next start or reload."""
        self.certificates = self.certificates or certificates.Authority(self.folder)
        fresh = self.folder / "fresh"
        fresh.mkdir(exist_ok=True)
        names = f"DNS:localhost,IP:{AUTHORITY},IP:{RELAYS}"
        for made, name in zip(self.certificates.certify("api", names, to=fresh), ("api.crt", "api.key")):
            made.rename(self.folder / name)
        self.config["api"]["tls"] = {"certificate": "api.crt", "key": "api.key"}
        self.tls = self.certificates.trusted()

    def answers(self):
        try:
            return dns.ask(DNS_PORT, POOL, "SOA", timeout=0.1)
        except (OSError, ValueError):
            return None

    def await_answer(self):
        """True when it answered in time; the log says `ready` by then or soon after."""
        while not self.answers():
            if self.process.poll() is not None:
                return False
            if time.monotonic() > self.started + 4 * FIRST_ANSWER_SECONDS:
                return False
            time.sleep(0.01)
        self.slowest = max(self.slowest, time.monotonic() - self.started)
        return True

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def logs(self):
        return sorted(self.folder.glob("sluiced.*.log"), key=lambda file: int(file.suffixes[-2][1:]))


class Agent:
    """A real one, of one server; it talks to the authority through the relay."""

    def __init__(self, site, number):
        self.site, self.number, self.name = site, number, server_name(number)
        self.folder = site.folder / f"agent{number}"
        self.folder.mkdir()
        token = self.folder / "token"
        token.write_text(agent_token(number) + "\n", encoding="utf-8")
        token.chmod(0o600)
        self.log_file = self.folder / "agent.log"
        self.process = None

    def configuration(self):
        services = {}
        for name in SERVICES:
            service = self.site.hosts.services[self.number, name]
            counted = {"connections": {"tcp_ports": [service.port]}}
            services[name] = {
                "pid_file": str(service.pid_file),
                "checks": [{"tcp": f"{address(self.number)}@{service.port}", "interval": "500ms",
                            "timeout": "500ms", "rise": 1, "fall": 3}],
                "sessions": {} if self.site.broken == "sessions" else counted,
            }  # fmt: skip
        signed = self.site.authority.certificates
        tls = {"tls": {"ca": str(signed.file)}} if signed else {}
        return tls | {
            "authorities": [f"http{'s' if signed else ''}://{RELAYS}:{API_PORT}"],
            "token_file": "token", "server": self.name, "state": "state",
            "socket": {"path": "agent.sock", "mode": "0600"},
            "heartbeat": milliseconds(HEARTBEAT), "services": services,
        }  # fmt: skip

    def start(self):
        file = self.folder / "agent.yaml"
        file.write_text(json.dumps(self.configuration(), indent=2), encoding="utf-8")
        with open(self.log_file, "a", encoding="utf-8") as log:
            self.process = processes.start(
                [self.site.build / "sluice-agent", "run", "--config", file], stdout=log, stderr=log
            )

    def kill(self):
        self.process.kill()
        self.process.wait()


class Resolver(peers.Unbound):
    """Asks the authority through the relay; the second one by TCP."""

    def __init__(self, folder, number, journal):
        self.name, self.address = f"unbound{number}", RESOLVERS[number]
        self.by_tcp = number == 1
        self.folder = folder / self.name
        self.folder.mkdir()
        self.port, self.journal = 53, journal
        self.log_file = self.folder / "log"
        (self.folder / "config").write_text(self.configuration(POOL, None), encoding="utf-8")
        self.process = None

    def configuration(self, zone, zone_file):
        # Who asks an authority that is killed, stopped and cut off must soon try again.
        return f"""\
server:
  interface: {self.address}@{self.port}
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.folder}/pid"
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  cache-min-ttl: 0
  infra-host-ttl: 1
  infra-keep-probing: yes
  tcp-upstream: {"yes" if self.by_tcp else "no"}
  local-zone: "example." nodefault
stub-zone:
  name: "{zone}"
  stub-addr: {RELAYS}@{DNS_PORT}
  stub-first: no
remote-control:
  control-enable: no
"""

    def start(self):
        with open(self.log_file, "a", encoding="utf-8") as log:
            self.process = processes.start(
                self.command(self.folder / "config"), stdout=log, stderr=log
            )


class Site:
    def __init__(self, build, folder, seed, policy, journal, broken, tls):
        """`broken`: what is wrong on purpose, or None. `tls`: the API speaks it."""
        self.build, self.folder, self.journal, self.broken = build, folder, journal, broken
        self.hosts = Hosts(folder, NUMBERS, SERVICES, journal)
        self.authority = Authority(build, folder / "authority", policy, journal)
        if tls:
            self.authority.certify()
        self.relays = {
            "dns": Relay(journal, "dns-relay", (RELAYS, DNS_PORT), (AUTHORITY, DNS_PORT), f"{seed}/dns",
                         change=self._stale() if broken == "relay" else None),
            "api": Relay(journal, "api-relay", (RELAYS, API_PORT), (AUTHORITY, API_PORT), f"{seed}/api",
                         udp=False),
        }  # fmt: skip
        self.agents = {number: Agent(self, number) for number in NUMBERS}
        self.resolvers = [Resolver(folder, number, journal) for number in range(len(RESOLVERS))]

    def start(self):
        self.authority.start()
        for agent in self.agents.values():
            agent.start()
        for resolver in self.resolvers:
            resolver.start()

    def api(self, token, timeout):
        """A connection of its own, straight to the authority."""
        return Api(port=API_PORT, token=token, timeout=timeout, tls=self.authority.tls)

    def ctl(self):
        """How sluicectl is told where the authority is."""
        signed = self.authority.certificates
        if not signed:
            return ["--api", f"http://127.0.0.1:{API_PORT}"]
        return ["--api", f"https://127.0.0.1:{API_PORT}", "--ca", signed.file]

    @staticmethod
    def _stale():
        """Gives the first answer to each question again and again, whatever became of it."""
        first = {}

        def change(octets):
            at = octets.index(b"\0", 12) + 5
            if octets[at - 3] == dns.TYPES["SOA"]:
                return octets
            return octets[:2] + first.setdefault(octets[12:at], octets)[2:]

        return change

    def children(self):
        """All that must not end by themselves: name to process."""
        return {
            "sluiced": self.authority.process,
            **{f"agent {n}": agent.process for n, agent in self.agents.items()},
            **{resolver.name: resolver.process for resolver in self.resolvers},
        }

    def end(self):
        """SIGTERM to those that run; returns how each ended that should not have ended so."""
        wrong = []
        for name, process in self.children().items():
            if process is None or process.poll() is not None:
                continue
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                status = process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                wrong.append(f"{name} did not end within 20 s of SIGTERM")
                continue
            if status != 0 and not name.startswith("unbound"):
                wrong.append(f"{name} ended with {status} on SIGTERM")
        return wrong

    def unhealthy_lines(self):
        """What no log may say."""
        found = []
        for file in [*self.authority.logs(), *(agent.log_file for agent in self.agents.values())]:
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                if UNHEALTHY.search(line) and "damaged" not in line and "backup" not in line:
                    found.append(f"{file.name}: {line}")
        return found
