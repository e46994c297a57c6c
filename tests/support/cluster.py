"""A cluster on a network of a test's own: members of etcd and responders, each in a namespace with
an address of its own behind one switch. Needs root; nothing of it is left behind."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import tempfile
import threading
import unittest

from support import dns, machines, network, processes
from support.api import Api, FakeAgent
from support.etcd import EtcdCluster
from support.network import SBIN, Network
from support.polling import eventually
from support.scenario import Scenario
from support.sluiced import (
    POOL,
    SERVICES,
    Sluiced,
    agent_token,
    configuration,
    server_name,
    v4,
    v6,
)

HUB = "10.88.0.1"  # the test itself
ADDRESSES = {v4(n): n for n in range(1, 100)} | {v6(n): n for n in range(1, 100)}


class Wires:
    """A switch in a namespace that this thread enters; ends with leave(), or with the process."""

    def __init__(self):
        self.network = Network()
        self.nodes = []
        machines.command("ip", "link", "add", "name", "switch", "type", "bridge")
        machines.command("ip", "addr", "add", f"{HUB}/24", "dev", "switch")
        machines.command("ip", "link", "set", "switch", "up")

    def add(self, name, address):
        self.nodes.append(Node(name, address, len(self.nodes)))
        return self.nodes[-1]

    def mend(self):
        for node in self.nodes:
            node.mend()

    def leave(self):
        for node in self.nodes:
            node.end()
        self.network.leave()


class Node:
    """A namespace with one address. What it sends to whom, and hears from whom, can be dropped."""

    def __init__(self, name, address, number):
        self.name, self.address = name, address
        self._cut, self._losses = set(), {}
        self._lock = threading.Lock()
        # Lives as long as the namespace does, and dies with the test.
        self._keeper = processes.start(["unshare", "--net", "sleep", "infinity"])
        own = os.readlink("/proc/thread-self/ns/net")
        space = f"/proc/{self._keeper.pid}/ns/net"
        eventually(lambda: os.readlink(space) != own, f"{name} has its namespace")
        self._space = os.open(space, os.O_RDONLY | os.O_CLOEXEC)
        machines.command(
            "ip", "link", "add", "name", f"port{number}", "type", "veth",
            "peer", "name", "eth0", "netns", self._keeper.pid,
        )  # fmt: skip
        machines.command("ip", "link", "set", f"port{number}", "master", "switch", "up")
        for words in (["link", "set", "lo", "up"], ["link", "set", "eth0", "up"],
                      ["addr", "add", f"{address}/24", "dev", "eth0"]):  # fmt: skip
            machines.command(*self.prefix, "ip", *words)

    @property
    def prefix(self):
        """Before a command that is to run here; the process is then the command's own."""
        return ["nsenter", f"--net=/proc/{self._keeper.pid}/ns/net"]

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread makes meanwhile are this namespace's."""
        former = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            network.enter(self._space)
            yield
        finally:
            network.enter(former)
            os.close(former)

    def end(self):
        os.close(self._space)
        self._keeper.kill()
        self._keeper.wait()

    # Faults.

    def cut(self, *others):
        """Nothing from there, nothing to there, from now on; connections are not told."""
        with self._lock:
            self._cut |= {other.address for other in others}
            self._apply()

    def lose(self, percent, *others):
        """Of what comes from there and of what goes there, 1..99."""
        with self._lock:
            self._losses.update({other.address: percent for other in others})
            self._apply()

    def mend(self):
        with self._lock:
            if self._cut or self._losses:
                self._cut, self._losses = set(), {}
                self._apply()

    def _apply(self):
        drops = [(address, "drop") for address in sorted(self._cut)] + [
            (address, f"numgen random mod 100 < {percent} drop")
            for address, percent in sorted(self._losses.items())
        ]
        chains = "".join(
            f"chain {hook} {{ type filter hook {hook} priority 0;\n"
            + "".join(f"ip {side} {address} {drop}\n" for address, drop in drops)
            + "}\n"
            for hook, side in (("input", "saddr"), ("output", "daddr"))
        )
        table = "table inet faults"
        rules = f"{table} {{}}\ndelete {table}\n{table} {{\n{chains}}}"
        machines.command(
            *self.prefix, "nft", rules, env={**os.environ, "PATH": SBIN}, timeout=20
        )


