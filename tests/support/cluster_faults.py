"""What scenarios of clusters that fail have in common: orders that go on, faults that end."""

import base64
import json
import threading
import time
import urllib.request

from support.cluster import ClusterScenario
from support.polling import eventually
from support.sluiced import server_name

# The members of etcd elect in a second or two; then responders find another member.
WORKS_AGAIN_SECONDS = 10
# Its lease of 3 s (member_life.cc), and what a busy machine adds.
CUT_OFF_SECONDS = 10
# Until it has found a member that answers: endpoints rotate with a backoff.
BACK_SECONDS = 20


class Orders(threading.Thread):
    """Drains and resumes a server at a responder, again and again; holds each reply against what
    the responders answer."""

    def __init__(self, cluster, responder, number):
        super().__init__(daemon=True)
        self.cluster, self.responder, self.number = cluster, responder, number
        self.confirmed = []  # when, monotonic
        self.unconfirmed = self.refused = 0
        self.wrong = []
        self._end = threading.Event()

    def run(self):
        api = self.responder.api()
        while not self._end.is_set():
            held = self.order(api, "drain")
            self.order(api, "resume")
            if not held:
                self._end.wait(0.05)

    def order(self, api, what):
        server = server_name(self.number)
        try:
            reply = api.call("POST", f"/v1/servers/{server}/{what}", {})
        except OSError as error:
            self.wrong.append(f"{what} at {self.responder.name}: {error}")
            return False
        if reply.status == 503:
            self.refused += 1
            return False
        if reply.status not in (200, 202):
            self.wrong.append(f"{what} at {self.responder.name}: {reply.status} {reply.text}")
            return False
        if reply.status == 202:
            self.unconfirmed += 1
        else:
            self.confirmed.append(time.monotonic())
        if what == "drain":
            for each in self.cluster:
                if each.name in reply.json["confirmed_by"] and self.number in each.members():
                    self.wrong.append(f"{each.name} names {server}: {reply.text}")
        return True

    def end(self):
        self._end.set()
        self.join(timeout=60)
        assert not self.is_alive(), f"orders at {self.responder.name} hang"


class FaultScenario(ClusterScenario):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.mend_etcd)

    def mend_etcd(self):
        for member in self.etcd.members:
            if member.is_running():
                member.resume()
            else:
                member.launch()
        for member in self.etcd.members:
            member.wait_healthy()

    def call_etcd(self, path, body, member=None):
        member = member or self.etcd.members[0]
        request = urllib.request.Request(
            f"{member.endpoint}/v3/{path}", json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.load(reply)

    def prefix_range(self):
        """As etcd has it: up to the key after the last with that prefix."""
        first = f"{self.cluster.prefix}/".encode()
        after = first[:-1] + bytes([first[-1] + 1])
        return {
            "key": base64.b64encode(first).decode(), "range_end": base64.b64encode(after).decode()
        }  # fmt: skip

    def await_stale(self, responder):
        eventually(responder.is_stale, f"{responder.name} says so", within=CUT_OFF_SECONDS)

    def assert_refuses(self, responder, server=server_name(1)):
        reply = responder.api().try_drain(server)
        self.assert_reply(reply, 503)

    def await_back(self, **members):
        self.cluster.await_whole(within=BACK_SECONDS)
        return self.cluster.await_agreement(**members)

    def await_drain(self, responder, server, within=WORKS_AGAIN_SECONDS):
        """The first reply that is not 503."""

        def drained():
            reply = responder.api().try_drain(server)
            assert reply.status in (200, 202, 503), reply.text
            return reply if reply.status != 503 else None

        return eventually(drained, f"{responder.name} drains", within=within)

    def codes(self, responder, server):
        return [each["code"] for each in responder.api().verdict(server)["reasons"]]

    def start_orders(self):
        orders = [
            Orders(self.cluster, responder, number)
            for number, responder in enumerate(self.cluster, 1)
        ]
        for each in orders:
            each.start()
        return orders

    def end_orders(self, orders):
        for each in orders:
            each.end()
        print(
            *(f"{each.responder.name}: {len(each.confirmed)} confirmed, {each.unconfirmed} not by "
              f"all, {each.refused} refused" for each in orders), sep="; "
        )  # fmt: skip
        self.assertEqual([wrong for each in orders for wrong in each.wrong], [])

    def resume_all(self, *numbers):
        for number in numbers:
            reply = self.cluster[0].api().try_resume(server_name(number))
            self.assertEqual(reply.status, 200, reply.text)
