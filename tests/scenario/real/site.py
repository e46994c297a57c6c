"""Everything together: the authority with its pool, the site's resolver, proxy and balancer."""

import datetime
import json
import os
import pathlib
import random
import shutil
import tempfile
import time

from real import machine
from real.balancer import HAProxy
from real.front_end import HEARTBEAT, PORTS, FrontEnd, address
from real.proxy import Kamailio
from real.sip import Calling
from support import events, peers, processes
from support.polling import eventually
from support.sluiced import OPERATOR, POOL, Sluiced, configuration

RESOLVER = "127.0.0.1"
# What stands between the authority and a caller beside the TTL: unbound and kamailio each count in
# whole seconds, HAProxy asks twice a second. And sipp's count is up to a second old, the agent's
# push half a second: no call may come later than that before the verdict.
MARGIN = 2.0
# Far beyond what a drain or a whole roll takes here; the long form's calls last a minute.
LONGEST_WAIT = 600.0


def authority_configuration(ttl):
    config = configuration(servers=3, lease="4s", ttl=f"{ttl}s", min_accepting=1)
    config["health"].update(heartbeat=f"{int(HEARTBEAT * 1000)}ms", horizon_margin=f"{MARGIN:.0f}s")
    config["services"] = {name: config["services"][name] for name in PORTS}
    pool = config["pools"][0]
    pool["features"] = [{"name": "call-park", "service": "call-park"}]
    for number, server in enumerate(pool["servers"], 1):
        server["addresses"] = [address(number)]
    return config


class Site:
    """`ttl` of the pool in seconds; `calls`: new ones in a second on each way; `lengths`: of the
    calls, from and to, in seconds."""

    def __init__(self, build, ttl, rate, lengths, seed):
        self.build, self.ttl, self.rate, self.lengths = build, ttl, rate, lengths
        # Calls in progress at each of three front ends: half of what the rate leads to.
        self.well_in_use = int(rate * sum(lengths) / 2 / 3 / 2)
        self.random = random.Random(seed)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-real-calls-"))
        self.callers, self.events = 0, None

    def start(self, proxy_keeps=0, counts=True):
        """`proxy_keeps`: seconds for which the proxy keeps answers, whatever their TTL. `counts`:
        agents tell how many calls there are."""
        (self.folder / "authority").mkdir()
        (self.folder / "token").write_text(OPERATOR + "\n", encoding="utf-8")
        config = authority_configuration(self.ttl)
        self.authority = Sluiced(self.build, self.folder / "authority", config)
        self.api = self.authority.api()
        machine.use_resolver(self.folder, RESOLVER)
        self.resolver = peers.Unbound(self.folder, POOL, self.authority.dns_port, port=53)
        self.front_ends = [FrontEnd(self.authority, n, counts) for n in (1, 2, 3)]
        self.events = events.Watcher(self.folder, self.authority.api_port, OPERATOR)
        for front_end in self.front_ends:
            self.run_ctl("wait", front_end.name, "--for", "accepting", "--timeout", "30s")
        self.proxy = Kamailio(self.folder, proxy_keeps)
        self.balancer = HAProxy(self.folder, RESOLVER)

    def end(self, keep):
        """Ends what runs; the folder stays if something failed."""
        if self.events:
            self.events.end()
        processes.end_all()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def statuses(self, front_end):
        """Of its services."""
        services = self.api.server(front_end.name)["services"]
        return [service["status"] for service in services.values()]

    # What the operator types.

    def _ctl(self, *words):
        socket = self.authority.folder / "sluice.sock"
        return [self.build / "sluicectl", "--socket", socket, *words]

    def _environment(self):
        return {**os.environ, "TZ": "UTC0", "XDG_STATE_HOME": str(self.folder / "ctl")}

    def run_ctl(self, *words, timeout=60):
        done = processes.run(self._ctl(*words), timeout=timeout, env=self._environment())
        said = f"sluicectl {words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, said
        return done.stdout

    def drain(self, front_end, *words):
        return Drain(self, front_end, words)

    def start_ctl(self, name, *words):
        """Returns the process and the file that gets what it says."""
        file = self.folder / f"{name}.out"
        with open(file, "w", encoding="utf-8") as out:
            process = processes.start(
                self._ctl(*words), stdout=out, stderr=out, env=self._environment()
            )
        return process, file

    # Who calls.

    def _caller(self, target, name, called, **options):
        self.callers += 1
        lengths = [self.random.uniform(*self.lengths) for _ in range(200)]
        return Calling(
            self.folder, f"{name}-{self.callers}", target, called, lengths,
            local=f"127.2.0.{self.callers % 250 + 1}", **options,
        )  # fmt: skip

    def call_through_proxy(self):
        """To the pool by its name: the proxy asks for SRV."""
        return self._caller(self.proxy.target, "proxy", POOL, rate=self.rate)

    def call_through_balancer(self):
        """One connection for each call."""
        return self._caller(
            self.balancer.target, "balancer", POOL, rate=self.rate, transport="tn"
        )

    def phone(self):
        """Calls the feature once, by the address that its own look-up finds."""
        name = f"call-park.{POOL}"
        return self._caller(
            f"{name}:{PORTS['call-park']}", "phone", name, rate=1, transport="t1", calls=1
        )


class Drain:
    """`sluicectl drain SERVER --wait`: what it says, and when."""

    def __init__(self, site, front_end, words):
        self.site, self.front_end = site, front_end
        self._process, self._file = site.start_ctl(
            f"drain-{front_end.label}-{time.monotonic_ns()}",
            "--json", "drain", front_end.name, *words, "--wait", "9m",
        )  # fmt: skip
        reply = eventually(self._acknowledgement, "the drain is acknowledged")
        self.acknowledged = time.time()
        self.horizon = rfc3339_seconds(reply["cache_horizon"])

    def _acknowledgement(self):
        assert self._process.poll() in (None, 0), self.said()
        text = self.said().lstrip()
        if not text.startswith("{"):
            return None
        try:
            return json.JSONDecoder().raw_decode(text)[0]
        except json.JSONDecodeError:
            return None  # not whole yet

    def said(self):
        return self._file.read_text(encoding="utf-8")

    def await_safe(self, turn=lambda: None):
        """The moment at which it ended, saying that the server is safe to take offline; does
        `turn()` meanwhile."""
        status = ended(self._process, turn)
        assert status == 0, f"drain {self.front_end.label}: {status}\n{self.said()}"
        return time.time()


def ended(process, turn=lambda: None):
    """The exit status of a process, after `turn()` again and again."""

    def poll():
        turn()
        return process.poll() is not None

    eventually(poll, "sluicectl ends", within=LONGEST_WAIT)
    return process.returncode


def rfc3339_seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Phones:
    """Telephones that call the feature, a new one each `interval` seconds."""

    def __init__(self, site, interval):
        self.site, self.interval = site, interval
        self.all, self._next = [], time.monotonic()

    def turn(self):
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self.interval
            self.all.append(self.site.phone())

    def end(self):
        return [phone.wait() for phone in self.all]
