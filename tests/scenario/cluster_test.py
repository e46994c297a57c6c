"""Three responders on a real etcd: one truth, whoever is asked and whoever ends."""

import hashlib
import json
import pathlib
import random
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.cluster import ClusterScenario
from support.pki import Pki
from support.polling import always, eventually
from support.scenario import main
from support.sluiced import POOL, SERVICES, server_name, v4

FE01, FE02, FE03 = (server_name(n) for n in (1, 2, 3))
ALL = [1, 2, 3]
# Within the reply's own time a responder that does not confirm is waited for.
CONFIRM_TIMEOUT_SECONDS = 2
# A responder's lease (member_life.cc), and what a busy machine adds.
LAPSE_SECONDS = 10
# Less than is left of the lease of whoever beats once a second.
LEAVE_SECONDS = 1.9


class OneTruth(ClusterScenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hosts = cls.wires.add("hosts", "10.88.0.51")

    def assert_confirmed(self, reply):
        self.assertEqual(sorted(reply["confirmed_by"]), self.cluster.names, reply)
        self.assertEqual(reply["unconfirmed"], [], reply)

    def assert_named_nowhere(self, number, rounds=5):
        """Right now, and again and again, by every worker and transport of each responder."""
        for _ in range(rounds):
            for responder in self.cluster:
                for tcp in (False, True):
                    for name in (POOL, f"call-park.{POOL}"):
                        self.assertNotIn(
                            number, responder.members(name, tcp=tcp), f"{responder.name} {name}"
                        )
                    targets = responder.members(f"_sip._tcp.{POOL}", "SRV", tcp)
                    self.assertNotIn(number, targets, responder.name)

    def codes(self, responder, server):
        return [each["code"] for each in responder.api().verdict(server)["reasons"]]

    # What is decided anywhere is true everywhere.

    def test_a_drain_at_each_is_in_no_answer_of_any_at_its_reply(self):
        self.start_cluster(servers=4)
        for number, responder in enumerate(self.cluster, 1):
            reply = responder.api().drain(server_name(number))
            self.assert_named_nowhere(number)
            self.assert_confirmed(reply)
            picture = self.cluster.agree()
            self.assertEqual(picture["generation"], reply["generation"])
        self.assertEqual(picture["sets"][(POOL, "A")], [4])
        for number, responder in enumerate(self.cluster, 1):
            for other in self.cluster:
                eventually(
                    lambda: other.api().verdict(server_name(number))["safe_to_stop"],
                    f"{other.name}: safe",
                )
        # Lifted elsewhere than placed, one after the other.
        serials = [picture["serial"]]
        for number in (1, 2, 3):
            self.cluster[number % 3].api().resume(server_name(number))
            serials.append(self.cluster.await_agreement()["serial"])
        self.assertEqual(serials, sorted(set(serials)))
        self.assertEqual(self.cluster.await_agreement(members=[1, 2, 3, 4])["serial"], serials[-1])

    def test_force_and_services_and_host_records_agree(self):
        self.start_cluster()
        one, two, three = self.cluster
        two.api().force(FE01, "down")
        self.cluster.await_agreement(members=[2, 3])
        for each in self.cluster:
            self.assertEqual(each.api().service(FE01, "front-end")["forced"], "down", each.name)
        three.api().force(FE01, None)
        self.cluster.await_agreement(members=ALL)

        self.assert_confirmed(one.api().drain(FE02, service="call-park"))
        picture = self.cluster.agree()
        self.assertEqual(picture["sets"][(POOL, "A")], ALL)
        self.assertEqual(picture["sets"][(f"call-park.{POOL}", "A")], [1, 3])
        two.api().resume(FE02, service="call-park")

        self.assertEqual(three.ask(FE03).data("A"), [v4(3)])
        self.assert_confirmed(one.api().drain(FE03, hide_host=True))
        for each in self.cluster:
            self.assertEqual(each.ask(FE03).data("A"), [], each.name)
        two.api().resume(FE03)
        picture = self.cluster.await_agreement(members=ALL)
        for each in self.cluster:
            self.assertEqual(each.ask(FE03).data("A"), [v4(3)], each.name)

    def test_history_is_the_same_at_another_responder(self):
        self.start_cluster()
        self.cluster[0].api().drain(FE02, reason="patch night")
        self.cluster[1].api().resume(FE02)

        def told():
            for each in self.cluster:
                events = each.api().get(f"/v1/servers/{FE02}/history")["events"]
                kinds = [event["type"] for event in events if event["type"] in ("drain", "resume")]
                assert sorted(kinds) == ["drain", "resume"], (each.name, events)
                (drained,) = [event for event in events if event["type"] == "drain"]
                assert "patch night" in json.dumps(drained), drained
            return True

        eventually(told, "all tell the history")

    def test_plans_and_expiries_come_true_everywhere(self):
        self.start_cluster()
        one, two, three = self.cluster
        done = one.sluicectl("drain", FE01, "--at", "+4s", "--reason", "planned")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

        def listed():
            return [
                [plan["server"] for plan in each.api().get("/v1/schedules")["schedules"]]
                for each in self.cluster
            ]

        eventually(lambda: listed() == [[FE01]] * 3, "all know the plan")
        reply = two.api().try_drain(FE02, at="1h")
        self.assertEqual(reply.status, 201, reply.text)
        number = reply.json["id"] if "id" in reply.json else reply.json["schedule"]["id"]
        eventually(lambda: listed() == [[FE01, FE02]] * 3, "all know both")
        cancelled = three.api().call("DELETE", f"/v1/schedules/{number}")
        self.assertIn(cancelled.status, (200, 204), cancelled.text)
        eventually(lambda: listed() == [[FE01]] * 3, "all know it is cancelled")
        self.assert_confirmed(three.api().drain(FE03, expires="2s"))
        self.cluster.await_agreement(members=[2, 3])  # planned and expired, both
        eventually(lambda: listed() == [[]] * 3, "nothing is planned")
        two.api().resume(FE01)
        self.cluster.await_agreement(members=ALL)

    # Two at once.

    def test_of_two_operators_who_race_for_the_last_two_servers_one_wins(self):
        self.start_cluster(servers=2, min_accepting=1)
        chance = random.Random(7)
        for number in range(20):
            first, second = chance.sample(list(self.cluster), 2)
            gate = threading.Barrier(2)
            replies = {}

            def drain(responder, server, gate=gate, replies=replies):
                api = responder.api()
                api.get("/healthz")  # the connection is there
                gate.wait()
                replies[server] = api.try_drain(server)

            racers = [
                threading.Thread(target=drain, args=(first, FE01)),
                threading.Thread(target=drain, args=(second, FE02)),
            ]
            for racer in racers:
                racer.start()
            for racer in racers:
                racer.join()
            said = {server: (reply.status, reply.text) for server, reply in replies.items()}
            context = f"round {number}: {first.name} {second.name} {said}"
            statuses = sorted(reply.status for reply in replies.values())
            self.assertEqual(statuses, [200, 409], context)
            (loser,) = [server for server, reply in replies.items() if reply.status == 409]
            self.assertEqual(replies[loser].json["rule"], "floor", context)
            (winner,) = {FE01, FE02} - {loser}
            stays = 1 if loser == FE01 else 2
            self.assertEqual(self.cluster.agree()["sets"][(POOL, "A")], [stays], context)
            chance.choice(list(self.cluster)).api().resume(winner)
            self.cluster.await_agreement(members=[1, 2])

    def test_three_operators_who_press_without_a_pause_are_all_served(self):
        self.start_cluster(servers=6)
        said = {}

        def press(number):
            api = self.cluster[number].api()
            server = server_name(number + 1)
            said[number] = [
                reply.status
                for _ in range(40)
                for reply in (api.try_drain(server), api.try_resume(server))
            ]

        operators = [threading.Thread(target=press, args=(n,)) for n in range(3)]
        for operator in operators:
            operator.start()
        for operator in operators:
            operator.join()
        # Never "ask again", and nobody goes unheard.
        self.assertEqual(said, {number: [200] * 80 for number in range(3)})
        self.cluster.await_agreement(members=[1, 2, 3, 4, 5, 6])

    # Who does not confirm.

    def test_a_killed_responder_is_named_until_it_is_forgotten(self):
        self.start_cluster()
        one, two, three = self.cluster
        self.cluster.move_agent(3, one)
        # What three vouched for is one's now.
        eventually(lambda: two.api().server(FE03)["lease"]["state"] == "current", "moved")
        three.kill9()
        began = time.monotonic()
        reply = one.api().try_drain(FE02)
        took = time.monotonic() - began
        self.assertEqual(reply.status, 202, reply.text)
        self.assertLess(took, CONFIRM_TIMEOUT_SECONDS + 1, reply.text)
        self.assertEqual(reply.json["unconfirmed"], [three.name])
        self.assertEqual(sorted(reply.json["confirmed_by"]), [one.name, two.name])
        for each in (one, two):
            self.assertEqual(each.members(), [1, 3], each.name)
            self.assertIn("unconfirmed-responder", self.codes(each, FE02), each.name)
        # Its lease is over: nobody knows whether it goes on answering.
        eventually(lambda: not two.seen(three.name)["alive"], "it lapsed", within=LAPSE_SECONDS)
        always(
            lambda: all("unconfirmed-responder" in self.codes(each, FE02) for each in (one, two)),
            "a lapsed lease clears nothing", during=1.5,
        )  # fmt: skip
        shown = two.sluicectl("cluster")
        self.assertEqual(shown.returncode, 1, shown.stdout + shown.stderr)
        self.assertIn(f"forget {three.name}", shown.stdout)
        self.assertEqual(two.sluicectl("cluster", "forget", one.name).returncode, 3, "it is alive")
        stream = two.watch_events(self.folder)
        self.addCleanup(stream.end)
        forgotten = two.sluicectl("cluster", "forget", three.name)
        self.assertEqual(forgotten.returncode, 0, forgotten.stdout + forgotten.stderr)
        told = [f"responder {three.name} was forgotten"]
        eventually(
            lambda: [e["text"] for e in stream.events() if e["type"] == "forget"] == told, "told"
        )
        for each in (one, two):
            eventually(lambda: each.api().verdict(FE02)["safe_to_stop"], each.name)
            self.assertIsNone(each.seen(three.name), each.name)
        # Nobody has to be told that it is back, nor has it.
        three.start()
        self.assertEqual(three.members(), [1, 3], "from its first answer")
        self.cluster.await_whole()
        self.assert_confirmed(two.api().drain(FE01))
        self.assertEqual(self.cluster.agree()["sets"][(POOL, "A")], [3])

    def test_a_forgotten_responder_that_was_never_gone_comes_back(self):
        self.start_cluster()
        one, two, three = self.cluster
        self.cluster.move_agent(3, one)
        three.pause()
        self.assertEqual(one.api().try_drain(FE02).json["unconfirmed"], [three.name])
        eventually(lambda: not one.seen(three.name)["alive"], "it lapsed", within=LAPSE_SECONDS)
        forgotten = one.sluicectl("cluster", "forget", three.name)
        self.assertEqual(forgotten.returncode, 0, forgotten.stdout + forgotten.stderr)
        three.resume()
        self.cluster.await_whole()
        self.cluster.await_agreement(members=[1, 3])
        self.assert_confirmed(three.api().drain(FE01))

    def test_a_restarted_responder_follows_at_once(self):
        self.start_cluster()
        one, two, three = self.cluster
        self.cluster.move_agent(2, three)
        self.assertEqual(two.stop(), 0, two.log())
        eventually(
            lambda: not one.seen(two.name)["alive"], "it took its leave", within=LEAVE_SECONDS
        )
        reply = one.api().try_drain(FE01)
        self.assertEqual(reply.status, 202, reply.text)
        self.assertEqual(reply.json["unconfirmed"], [two.name])
        two.start()
        self.assertEqual(two.members(), [2, 3], "from its first answer")
        self.assertFalse(two.is_stale())
        eventually(
            lambda: "unconfirmed-responder" not in self.codes(three, FE01), "it confirmed by itself"
        )
        self.cluster.await_agreement(members=[2, 3])
        # The one that decided: somebody else does, and it comes back as one who follows.
        self.assertEqual(one.stop(), 0, one.log())
        reply = three.api().try_resume(FE01)
        self.assertIn(reply.status, (200, 202), reply.text)
        one.start()
        self.assertEqual(one.members(), ALL)
        self.cluster.await_whole()
        self.cluster.await_agreement(members=ALL)

    # Agents that move.

    def quiet(self, stream, told=0):
        """What must not have happened, of what came after the first `told`."""
        loud = ("status", "generation", "release", "lease", "mass-loss", "guard-end")
        return [event for event in stream.events()[told:] if event["type"] in loud]

    def test_an_agent_whose_responder_is_killed_moves_unnoticed(self):
        self.start_cluster(lease="6s")
        one, two, three = self.cluster
        stream = three.watch_events(self.folder)
        self.addCleanup(stream.end)
        before = three.cluster_view()["generation"]
        one.kill9()
        self.cluster.move_agent(1, two)
        eventually(lambda: not three.seen(one.name)["alive"], "it lapsed", within=LAPSE_SECONDS)
        # Longer than a lease since the last push to the one that is gone.
        always(lambda: three.members() == ALL and two.members() == ALL, "it stays", during=7)
        self.assertEqual(self.quiet(stream), [])
        self.assertEqual(three.cluster_view()["generation"], before)
        self.assertEqual(three.api().server(FE01)["lease"]["state"], "current")

    def test_real_agents_that_are_cut_off_from_their_responder_move_unnoticed(self):
        cluster = self.prepare_cluster(lease="4s")
        one, two, three = cluster
        pki = Pki(self.build, self.folder)
        pki.make("server", "ns.test", *[node.address for node in self.nodes])
        certificate, key = pki.pair("server", "ns.test")
        for responder in cluster:
            responder.config["api"]["listen"] = [f"{responder.node.address}@8443"]
            responder.config["api"]["tls"] = {"certificate": str(certificate), "key": str(key)}
            responder.config["api"]["tokens"] = [
                {"name": f"fe{number:02}", "role": "agent", "server": server_name(number),
                 "sha256": hashlib.sha256(self.secret(number).encode()).hexdigest()}
                for number in ALL
            ]  # fmt: skip
        cluster.start(agents=False)
        urls = [f"https://{node.address}:8443" for node in self.nodes]
        for number in ALL:
            self.start_agent(pki, number, urls)
        cluster.await_agreement(members=ALL)
        for responder in cluster:
            eventually(
                lambda: all(self.lease(responder, n) == "current" for n in ALL),
                responder.name,
            )
        stream = three.watch_events(self.folder)
        self.addCleanup(stream.end)
        before = cluster.agree()["generation"]
        self.hosts.cut(one.node)
        told = len(stream.events())
        # Longer than two leases; all that time every responder knows them current.
        always(lambda: all(self.lease(three, n) == "current" for n in ALL), "current", during=9)
        self.assertEqual(self.quiet(stream, told), [])
        for number in ALL:
            self.assertIn(two.node.address, self.agent_status(number), "it has moved")
        # And back to the nearest.
        self.hosts.mend()
        eventually(
            lambda: all(one.node.address in self.agent_status(n) for n in ALL), "they moved back",
            within=60,
        )  # fmt: skip
        always(lambda: all(self.lease(three, n) == "current" for n in ALL), "current", during=5)
        self.assertEqual(self.quiet(stream, told), [])
        self.assertEqual(cluster.agree()["generation"], before)

    def secret(self, number):
        return f"cluster-fe{number:02}"

    def lease(self, responder, number):
        return responder.api().server(server_name(number))["lease"]["state"]

    def start_agent(self, pki, number, urls):
        home = self.folder / f"agent-{number}"
        home.mkdir()
        (home / "token").write_text(self.secret(number) + "\n")
        service = {"checks": [{"command": ["/bin/true"], "interval": "1s"}], "sessions": {}}
        config = {
            "authorities": urls, "token_file": "token", "tls": {"ca": str(pki.ca)},
            "server": server_name(number), "state": "state", "heartbeat": "1s",
            "socket": {"path": "agent.sock", "mode": "0600"},
            "services": {name: service for name in SERVICES},
        }  # fmt: skip
        (home / "agent.yaml").write_text(json.dumps(config))
        with open(home / "log", "ab") as log:
            agent = processes.start(
                [*self.hosts.prefix, self.build / "sluice-agent", "run", "--config",
                 home / "agent.yaml"],
                stdout=log, stderr=log,
            )  # fmt: skip
        self.addCleanup(agent.wait)
        self.addCleanup(agent.kill)
        eventually((home / "agent.sock").exists, "the agent listens")

    def agent_status(self, number):
        done = processes.run(
            [self.build / "sluice-agent", "status", "--json", "--config",
             self.folder / f"agent-{number}" / "agent.yaml"]
        )  # fmt: skip
        return done.stdout


if __name__ == "__main__":
    main()