class _NodeConnection(http.client.HTTPConnection):
    def __init__(self, node, port, timeout):
        super().__init__("127.0.0.1", port, timeout=timeout)
        self._node = node

    def connect(self):
        with self._node.inside():
            self.sock = socket.create_connection((self.host, self.port), self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class NodeApi(Api):
    """A responder's API by its own loopback."""

    def __init__(self, node, port, token, timeout=30.0):
        super().__init__(port=port, token=token, timeout=timeout)
        self._connection = _NodeConnection(node, port, timeout)


class Responder(Sluiced):
    """A sluiced on a node."""

    def __init__(self, build, folder, config, node):
        self.node = node
        self.environment = None  # of the next start
        self.listening = {}  # ports, once they are kept
        self._of_thread = threading.local()
        super().__init__(build, folder, config, start=False)

    @property
    def name(self):
        return self.config["dns"]["identity"]

    def launch(self, **options):
        self.write_config()
        with open(self.log_file, "w", encoding="utf-8") as log:
            self.process = processes.start(
                [*self.node.prefix, self.build / "sluiced", "--config", self.file],
                stdout=log, stderr=log, **{"env": self.environment, **options},
            )  # fmt: skip
        self._forget_clients()

    def api(self, token=None, tls=None):
        """This thread's connection of a local administrator's, or a new one by a token on its
        loopback. No partition is between it and who asks."""
        if token is not None:
            return self._remembered(NodeApi(self.node, self.api_port, token))
        known = self._of_thread.__dict__
        if known.get("process") is not self.process:
            known["process"] = self.process
            known["api"] = self._remembered(Api(path=self.folder / "sluice.sock"))
        return known["api"]

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill9(self):
        super().kill9()
        self._forget_clients()

    def stop(self):
        self.process.send_signal(signal.SIGCONT)  # it may be paused
        return super().stop()

    def keep_ports(self):
        self.listening = {"dns": self.dns_port, "api": self.api_port}
        for kind, port in self.listening.items():
            self.config[kind]["listen"] = [
                f"{address.split('@')[0]}@{port}" for address in self.config[kind]["listen"]
            ]

    # What clients see.

    def ask(self, name=POOL, qtype="A", tcp=False, timeout=5.0):
        port = self.listening.get("dns") or self.dns_port
        return dns.ask(port, name, qtype, tcp=tcp, address=self.node.address, timeout=timeout)

    def members(self, name=POOL, qtype="A", tcp=False):
        """Of an address RRset, by the numbers of the servers; of an SRV RRset, likewise."""
        data = self.ask(name, qtype, tcp).data(qtype)
        if qtype == "SRV":
            return sorted(int(re.match(r"fe(\d+)", target)[1]) for *_, target in data)
        return sorted(ADDRESSES.get(each, each) for each in data)

    def serial(self):
        (serial,) = self.ask(POOL, "SOA").data("SOA")
        return serial

    # What operators see.

    def cluster_view(self):
        return self.api().get("/v1/cluster")

    def seen(self, name):
        """A responder as this one sees it, or None."""
        found = [each for each in self.cluster_view()["responders"] if each["name"] == name]
        return found[0] if found else None

    def readiness(self):
        return self.api().get("/readyz")

    def is_stale(self):
        return self.readiness()["stale"]

    def sluicectl(self, *words, timeout=60):
        return processes.run(
            [self.build / "sluicectl", "--socket", self.folder / "sluice.sock", *words],
            timeout=timeout,
        )

    def watch_events(self, folder):
        """A stream of all that happens, from now on."""
        return EventStream(self, folder)


class EventStream:
    """curl on a responder's /v1/events."""

    def __init__(self, responder, folder):
        self._file = pathlib.Path(folder) / f"events-{id(self)}"
        with open(self._file, "wb") as out:
            self.process = processes.start(
                ["curl", "-sS", "-N", "--unix-socket", responder.folder / "sluice.sock",
                 "http://localhost/v1/events"],
                stdout=out,
            )  # fmt: skip
        eventually(lambda: self._text().count("\n\n"), "the stream has begun")

    def _text(self):
        return self._file.read_text(encoding="utf-8")

    def events(self):
        """The data of what came so far."""
        return [
            json.loads(line.removeprefix("data: "))
            for line in self._text().splitlines()
            if line.startswith("data: ")
        ]

    def end(self):
        self.process.kill()
        self.process.wait()


class RoamingAgent(FakeAgent):
    """Pushes to one responder, and to the next one when that does not answer or is cut off, as
    sluice-agent does."""

    def __init__(self, cluster, number):
        self._cluster, self._at = cluster, (number - 1) % len(cluster)
        self._number = number
        super().__init__(None, server_name(number), SERVICES)
        self._connect()

    def _connect(self):
        if self.api:
            self.api.close()
        responder = self._cluster[self._at]
        self.api = NodeApi(
            responder.node, responder.listening["api"], agent_token(self._number), timeout=1.0
        )

    def stop(self):
        super().stop()
        self.api.close()

    def try_push(self, **fields):
        try:
            reply = super().try_push(**fields)
            if reply.status == 200 and not reply.json.get("stale"):
                return reply
        except (OSError, http.client.HTTPException):
            reply = None
        self._at = (self._at + 1) % len(self._cluster)
        self._connect()
        return reply


class Responders:
    """`count` responders over one etcd. Agent N pushes to responder (N - 1) modulo `count` until it
    is moved."""

    def __init__(self, build, folder, nodes, endpoints, prefix, **pool):
        self.build, self.folder, self.prefix = build, pathlib.Path(folder), prefix
        self.all = []
        self.agents = {}
        for number, node in enumerate(nodes, 1):
            config = configuration(**pool)
            config["dns"]["identity"] = f"ns{number}.test"
            config["dns"]["listen"] = [f"{node.address}@0"]
            config["store"]["etcd"] = {"endpoints": list(endpoints), "prefix": prefix}
            own = self.folder / f"ns{number}"
            own.mkdir(exist_ok=True)
            self.all.append(Responder(build, own, config, node))

    def __getitem__(self, at):
        return self.all[at]

    def __iter__(self):
        return iter(self.all)

    def __len__(self):
        return len(self.all)

    @property
    def names(self):
        return [responder.name for responder in self.all]

    def others(self, *without):
        return [responder for responder in self.all if responder not in without]

    def start(self, agents=True):
        """All at once; returns when all see all, and answer what their agents have said."""
        for responder in self.all:
            responder.launch()
        for responder in self.all:
            responder.await_ready()
            responder.keep_ports()
        self.await_whole()
        if not agents:
            return self
        for number in range(1, len(self.all[0].config["pools"][0]["servers"]) + 1):
            self.move_agent(number, self.all[(number - 1) % len(self.all)])
        self.await_agreement()
        return self

    def move_agent(self, number, responder):
        """From now on the agent of that server pushes there; returns what pushes."""
        former = self.agents.get(number)
        if former:
            former.stop()
            former.api.close()
        agent = FakeAgent(responder.api(agent_token(number)), server_name(number), SERVICES)
        if former:
            agent.services = former.services
        agent.push()
        agent.keep_pushing(0.3)
        self.agents[number] = agent
        return agent

    def end_agents(self):
        for agent in self.agents.values():
            agent.stop()

    # What all of them say.

    def await_whole(self, within=20):
        """Until each sees all the others alive and up to date."""

        def whole():
            for responder in self.all:
                view = responder.cluster_view()
                rows = {each["name"]: each for each in view["responders"]}
                assert sorted(rows) == self.names, f"{responder.name}: {sorted(rows)}"
                assert not view["stale"], f"{responder.name}: {view}"
                for each in rows.values():
                    assert each["alive"] and each["behind"] == 0, f"{responder.name}: {each}"
            return True

        eventually(whole, "all see all", within=within)

    def picture(self, responder):
        """What must be the same everywhere at the same generation."""
        names = [POOL, f"call-park.{POOL}"]
        return {
            "serial": responder.serial(),
            "sets": {
                (name, qtype): responder.members(name, qtype)
                for name in names
                for qtype in ("A", "AAAA")
            },
            "srv": responder.members(f"_sip._tcp.{POOL}", "SRV"),
            "generation": responder.cluster_view()["generation"],
        }

    def agree(self, among=None):
        """The picture that all have; an AssertionError when there is more than one."""
        pictures = {each.name: self.picture(each) for each in among or self.all}
        first = next(iter(pictures.values()))
        for name, picture in pictures.items():
            assert picture == first, f"{name} differs: {pictures}"
        return first

    def await_agreement(self, among=None, within=20, **members):
        """The picture, as soon as all have the same; `members`: POOL's of type A, as well."""

        def same():
            picture = self.agree(among)
            if "members" in members:
                assert picture["sets"][(POOL, "A")] == members["members"], picture
            return picture

        return eventually(same, "all responders answer the same", within=within)


class ClusterScenario(Scenario):
    """One etcd of three members and the nodes of three responders for all tests of a class; each
    test has a prefix, folders and responders of its own."""

    responders_count = 3

    @classmethod
    def setUpClass(cls):
        try:
            cls.wires = Wires()
        except OSError as error:
            raise unittest.SkipTest(str(error)) from error
        cls.addClassCleanup(cls.wires.leave)
        cls.etcd_nodes = [cls.wires.add(f"etcd{n}", f"10.88.0.{20 + n}") for n in (1, 2, 3)]
        cls.nodes = [
            cls.wires.add(f"ns{n}", f"10.88.0.{30 + n}")
            for n in range(1, cls.responders_count + 1)
        ]
        folder = tempfile.mkdtemp(prefix="sluice-test-etcd-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.etcd = EtcdCluster(
            folder, [node.address for node in cls.etcd_nodes],
            [node.prefix for node in cls.etcd_nodes],
        )  # fmt: skip
        cls.addClassCleanup(cls.etcd.stop)
        cls.etcd.start()
        cls.prefixes = 0

    def start_cluster(self, **pool):
        return self.prepare_cluster(**pool).start()

    def prepare_cluster(self, **pool):
        """For what is to be changed before they start."""
        type(self).prefixes += 1
        prefix = f"/sluice-{self.prefixes}"
        self.cluster = Responders(
            self.build, self.folder, self.nodes, self.etcd.endpoints, prefix, **pool
        )
        self.daemons += self.cluster.all
        self.addCleanup(self.wires.mend)
        self.addCleanup(self.cluster.end_agents)
        return self.cluster
