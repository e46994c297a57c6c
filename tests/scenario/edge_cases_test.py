"""Semantics, section 8, row by row."""

import pathlib
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, SERVICES, ZONE, configuration, server_name, v4, v6

FE01, FE02 = server_name(1), server_name(2)
PAUSE = {"by": "root", "reason": "patch", "since": "2026-01-01T00:00:00Z"}


class EdgeCases(Scenario):
    def test_drain_of_a_drained_server_is_success_same_hold_nothing_changes(self):
        daemon = self.start()
        api = daemon.api()
        first = api.drain(FE01, reason="first")
        before = api.service(FE01, "front-end")["holds"]
        second = api.drain(FE01, reason="second")
        self.assertEqual(second["generation"], first["generation"])
        self.assertEqual(api.service(FE01, "front-end")["holds"], before)
        self.assertEqual(before[0]["reason"], "first")

    def test_drain_of_a_down_server_comes_back_held_when_manual(self):
        daemon = self.start()
        api, agent = daemon.api(), daemon.agent(1)
        agent.say(health="stopped")
        api.drain(FE01, startup="manual")
        agent.say(health="up", instance="run-2")
        self.assertEqual(api.service(FE01, "front-end")["status"], "held")
        self.assert_members(daemon, [2, 3])

    def test_drain_of_a_down_server_comes_back_accepting_when_automatic(self):
        daemon = self.start()
        api, agent = daemon.api(), daemon.agent(1)
        agent.say(health="stopped")
        api.drain(FE01, startup="automatic")
        agent.say(health="up", instance="run-2")
        self.assertEqual(api.service(FE01, "front-end")["status"], "accepting")
        self.assert_members(daemon, [1, 2, 3])

    def test_resume_of_a_down_server_lifts_the_hold_and_stays_out_while_down(self):
        daemon = self.start()
        api, agent = daemon.api(), daemon.agent(1)
        api.drain(FE01)
        agent.say(health="down")
        api.resume(FE01)
        self.assertEqual(api.service(FE01, "front-end")["holds"], [])
        self.assertEqual(api.service(FE01, "front-end")["status"], "down")
        self.assert_members(daemon, [2, 3])
        agent.say(health="up")
        self.assert_members(daemon, [1, 2, 3])

    def test_a_hosts_pause_is_a_hold_of_the_hosts(self):
        daemon = self.start()
        reply = daemon.agent(1).say(paused=PAUSE)
        self.assertIsNone(reply["services"]["front-end"]["refused"])
        self.assert_members(daemon, [2, 3])
        hold = daemon.api().service(FE01, "front-end")["holds"][0]
        self.assertEqual((hold["origin"], hold["by"], hold["reason"]), ("host", "root", "patch"))
        self.assertTrue(daemon.agent(1).push()["services"]["front-end"]["held"])
        daemon.agent(1).say(paused=None)
        self.assert_members(daemon, [1, 2, 3])

    def test_resume_of_what_the_host_paused_asks_the_agent_and_waits_for_it(self):
        daemon = self.start()
        agent = daemon.agent(1)
        agent.say("front-end", paused=PAUSE)
        replies = []
        operator = threading.Thread(
            target=lambda: replies.append(daemon.api().try_resume(FE01, service="front-end"))
        )
        operator.start()
        eventually(lambda: agent.push()["services"]["front-end"]["lift"], "the agent is asked")
        agent.say("front-end", paused=None)
        operator.join()
        self.assertEqual(replies[0].status, 200, replies[0].text)
        self.assert_members(daemon, [1, 2, 3])

    def test_resume_of_what_the_host_paused_says_so_and_fails_when_no_agent_answers(self):
        daemon = self.start()
        daemon.agent(1).say("front-end", paused=PAUSE)
        self.assert_reply(daemon.api().try_resume(FE01, service="front-end"), 504)
        self.assert_members(daemon, [2, 3])

    def test_a_hosts_pause_survives_the_authoritys_kill(self):
        daemon = self.start()
        daemon.agent(1).say(paused=PAUSE)
        eventually(lambda: daemon.agent(1).push()["services"]["front-end"]["held"], "durable")
        daemon.kill9()
        daemon.start()
        self.assert_members(daemon, [2, 3])

    def test_drain_of_one_component_is_refused_naming_the_service(self):
        reply = self.start().api().try_drain(FE01, service="registrar")
        self.assertIn("front-end", self.assert_reply(reply, 409, rule="consolidated")["detail"])

    def test_the_servers_own_host_record_stays(self):
        daemon = self.start()
        daemon.api().drain(FE01)
        self.assertEqual(dns.dig(daemon.dns_port, FE01, "A"), [v4(1)])
        self.assertEqual(dns.dig(daemon.dns_port, FE01, "AAAA"), [v6(1)])

    def test_hide_host_takes_the_host_record_out_until_the_resume(self):
        daemon = self.start()
        daemon.api().drain(FE01, hide_host=True)
        for qtype in ("A", "AAAA"):
            answer = dns.ask(daemon.dns_port, FE01, qtype)
            self.assertEqual(answer.answer, [])
        daemon.api().resume(FE01)
        self.assertEqual(dns.dig(daemon.dns_port, FE01, "A"), [v4(1)])

    def test_hide_host_survives_a_restart(self):
        daemon = self.start()
        daemon.api().drain(FE01, hide_host=True)
        daemon.kill9()
        daemon.start()
        self.assertEqual(dns.ask(daemon.dns_port, FE01, "A").answer, [])

    def test_names_that_the_pool_does_not_balance_are_never_touched(self):
        daemon = self.start()
        for number in (1, 2, 3):
            daemon.api().drain(server_name(number))
        self.assertEqual(dns.dig(daemon.dns_port, f"web.{POOL}", "A"), ["192.0.2.80"])
        self.assertEqual(len(dns.dig(daemon.dns_port, POOL, "NS")), 1)

    def test_a_pool_without_dns_load_balancing_is_never_green_by_dns(self):
        daemon = self.start(dns_load_balancing=False)
        reply = daemon.api().drain(FE01)
        self.assertTrue(any("feature" in text for text in reply["warnings"]), reply)
        eventually(
            lambda: [each["code"] for each in daemon.api().verdict(FE01)["reasons"]
                     if each["code"] != "horizon"], "only the reason that it is not by DNS"
        )  # fmt: skip
        verdict = daemon.api().verdict(FE01)
        self.assertFalse(verdict["safe_to_stop"])
        self.assertIn("not by DNS", " ".join(each["text"] for each in verdict["reasons"]))

    def test_a_zone_that_lists_an_unknown_name_server_is_warned_of_at_the_start(self):
        config = configuration()
        config["zones"][0]["records"] = (
            ZONE + "@ 300 IN NS ns9.elsewhere.example.\n"
        )
        daemon = self.start(config)
        self.assertIn("ns9.elsewhere.example", daemon.log())

    def test_a_configured_service_that_no_agent_pushes_is_unknown_not_an_error(self):
        daemon = self.start(agents=False)
        for number in (1, 2, 3):
            daemon.agent(number, services=["front-end"]).push()
        api = daemon.api()
        self.assertEqual(api.service(FE01, "call-park")["status"], "unknown")
        self.assertEqual(api.service(FE01, "front-end")["status"], "accepting")

    def test_an_unknown_service_in_a_heartbeat_is_bad_input(self):
        daemon = self.start()
        reply = daemon.agent(1).try_push(services={"nonesuch": {"health": "up"}})
        self.assertIn("nonesuch", self.assert_reply(reply, 400)["detail"])

    def test_a_server_may_run_only_some_services(self):
        config = configuration()
        config["pools"][0]["servers"][2]["services"] = ["front-end"]
        daemon = self.start(config, agents=False)
        for number in (1, 2):
            daemon.agent(number).push()
        daemon.agent(3, services=["front-end"]).push()
        self.assert_members(daemon, [1, 2, 3])
        self.assert_members(daemon, [1, 2], f"call-park.{POOL}")
        self.assertEqual(list(daemon.api().server(server_name(3))["services"]), ["front-end"])
        self.assertEqual(sorted(daemon.api().server(FE02)["services"]), sorted(SERVICES))


if __name__ == "__main__":
    main()
