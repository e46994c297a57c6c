"""A flood at three responders while drains and resumes go on at random ones of them and they, their
network and their etcd fail at random: no answer of who confirmed a drain names the server.

    cluster_flood_test.py BUILD [--seconds N] [--seed S] [unittest's arguments]
"""

import argparse
import http.client
import json
import pathlib
import random
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.api import Api
from support.cluster import ClusterScenario, RoamingAgent
from support.scenario import main
from support.sluiced import POOL, server_name, v4

# Without arguments: what fits into a run of all tests, always the same.
SECONDS, SEED = 20, 1
# The machine is to be busy, and no busier than that elections of etcd go on in time.
QUERIES_PER_SECOND = 6000
# Those of the first are drained by one operator, those of the second by another one; the last are
# in all answers, all the time.
OPERATORS = ((1, 2), (3, 4))
UNTOUCHED = (5, 6)
SERVERS = 6
# A reply that takes longer comes from a responder that is paused.
REPLY_SECONDS = 6.0


class Checker:
    """The flood, and what it is told of acknowledgements. Any thread calls it."""

    def __init__(self, build, cluster):
        self._lock = threading.Lock()
        self._places = {responder.name: place for place, responder in enumerate(cluster)}
        addresses = [f"{each.node.address}@{each.dns_port}" for each in cluster]
        self._process = processes.start(
            [build / "cluster_flood", QUERIES_PER_SECOND, POOL, f"call-park.{POOL}",
             ",".join(addresses),
             ",".join(f"{server_name(n)}={v4(n)}" for n in range(1, SERVERS + 1))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def acknowledged(self, number, confirmed_by):
        places = " ".join(str(self._places[name]) for name in confirmed_by)
        self._tell(f"+ {number - 1} {places}")

    def ends(self, number):
        """Returns when no answer that comes from now on is held against that drain."""
        self._tell(f"- {number - 1}")

    def _tell(self, line):
        with self._lock:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            assert answer == "\n", f"{answer!r} {self._process.stderr.read()}"

    def end(self):
        """(the counts, what was said of broken promises)"""
        out, errors = self._process.communicate(timeout=30)
        assert self._process.returncode == 0, errors
        return json.loads(out), errors


class Operator(threading.Thread):
    """Drains and resumes some servers, each time at any responder."""

    def __init__(self, cluster, checker, numbers, seed):
        super().__init__(daemon=True)
        self.cluster, self.checker, self.numbers = cluster, checker, numbers
        self.chance = random.Random(seed)
        self.counts = {"200": 0, "202": 0, "503": 0, "no reply": 0}
        self.wrong = []
        self._end = threading.Event()

    def run(self):
        try:
            while not self._end.is_set():
                self.drain_once(self.chance.choice(self.numbers))
        except AssertionError as error:
            self.wrong.append(str(error))

    def drain_once(self, number):
        reply = self.order("drain", number)
        if reply is not None and reply.status in (200, 202):
            self.checker.acknowledged(number, reply.json["confirmed_by"])
            self._end.wait(self.chance.uniform(0.02, 0.4))
        # One that was refused may be in force all the same.
        self.checker.ends(number)
        while not self._end.is_set():
            reply = self.order("resume", number)
            if reply is not None and reply.status in (200, 202):
                return
            self._end.wait(0.05)

    def order(self, what, number):
        """The reply, or None of a responder that gives none."""
        responder = self.chance.choice(list(self.cluster))
        api = Api(path=responder.folder / "sluice.sock", timeout=REPLY_SECONDS)
        try:
            reply = api.call("POST", f"/v1/servers/{server_name(number)}/{what}", {})
        except (OSError, http.client.HTTPException):
            self.counts["no reply"] += 1
            return None
        finally:
            api.close()
        if str(reply.status) in self.counts:
            self.counts[str(reply.status)] += what == "drain" or reply.status == 503
        else:
            self.wrong.append(f"{what} {number} at {responder.name}: {reply.status} {reply.text}")
        return reply

    def end(self):
        self._end.set()
        self.join(timeout=60)
        assert not self.is_alive(), "an operator waits for a reply"


class Flood(ClusterScenario):
    seconds, seed = SECONDS, SEED

    def setUp(self):
        super().setUp()
        self.chance = random.Random(self.seed)
        self.began = time.monotonic()
        self.end_pauses = threading.Event()
        self.faults = {}

    def test_no_answer_of_who_confirmed_names_the_server(self):
        cluster = self.prepare_cluster(servers=SERVERS, lease="6s")
        cluster.start(agents=False)
        self.agents = [RoamingAgent(cluster, number) for number in range(1, SERVERS + 1)]
        for agent in self.agents:
            agent.keep_pushing(0.5)
            self.addCleanup(agent.stop)
        everybody = list(range(1, SERVERS + 1))
        cluster.await_agreement(members=everybody)
        checker = Checker(self.build, cluster)
        operators = [
            Operator(cluster, checker, numbers, f"{self.seed}-{numbers}") for numbers in OPERATORS
        ]
        for each in operators:
            each.start()
        try:
            self.break_things()
        finally:
            self.mend_all()
            for each in operators:
                each.end()
        counts, broken = checker.end()
        orders = {
            kind: sum(each.counts[kind] for each in operators) for kind in operators[0].counts
        }
        violations = counts["udp"]["broken"] + counts["tcp"]["broken"]
        print(f"seed {self.seed}, {self.seconds} s: drains {orders}; faults {self.faults}; "
              f"flood {json.dumps(counts)}; violations {violations}")  # fmt: skip
        self.assertEqual([wrong for each in operators for wrong in each.wrong], [])
        self.assertEqual(violations, 0, broken)
        self.assertGreater(orders["200"], self.seconds)
        for transport in ("udp", "tcp"):
            self.assertGreater(counts[transport]["judged"], 100 * self.seconds, transport)
            self.assertGreater(min(counts[transport]["of"]), 0, "each responder was asked")
        # All is well again.
        cluster.await_whole(within=30)
        for numbers in OPERATORS:
            for number in numbers:
                reply = cluster[0].api().try_resume(server_name(number))
                self.assertEqual(reply.status, 200, reply.text)
        cluster.await_agreement(members=everybody, within=30)

    # Faults. Each begins one and returns what ends it.

    def partition(self):
        responder = self.chance.choice(list(self.cluster))
        responder.node.cut(*self.etcd_nodes)
        return responder.node.mend

    def partial_partition(self):
        responder = self.chance.choice(list(self.cluster))
        responder.node.cut(self.chance.choice(self.etcd_nodes))
        return responder.node.mend

    def member_cut_off(self):
        node = self.chance.choice(self.etcd_nodes)
        node.cut(*[other for other in self.etcd_nodes if other is not node])
        return node.mend

    def loss(self):
        responder = self.chance.choice(list(self.cluster))
        responder.node.lose(self.chance.randrange(5, 40), *self.etcd_nodes)
        return responder.node.mend

    def kill_responder(self):
        responder = self.chance.choice(list(self.cluster))
        responder.kill9()
        return responder.start

    def restart_responder(self):
        responder = self.chance.choice(list(self.cluster))
        status = responder.stop()
        assert status == 0, responder.log()
        return responder.start

    def pause_responder(self):
        responder = self.chance.choice(list(self.cluster))
        responder.pause()
        return responder.resume

    def kill_leader(self):
        leader = next((each for each in self.etcd.members if each.is_leader()), None)
        if leader is None:
            return lambda: None
        leader.kill()
        return leader.launch

    def pause_member(self):
        member = self.chance.choice(self.etcd.members)
        member.pause()
        return member.resume

    KINDS = (
        partition, partial_partition, member_cut_off, loss, kill_responder, restart_responder,
        pause_responder, kill_leader, pause_member,
    )  # fmt: skip

    def break_things(self):
        # A first round of each kind, in any order, and then as it comes.
        coming = self.chance.sample(self.KINDS, len(self.KINDS))
        while time.monotonic() - self.began < self.seconds:
            if not coming:
                coming = self.chance.choices(self.KINDS, k=self.chance.choice((1, 1, 2)))
            # What ends one of two ends the other, where both are of one node.
            count = min(len(coming), self.chance.choice((1, 1, 2)))
            together = [coming.pop() for _ in range(count)]
            if kinds_clash(together):
                together = together[:1]
            ends = []
            for kind in together:
                self.faults[kind.__name__] = self.faults.get(kind.__name__, 0) + 1
                ends.append(kind(self))
            time.sleep(self.chance.uniform(0.2, 4.5))
            for end in ends:
                end()
            time.sleep(self.chance.uniform(0.1, 1.5))

    def mend_all(self):
        self.wires.mend()
        for member in self.etcd.members:
            if member.is_running():
                member.resume()
            else:
                member.launch()
        for responder in self.cluster:
            if responder.is_running():
                responder.resume()
            else:
                responder.start()


def kinds_clash(kinds):
    """A process is killed, stopped or paused, and is none of these when the other of two comes."""
    on_processes = {
        "responder": (Flood.kill_responder, Flood.restart_responder, Flood.pause_responder),
        "member": (Flood.kill_leader, Flood.pause_member),
    }
    return any(sum(kind in group for kind in kinds) > 1 for group in on_processes.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen, sys.argv[1:] = parser.parse_known_args()
    Flood.seconds, Flood.seed = chosen.seconds, chosen.seed
    main()
