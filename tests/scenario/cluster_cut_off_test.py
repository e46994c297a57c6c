"""Responders that are cut off, stopped or wrong about the time: they go on answering, say so, and
decide nothing that the others do not have."""

import base64
import pathlib
import shutil
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.cluster_faults import BACK_SECONDS, CUT_OFF_SECONDS, FaultScenario
from support.kept import kept
from support.metrics import metric
from support.polling import always, eventually
from support.scenario import main
from support.sluiced import server_name
from support.wall_clock import WallClock

ALL = [1, 2, 3]
SERVERS = FE01, FE02, FE03 = [server_name(n) for n in ALL]
MINUTE = 60


def says_stale(message):
    """Whether it has an Extended DNS Error 3, Stale Answer (RFC 8914 section 4.4)."""
    (opt,) = [each.data for each in message.additional if each.type == "41"]
    while opt:
        code, size = struct.unpack_from(">2H", opt)
        if code == 15 and struct.unpack_from(">H", opt, 4)[0] == 3:
            return True
        opt = opt[4 + size :]
    return False


class OneResponder(FaultScenario):
    def test_a_responder_that_is_cut_off(self):
        cluster = self.prepare_cluster(lease="3s")
        for each in cluster:
            each.config["dns"]["explain_stale"] = True
        one, two, three = cluster.start()
        three.node.cut(*self.etcd_nodes)
        self.await_stale(three)
        self.assertTrue(says_stale(three.ask()))
        self.assertFalse(says_stale(one.ask()))
        # Its own agent has found another one, as agents do.
        self.cluster.move_agent(3, two)
        ready = three.api().call("GET", "/readyz")
        self.assertEqual((ready.status, ready.json["stale"]), (200, True), ready.text)
        self.assertIn("since", ready.json)
        self.assertIn("reason", ready.json)
        self.assertEqual(metric(three.api(), "sluice_state_stale"), 1)
        self.assertEqual(metric(one.api(), "sluice_state_stale"), 0)
        view = three.cluster_view()
        self.assertEqual((view["state"], view["stale"]), ("cut-off", True))
        shown = three.sluicectl("cluster")
        self.assertEqual(shown.returncode, 1, shown.stdout + shown.stderr)
        self.assertIn("stale since", shown.stdout)
        self.assert_refuses(three)
        refused = three.sluicectl("drain", FE01)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("cut off", refused.stdout + refused.stderr)
        reply = one.api().try_drain(FE02)
        self.assertEqual(reply.status, 202, reply.text)
        self.assertEqual(reply.json["unconfirmed"], [three.name])
        # It hears of no agent: none is lost for that.
        always(
            lambda: three.members() == ALL and one.members() == [1, 3] and two.members() == [1, 3],
            "all go on answering", during=5,
        )  # fmt: skip
        for each in (one, two):
            self.assertIn("unconfirmed-responder", self.codes(each, FE02), each.name)
        self.wires.mend()
        self.await_back(members=[1, 3])
        self.assertFalse(three.is_stale())
        self.assertFalse(says_stale(three.ask()))
        self.assertEqual(metric(three.api(), "sluice_state_stale"), 0)
        for each in self.cluster:
            self.assertNotIn("unconfirmed-responder", self.codes(each, FE02), each.name)
        self.assertEqual(three.api().drain(FE01)["unconfirmed"], [])

    def test_a_paused_responder(self):
        self.start_cluster()
        one, two, three = self.cluster
        self.cluster.move_agent(3, one)
        for decided in (False, True):
            if decided:
                three.api().drain(FE01)  # it has the turn
            three.pause()
            began = time.monotonic()
            reply = one.api().try_drain(FE02)
            self.assertLess(time.monotonic() - began, 3)
            self.assertEqual((reply.status, reply.json["unconfirmed"]), (202, [three.name]))
            eventually(
                lambda: not two.seen(three.name)["alive"], "it lapsed", within=CUT_OFF_SECONDS
            )
            three.resume()
            self.await_back(members=[3] if decided else [1, 3])
            self.resume_all(1, 2)
            self.await_back(members=ALL)

    def test_a_start_without_etcd_answers_by_its_own_copy(self):
        self.start_cluster()
        one, two, three = self.cluster
        self.assertEqual(one.api().drain(FE02)["unconfirmed"], [])
        three.kill9()
        three.node.cut(*self.etcd_nodes)
        three.start()
        self.assertEqual(three.members(), [1, 3], "the drained server stays out")
        self.assertTrue(three.is_stale())
        self.assertEqual(three.api().service(FE02, "front-end")["in_answers"], False)
        self.assert_refuses(three)
        self.cluster.move_agent(3, one)
        self.assertEqual(one.api().try_drain(FE01).status, 202)
        self.wires.mend()
        self.await_back(members=[3])
        self.assertFalse(three.is_stale())

    def test_a_hold_for_one_responder_alone_becomes_everybodys(self):
        self.start_cluster()
        one, two, three = self.cluster
        three.node.cut(*self.etcd_nodes)
        self.await_stale(three)
        reply = three.api().try_drain(FE02, local_force=True)
        self.assertEqual(reply.status, 202, reply.text)
        self.assertEqual(reply.json["confirmed_by"], [three.name])
        self.assertEqual(sorted(reply.json["unconfirmed"]), [one.name, two.name])
        self.assertEqual([each.members() for each in self.cluster], [ALL, ALL, [1, 3]])
        serial = three.serial()
        three.kill9()
        three.start()
        self.assertEqual(three.members(), [1, 3], "its own copy has it")
        self.assertGreaterEqual(three.serial(), serial)
        self.wires.mend()
        picture = self.await_back(members=[1, 3])
        self.assertGreaterEqual(picture["serial"], serial)
        for each in self.cluster:
            (hold,) = each.api().service(FE02, "front-end")["holds"]
            self.assertEqual(hold["origin"], "operator", each.name)
        self.resume_all(2)
        self.await_back(members=ALL)

    def test_an_emptied_prefix_is_refused(self):
        self.start_cluster(lease="3s")
        self.cluster[0].api().drain(FE02)
        agreed = self.cluster.await_agreement(members=[1, 3])
        deleted = self.call_etcd("kv/deleterange", self.prefix_range())
        self.assertGreater(int(deleted["deleted"]), 5)

        def alarmed(responder):
            return responder.cluster_view()["alarm"] and responder.is_stale()

        for each in self.cluster:
            eventually(lambda: alarmed(each), f"{each.name} alarms")
            self.assertIn("emptied", each.cluster_view()["alarm"])
            self.assertEqual(metric(each.api(), "sluice_cluster_alarm"), 1)
            self.assertIn("ALARM", each.log())
            self.assert_refuses(each)
            self.assertEqual(each.sluicectl("cluster").returncode, 1)
        always(
            lambda: all(each.members() == [1, 3] for each in self.cluster), "all answer", during=4
        )
        # A new run founds no cluster there either.
        three = self.cluster[2]
        self.assertEqual(three.stop(), 0)
        three.start()
        self.assertTrue(alarmed(three))
        self.assertEqual(three.members(), [1, 3])
        self.assert_refuses(three)
        self.assertEqual(three.serial(), agreed["serial"])
        left = self.call_etcd("kv/range", {**self.prefix_range(), "keys_only": True})
        keys = [base64.b64decode(each["key"]).decode() for each in left.get("kvs", [])]
        self.assertNotIn(f"{self.cluster.prefix}/cluster", keys)

    # What was lost is given back.

    def start_with_state(self):
        """What an operator would miss: a hold, one of a service, a forced health, a plan."""
        self.start_cluster(lease="3s")
        one, two, three = self.cluster
        one.api().drain(FE02, reason="new disk", startup="manual")
        two.api().drain(FE01, service="call-park", reason="patch", expires="2h")
        three.api().force(FE03, "down", service="attendant")
        planned = one.api().try_drain(FE03, at="2036-01-01T00:00:00Z", reason="some day")
        self.assert_reply(planned, 201)
        self.cluster.await_agreement(members=[1, 3])
        before = kept(one.api(), SERVERS)
        self.assert_kept(before)
        return before

    def assert_kept(self, before):
        for each in self.cluster:
            eventually(lambda: kept(each.api(), SERVERS) == before, f"{each.name} holds what it held")

    def await_alarm(self, responder):
        eventually(
            lambda: responder.cluster_view()["alarm"] and responder.is_stale(),
            f"{responder.name} alarms",
        )  # fmt: skip

    def keys(self):
        left = self.call_etcd("kv/range", {**self.prefix_range(), "keys_only": True})
        return sorted(base64.b64decode(each["key"]).decode() for each in left.get("kvs", []))

    def give_back(self, responder, *options):
        """Of one that is stopped."""
        done = processes.run(
            [self.build / "sluicectl", "import", "--config", responder.file, "--to", "etcd",
             *options],
            timeout=60,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def assert_orders_go_on(self):
        """By all, with the agents' health as before."""
        reply = self.cluster[2].api().drain(FE01)
        self.assertEqual(sorted(reply["confirmed_by"]), self.cluster.names, reply)
        self.assertEqual(reply["unconfirmed"], [])
        self.cluster.await_agreement(members=[3])
        for server in (FE01, FE02):
            self.cluster[0].api().resume(server)
        self.await_back(members=ALL)

    def test_an_emptied_prefix_is_given_back_from_a_copy(self):
        before = self.start_with_state()
        one, two, three = self.cluster
        self.call_etcd("kv/deleterange", self.prefix_range())
        for each in self.cluster:
            self.await_alarm(each)
            self.assert_refuses(each)
            self.assertEqual(each.members(), [1, 3])
        known = one.cluster_view()["id"]

        self.cluster.move_agent(2, one)
        self.assertEqual(two.stop(), 0)
        dry = self.give_back(two, "--dry-run")
        self.assertNotIn(f"{self.cluster.prefix}/cluster", self.keys(), "a dry run writes nothing")
        for said in (f"(its copy of cluster {known}", "2 holds, 1 forced health, 1 planned drain",
                     f"hold on {FE02}"):  # fmt: skip
            self.assertIn(said, dry)
        self.assertNotIn("made anew", dry)
        self.assertEqual(one.members(), [1, 3])
        given = self.give_back(two)
        self.assertIn("moved from", given)
        self.assertIn(f"{self.cluster.prefix}/cluster", self.keys())

        # The others follow by themselves, also before that one is back.
        for each in (one, three):
            eventually(lambda: not each.is_stale(), f"{each.name} follows", within=BACK_SECONDS)
            self.assertEqual(each.cluster_view()["id"], known)
            self.assertIsNone(each.cluster_view()["alarm"])
            self.assertEqual(each.members(), [1, 3])
        two.start()
        self.await_back(members=[1, 3])
        self.assert_kept(before)
        self.assert_orders_go_on()

    def test_a_new_etcd_is_given_what_a_copy_has(self):
        """Its revisions begin at one again: all but that copy's owner must begin anew, too."""
        before = self.start_with_state()
        one, two, three = self.cluster
        known = one.cluster_view()["id"]
        self.etcd.stop()
        for member in self.etcd.members:
            shutil.rmtree(member.folder / "data")
        self.mend_etcd()
        for each in self.cluster:
            self.await_alarm(each)
            self.assertEqual(each.members(), [1, 3])
        self.assertEqual(two.stop(), 0)
        self.assertIn("will be put away", self.give_back(two, "--dry-run"))
        self.assertNotIn(f"{self.cluster.prefix}/cluster", self.keys())
        self.assertTrue((two.folder / "state" / "cluster.db").exists())
        self.assertIn("at each other responder", self.give_back(two))
        self.assertFalse((two.folder / "state" / "cluster.db").exists())
        two.start()
        # Agents leave a responder that is stale.
        for number in ALL:
            self.cluster.move_agent(number, two)
        self.assertEqual(two.members(), [1, 3])
        self.assertEqual(two.cluster_view()["id"], known)
        for each in (one, three):
            eventually(
                lambda: "went back in time: revision" in each.cluster_view()["alarm"],
                f"{each.name} has looked again",
            )
            self.assertEqual(each.members(), [1, 3])
            self.assertEqual(each.stop(), 0)
            for path in (each.folder / "state").glob("cluster.db*"):
                path.rename(path.with_name(f"former-{path.name}"))
            each.start()
            self.assertEqual(each.members(), [1, 3])
        self.await_back(members=[1, 3])
        self.assert_kept(before)
        self.assert_orders_go_on()

    def test_a_wall_clock_that_is_a_minute_off(self):
        cluster = self.prepare_cluster(lease="4s")
        three = cluster[2]
        clock = WallClock(self.build, three.folder)
        three.environment = clock.environment
        clock.jump(MINUTE)
        cluster.start()
        for ahead in (MINUTE, -MINUTE):
            clock.jump(ahead - clock.ahead)
            for responder in cluster:
                before = time.time()
                reply = responder.api().drain(FE02)
                self.assertEqual(reply["unconfirmed"], [])
                for each in cluster:
                    eventually(
                        lambda: each.api().verdict(FE02)["safe_to_stop"],
                        f"{each.name}: safe", within=10,
                    )  # fmt: skip
                self.assertLess(time.time() - before, 10)
                self.assertEqual(self.cluster.agree()["generation"], reply["generation"])
                responder.api().resume(FE02)
                cluster.await_agreement(members=ALL)
            eventually(
                lambda: abs((cluster[0].seen(three.name)["clock_offset"] or 0) - ahead) < 5,
                "it shows",
            )
            for responder in (cluster[0], three):
                began = time.monotonic()
                reply = responder.api().try_drain(FE01, at="5s")
                self.assertEqual(reply.status, 201, reply.text)
                cluster.await_agreement(members=[2, 3])
                # It leaves a TTL and a resolver's least TTL before; not a minute, nor never.
                self.assertGreater(time.monotonic() - began, 1)
                self.assertLess(time.monotonic() - began, 10)
                self.resume_all(1)
                cluster.await_agreement(members=ALL)
        # No lease is told by a wall clock.
        always(lambda: all(each.members() == ALL for each in cluster), "nobody is lost", during=5)


if __name__ == "__main__":
    main()
