"""A real sluiced in a folder of its own, and the configuration that it is given."""

import hashlib
import json
import pathlib
import re
import signal
import subprocess

from support import processes
from support.api import Api, FakeAgent
from support.polling import eventually

POOL = "pool01.contoso.example"
FEATURES = ["attendant", "conferencing-announcement", "response-group", "announcement", "call-park"]
SERVICES = ["front-end", *FEATURES]
OPERATOR, READER = "operations-token", "dashboards-token"

ZONE = """\
@    300 IN SOA ns1 hostmaster 1 3600 600 86400 10
@    300 IN NS  ns1
ns1  300 IN A   127.0.0.1
web  300 IN A   192.0.2.80
"""


def server_name(number):
    return f"fe{number:02}.{POOL}"


def v4(number):
    return f"10.99.0.{10 + number}"


def v6(number):
    return f"fd99::{10 + number}"


def agent_token(number):
    return f"fe{number:02}-token"


def configuration(servers=3, lease="60s", **pool):
    """A whole configuration as a dict, after the example. The lease is so long that one push tells
    the truth for a whole test; tests about leases say otherwise. JSON is YAML."""

    def token(name, role, secret, **more):
        sha256 = hashlib.sha256(secret.encode()).hexdigest()
        return {"name": name, "role": role, "sha256": sha256, **more}

    numbers = range(1, servers + 1)
    return {
        "dns": {"identity": "ns1.test", "listen": ["127.0.0.1@0"], "workers": 2},
        "api": {
            "listen": ["127.0.0.1@0"],
            "socket": {"path": "sluice.sock", "mode": "0600"},
            "tokens": [
                token("operations", "operator", OPERATOR),
                token("dashboards", "reader", READER),
                *[
                    token(f"fe{n:02}", "agent", agent_token(n), server=server_name(n))
                    for n in numbers
                ],
            ],
        },
        "store": {"directory": "state"},
        "health": {"heartbeat": "1s", "lease": lease, "horizon_margin": "0s"},
        "services": {
            "front-end": {
                "title": "Lync Server Front-End",
                "consolidates": ["registrar", "monitoring-data-collection"],
            },
            **{name: {"title": name.title()} for name in FEATURES},
        },
        "zones": [{"name": POOL, "records": ZONE}],
        "pools": [
            {
                "fqdn": POOL,
                "service": "front-end",
                "ttl": "1s",
                "min_accepting": 0,
                "servers": [
                    {"fqdn": server_name(n), "addresses": [v4(n), v6(n)], "weight": 100}
                    for n in numbers
                ],
                "srv": [
                    {"name": "_sip._tcp", "service": "front-end", "port": 5060, "priority": 10}
                ],
                "features": [{"name": name, "service": name} for name in FEATURES],
                **pool,
            }
        ],
    }


class Sluiced:
    """Starts on construction unless told otherwise; `config` is written anew at each start, so a
    test changes it and calls restart() or reload."""

    def __init__(self, build, folder, config, start=True):
        self.build, self.folder, self.config = build, pathlib.Path(folder), config
        self.file = self.folder / "sluice.yaml"
        self.log_file = self.folder / "sluiced.log"
        self.process = None
        self.tls = None  # an ssl.SSLContext, when all of its clients speak https
        self._agents = {}
        self._apis = []
        if start:
            self.start()

    def write_config(self):
        self.file.write_text(json.dumps(self.config, indent=2))

    def start(self, **options):
        """Returns once it said `ready`."""
        self.launch(**options)
        self.await_ready()

    def launch(self, **options):
        """Starts it and does not wait."""
        self.write_config()
        with open(self.log_file, "w", encoding="utf-8") as log:
            self.process = processes.start(
                [self.build / "sluiced", "--config", self.file], stdout=log, stderr=log, **options
            )
        self._forget_clients()

    def await_ready(self):
        eventually(self._is_ready, "sluiced is ready")

    def _is_ready(self):
        log = self.log()
        status = self.process.poll()
        if status is not None:
            raise RuntimeError(f"sluiced ended with {status} at its start:\n{log}")
        return re.search(r"\bready$", log, re.MULTILINE)

    def log(self):
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def _port(self, kind):
        match = re.search(rf"\b{kind} listening on \S+@(\d+)", self.log())
        assert match, f"no `{kind} listening on` in the log:\n{self.log()}"
        return int(match.group(1))

    @property
    def dns_port(self):
        return self._port("dns")

    @property
    def api_port(self):
        return self._port("api")

    def keep_ports(self):
        """The next start listens where this one does, so that clients need not learn anything."""
        self.config["dns"]["listen"] = [f"127.0.0.1@{self.dns_port}"]
        self.config["api"]["listen"] = [f"127.0.0.1@{self.api_port}"]

    def api(self, token=OPERATOR, tls=None):
        """A connection of its own, closed at the end; `tls`: in place of that of all clients."""
        return self._remembered(Api(port=self.api_port, token=token, tls=tls or self.tls))

    def local_api(self):
        """As a local administrator."""
        return self._remembered(Api(path=self.folder / "sluice.sock"))

    def _remembered(self, api):
        self._apis.append(api)
        return api

    def _forget_clients(self):
        for agent in self._agents.values():
            agent.stop()
        for api in self._apis:
            api.close()
        self._agents, self._apis = {}, []

    def agent(self, number, services=None):
        """The one fake agent of that server since the start."""
        if number not in self._agents:
            self._agents[number] = FakeAgent(
                self.api(agent_token(number)), server_name(number), services or SERVICES
            )
        return self._agents[number]

    def agents_push(self):
        """Every server says that all its services are up and have no sessions."""
        for number in range(1, len(self.config["pools"][0]["servers"]) + 1):
            self.agent(number).push()

    def agents_keep_pushing(self, interval=0.2):
        """From now on they say again and again what they said: no verdict is green by what was
        counted before the horizon."""
        for agent in self._agents.values():
            agent.keep_pushing(interval)

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def upgrade(self, timeout=60):
        """SIGUSR2; returns once another process has taken over and is ready, and the old one has
        ended with 0."""
        processes.adopt_orphans()
        ready = len(re.findall(r"\bready$", self.log(), re.MULTILINE))
        self.process.send_signal(signal.SIGUSR2)
        try:
            status = self.process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"nobody took over:\n{self.log()[-3000:]}") from None
        assert status == 0, f"the old process ended with {status}:\n{self.log()}"
        pid = int(re.findall(r"process (\d+) has taken over", self.log())[-1])
        self.process = processes.Adopted(pid)
        eventually(
            lambda: len(re.findall(r"\bready$", self.log(), re.MULTILINE)) > ready,
            "the new process is ready",
        )

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; returns the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(timeout=30)
        self._forget_clients()
        return status

    def restart(self, **options):
        assert self.stop() == 0, self.log()
        self.start(**options)


def is_sanitized(build):
    """Whether the programs are several times slower than the release."""
    cache = pathlib.Path(build, "CMakeCache.txt").read_text(encoding="utf-8")
    return bool(re.search(r"^SLUICE_SANITIZE:STRING=.", cache, re.MULTILINE))
