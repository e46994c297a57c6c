"""etcd fails, or what is between it and the responders: orders are refused or acknowledged, never
wrong, and all works again."""

import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.cluster_faults import WORKS_AGAIN_SECONDS, FaultScenario
from support.polling import always, eventually
from support.scenario import main
from support.sluiced import server_name

FE02, FE03 = server_name(2), server_name(3)
ALL = [1, 2, 3]


class Etcd(FaultScenario):
    def test_the_leader_of_etcd_killed_under_load(self):
        self.start_cluster(servers=4)
        orders = self.start_orders()
        eventually(lambda: all(len(each.confirmed) > 10 for each in orders), "all are busy")
        self.etcd.leader().kill()
        killed = time.monotonic()
        for each in orders:
            eventually(
                lambda: each.confirmed[-1] > killed + 0.5,
                f"{each.responder.name} works again", within=WORKS_AGAIN_SECONDS,
            )  # fmt: skip
        print(f"all work again {time.monotonic() - killed:.1f} s after the leader's end")
        self.end_orders(orders)
        self.mend_etcd()
        self.await_back(members=[1, 2, 3, 4])

    def test_etcd_gone_and_back(self):
        self.start_cluster(servers=4, lease="3s")
        self.cluster[0].api().drain(FE02)
        for member in self.etcd.members:
            member.kill()
        for responder in self.cluster:
            self.await_stale(responder)
            self.assert_refuses(responder)
            self.assertEqual(responder.cluster_view()["state"], "cut-off")
        # Nobody pushes any more: that can't be told from not being seen.
        self.cluster.end_agents()
        always(
            lambda: all(each.members() == [1, 3, 4] for each in self.cluster),
            "nothing expires", during=5,
        )  # fmt: skip
        for number, agent in self.cluster.agents.items():
            self.cluster.move_agent(number, self.cluster[number % 3])
        self.mend_etcd()
        self.await_back(members=[1, 3, 4])
        for number, responder in enumerate(self.cluster):
            reply = responder.api().drain(server_name((1, 3, 4)[number]))
            self.assertEqual(reply["unconfirmed"], [])
        self.cluster.await_agreement(members=[])

    def test_a_responder_that_knows_a_minority_alone(self):
        alone = self.etcd.members[0]
        cluster = self.prepare_cluster()
        cluster[0].config["store"]["etcd"]["endpoints"] = [alone.endpoint]
        cluster.start()
        self.etcd_nodes[0].cut(*self.etcd_nodes[1:])
        self.await_stale(cluster[0])
        self.assert_refuses(cluster[0])
        reply = self.await_drain(cluster[1], FE02)
        self.assertEqual(reply.json["unconfirmed"], [cluster[0].name], reply.text)
        self.assertIn("unconfirmed-responder", self.codes(cluster[2], FE02))
        self.assertEqual(self.await_drain(cluster[2], FE03).json["unconfirmed"], [cluster[0].name])
        self.assertEqual([each.members() for each in cluster], [ALL, [1], [1]])
        self.wires.mend()
        self.await_back(members=[1])
        self.assertNotIn("unconfirmed-responder", self.codes(cluster[2], FE02))

    def test_paused_members_of_etcd(self):
        self.start_cluster(servers=4)
        for which, paused in (("follower", self.etcd.followers()[0]), ("leader", None)):
            paused = paused or self.etcd.leader()
            paused.pause()
            for number, responder in enumerate(self.cluster, 1):
                with self.subTest(which=which, at=responder.name):
                    reply = self.await_drain(responder, server_name(number))
                    for each in self.cluster:
                        if each.name in reply.json["confirmed_by"]:
                            self.assertNotIn(number, each.members(), each.name)
            paused.resume()
            self.await_back(members=[4])
            self.resume_all(1, 2, 3)
            self.await_back(members=[1, 2, 3, 4])

    def test_compaction_while_a_responder_is_cut_off(self):
        self.start_cluster()
        one, two, three = self.cluster
        # Its watch goes on where it was; it is cut off, and lists everything anew.
        for longer in (0, 3):
            three.node.cut(*self.etcd_nodes)
            reply = one.api().try_drain(FE02)  # takes the 2 s for which it is waited for
            self.assertEqual((reply.status, reply.json["unconfirmed"]), (202, [three.name]))
            time.sleep(longer)
            revision = two.cluster_view()["revision"]
            self.call_etcd("kv/compaction", {"revision": revision, "physical": True})
            self.wires.mend()
            self.await_back(members=[1, 3])
            self.resume_all(2)
            self.await_back(members=ALL)

    def test_packets_are_lost(self):
        self.start_cluster(servers=4)
        self.cluster[1].node.lose(20, *self.etcd_nodes)
        orders = self.start_orders()
        time.sleep(8)  # the load is what this is about
        self.end_orders(orders)
        for each in orders:
            self.assertGreater(len(each.confirmed) + each.unconfirmed, 0, each.responder.name)
        self.wires.mend()
        self.await_back()
        self.resume_all(1, 2, 3)
        self.await_back(members=[1, 2, 3, 4])


if __name__ == "__main__":
    main()
