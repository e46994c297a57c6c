"""Semantics, section 3, rule 1: the floor at intake; and races for the last servers."""

import pathlib
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, server_name

RACES = 20


class Floor(Scenario):
    def test_a_drain_below_the_floor_is_refused_with_rule_answer_set_and_numbers(self):
        daemon = self.start(min_accepting=2)
        daemon.api().drain(server_name(1))
        refusal = self.assert_reply(daemon.api().try_drain(server_name(2)), 409, rule="floor")
        self.assertEqual(
            refusal["numbers"] | {"accepting": 2, "would_leave": 1, "min_accepting": 2},
            refusal["numbers"],
        )
        self.assertIn(POOL, refusal["detail"])
        self.assert_members(daemon, [2, 3])

    def test_each_answer_set_has_the_floor_of_its_own(self):
        daemon = self.start(min_accepting=2)
        daemon.api().drain(server_name(1), service="call-park")
        daemon.api().drain(server_name(2), service="attendant")
        refusal = daemon.api().try_drain(server_name(2), service="call-park")
        self.assertIn(f"call-park.{POOL}", self.assert_reply(refusal, 409, rule="floor")["detail"])
        # A whole server is refused for the sake of one feature.
        self.assert_reply(daemon.api().try_drain(server_name(3)), 409, rule="floor")

    def test_draining_a_server_that_is_already_out_is_never_refused(self):
        daemon = self.start(min_accepting=2)
        daemon.agent(1).say(health="down")
        self.assert_members(daemon, [2, 3])
        daemon.api().drain(server_name(1))
        daemon.api().drain(server_name(1))

    def test_members_that_never_empty_brings_are_not_counted(self):
        daemon = self.start(min_accepting=1)
        for number in (1, 2, 3):
            daemon.agent(number).say(health="down")
        self.assert_members(daemon, [1, 2, 3])  # rule 6
        for number in (1, 2, 3):
            daemon.api().drain(server_name(number))  # lowers nothing: zero accept

    def test_the_start_grace_counts(self):
        daemon = self.start(min_accepting=2, agents=False)
        daemon.api().drain(server_name(1))
        self.assert_reply(daemon.api().try_drain(server_name(2)), 409, rule="floor")

    def test_force_overrides_is_recorded_and_warned_of(self):
        daemon = self.start(min_accepting=3)
        daemon.agents_keep_pushing()
        api = daemon.api()
        self.assert_reply(api.try_drain(server_name(1)), 409, rule="floor")
        api.drain(server_name(1), force=True)
        self.assert_members(daemon, [2, 3])
        hold = api.service(server_name(1), "front-end")["holds"][0]
        self.assertTrue(hold.get("forced"), hold)
        # Below its floor is a warning in the verdict, not a condition.
        verdict = eventually(
            lambda: (v := api.verdict(server_name(1)))["safe_to_stop"] and v, "safe all the same"
        )
        self.assertTrue(verdict["warnings"], verdict)

    def test_two_drains_race_for_the_last_two_servers_and_exactly_one_wins(self):
        daemon = self.start(servers=2, min_accepting=1)
        for turn in range(RACES):
            replies = {}
            gate = threading.Barrier(2)

            def drain(number, replies=replies, gate=gate):
                api = daemon.api()
                api.get("/healthz")  # connected before the start
                gate.wait()
                replies[number] = api.try_drain(server_name(number))
                api.close()

            racers = [threading.Thread(target=drain, args=(number,)) for number in (1, 2)]
            for racer in racers:
                racer.start()
            for racer in racers:
                racer.join()
            self.assertEqual(sorted(each.status for each in replies.values()), [200, 409], turn)
            (winner,) = [number for number, reply in replies.items() if reply.status == 200]
            self.assert_reply(replies[3 - winner], 409, rule="floor")
            self.assert_members(daemon, [3 - winner])
            daemon.api().resume(server_name(winner))

    def test_a_race_of_a_host_and_an_operator_has_one_winner(self):
        daemon = self.start(servers=2, min_accepting=1)
        daemon.api().drain(server_name(1))
        agent = daemon.agent(2)
        pause = {"by": "root", "reason": "patch", "since": "2026-01-01T00:00:00Z", "force": False}
        for service in agent.services.values():
            service["paused"] = pause
        reply = agent.push()
        self.assertEqual(reply["services"]["front-end"]["refused"]["rule"], "floor")
        self.assertFalse(reply["services"]["front-end"]["held"])
        self.assert_members(daemon, [2])


if __name__ == "__main__":
    main()
