"""Semantics, section 4: what a new instance of a service does to the holds on it."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.scenario import Scenario, main
from support.sluiced import FEATURES, POOL, SERVICES, configuration, server_name

FE01 = server_name(1)


class RestartAndStartup(Scenario):
    def test_automatic_releases_that_service_alone(self):
        daemon = self.start()
        api, agent = daemon.api(), daemon.agent(1)
        api.drain(FE01)
        agent.say("call-park", instance="run-2")
        self.assert_members(daemon, [1, 2, 3], f"call-park.{POOL}")
        self.assert_members(daemon, [2, 3])
        self.assertEqual(api.service(FE01, "call-park")["holds"], [])
        self.assertEqual(len(api.service(FE01, "front-end")["holds"]), 1)

    def test_a_server_hold_goes_when_the_last_service_is_released(self):
        daemon = self.start()
        api, agent = daemon.api(), daemon.agent(1)
        api.drain(FE01)
        agent.say(instance="run-2")
        for name in [POOL, *[f"{feature}.{POOL}" for feature in FEATURES]]:
            self.assert_members(daemon, [1, 2, 3], name)
        for service in SERVICES:
            self.assertEqual(api.service(FE01, service)["holds"], [])

    def test_manual_stays_held_until_someone_resumes(self):
        daemon = self.start()
        api, agent = daemon.api(), daemon.agent(1)
        api.drain(FE01, startup="manual")
        agent.say(instance="run-2")
        self.assert_members(daemon, [2, 3])
        self.assertEqual(api.service(FE01, "front-end")["status"], "held")
        api.resume(FE01)
        self.assert_members(daemon, [1, 2, 3])
        self.assertEqual(api.service(FE01, "front-end")["status"], "accepting")

    def test_the_configuration_gives_each_services_default(self):
        config = configuration()
        config["pools"][0]["servers"][0]["startup"] = {"front-end": "manual"}
        daemon = self.start(config)
        daemon.api().drain(FE01)
        daemon.agent(1).say(instance="run-2")
        self.assert_members(daemon, [2, 3])
        self.assert_members(daemon, [1, 2, 3], f"call-park.{POOL}")

    def test_a_drain_may_say_otherwise_for_its_own_hold(self):
        config = configuration()
        config["pools"][0]["servers"][0]["startup"] = {"front-end": "manual"}
        daemon = self.start(config)
        daemon.api().drain(FE01, startup="automatic")
        daemon.agent(1).say(instance="run-2")
        self.assert_members(daemon, [1, 2, 3])

    def test_the_drains_reply_warns_of_automatic(self):
        daemon = self.start()
        automatic = daemon.api().drain(FE01)["warnings"]
        self.assertTrue(any("startup manual" in text for text in automatic), automatic)
        manual = daemon.api().drain(server_name(2), startup="manual")["warnings"]
        self.assertFalse(any("startup manual" in text for text in manual), manual)

    def test_an_instance_that_was_not_known_is_adopted(self):
        daemon = self.start(agents=False)
        daemon.api().drain(FE01)
        daemon.agents_push()  # the first instance that is ever told
        self.assert_members(daemon, [2, 3])
        daemon.agent(1).say(instance="run-2")
        self.assert_members(daemon, [1, 2, 3])

    def test_a_push_without_an_instance_is_no_restart(self):
        daemon = self.start()
        daemon.api().drain(FE01)
        agent = daemon.agent(1)
        for service in agent.services.values():
            del service["instance"]
        agent.push()
        self.assert_members(daemon, [2, 3])
        agent.say(instance="run-2")  # the next one is adopted
        self.assert_members(daemon, [2, 3])
        agent.say(instance="run-3")
        self.assert_members(daemon, [1, 2, 3])

    def test_the_agents_own_restart_changes_nothing(self):
        daemon = self.start()
        daemon.api().drain(FE01)
        daemon.agent(1).push(boot="boot-1", seq=None)
        self.assert_members(daemon, [2, 3])

    def test_a_reboot_is_a_new_instance_of_every_service(self):
        daemon = self.start()
        daemon.api().drain(FE01)
        agent = daemon.agent(1)
        agent.boot = "boot-2"
        agent.say(instance="run-after-boot")
        self.assert_members(daemon, [1, 2, 3])

    def test_a_restart_while_the_authority_was_away_counts(self):
        daemon = self.start()
        daemon.api().drain(FE01, startup="automatic")
        daemon.api().drain(server_name(2), startup="manual")
        daemon.restart()
        for number in (1, 2):
            daemon.agent(number).say(instance="run-2")
        daemon.agent(3).push()
        self.assert_members(daemon, [1, 3])


if __name__ == "__main__":
    main()
