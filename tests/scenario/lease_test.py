"""Semantics, section 3, rule 5: leases, the grace after a start, the guard against mass loss."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.polling import always, eventually
from support.scenario import Scenario, main
from support.sluiced import configuration, server_name

HEARTBEAT, LEASE = 0.2, 0.8


class Leases(Scenario):
    def start_pushing(self, servers=4, **health):
        """Agents that push from threads, with a short lease."""
        config = configuration(servers=servers)
        config["health"] |= {"heartbeat": "200ms", "lease": "800ms", **health}
        daemon = self.start(config)
        self.agents = {n: daemon.agent(n) for n in range(1, servers + 1)}
        for agent in self.agents.values():
            agent.keep_pushing(HEARTBEAT)
        self.addCleanup(self.stop_pushing)
        return daemon

    def stop_pushing(self, *numbers):
        for number in numbers or self.agents:
            self.agents[number].stop()

    def becomes(self, daemon, expected):
        eventually(lambda: self.members(daemon) == expected, f"the members become {expected}")

    def test_a_silent_server_leaves_when_its_lease_ends_and_returns_with_a_push(self):
        daemon = self.start_pushing()
        self.becomes(daemon, [1, 2, 3, 4])
        self.stop_pushing(2)
        self.becomes(daemon, [1, 3, 4])
        front_end = daemon.api().service(server_name(2), "front-end")
        self.assertEqual(front_end["status"], "unknown")
        self.assertIsNone(front_end.get("sessions"), "what was pushed before is not known either")
        self.assertEqual(daemon.api().server(server_name(2))["lease"]["state"], "expired")
        self.agents[2].push()
        self.assert_members(daemon, [1, 2, 3, 4])

    def test_heartbeats_keep_a_server_in(self):
        daemon = self.start_pushing()
        self.becomes(daemon, [1, 2, 3, 4])
        always(lambda: self.members(daemon) == [1, 2, 3, 4], "all stay", during=3 * LEASE)

    def test_a_drained_server_whose_lease_ended_is_not_safe(self):
        daemon = self.start_pushing()
        self.becomes(daemon, [1, 2, 3, 4])
        daemon.api().drain(server_name(2))
        eventually(lambda: daemon.api().verdict(server_name(2))["safe_to_stop"], "safe")
        self.stop_pushing(2)
        verdict = eventually(
            lambda: not (v := daemon.api().verdict(server_name(2)))["safe_to_stop"] and v,
            "no longer safe: its sessions are not known",
        )
        self.assertIn("sessions-unknown", [each["code"] for each in verdict["reasons"]])

    def test_mass_loss_keeps_the_last_known_health(self):
        daemon = self.start_pushing(mass_loss_hold="60s")
        self.becomes(daemon, [1, 2, 3, 4])
        self.agents[1].services["front-end"]["health"] = "down"
        self.becomes(daemon, [2, 3, 4])
        self.stop_pushing(2, 3, 4)  # 3 of 4: more than half
        eventually(
            lambda: daemon.api().server(server_name(2))["lease"]["state"] == "guarded", "guarded"
        )
        always(lambda: self.members(daemon) == [2, 3, 4], "the guard holds", during=2 * LEASE)
        self.assertIn(
            'sluice_mass_loss_guard_active{pool="pool01.contoso.example"} 1',
            daemon.api().call("GET", "/metrics").text,
        )

    def test_the_guard_ends_for_a_server_with_its_next_push_or_by_force_down(self):
        daemon = self.start_pushing(mass_loss_hold="60s")
        self.becomes(daemon, [1, 2, 3, 4])
        self.stop_pushing(2, 3, 4)
        eventually(
            lambda: daemon.api().server(server_name(2))["lease"]["state"] == "guarded", "guarded"
        )
        daemon.api().force(server_name(3), "down")
        self.assert_members(daemon, [1, 2, 4])
        self.agents[2].say(health="down")
        self.becomes(daemon, [1, 4])

    def test_the_guard_ends_after_mass_loss_hold(self):
        daemon = self.start_pushing(mass_loss_hold="1s")
        self.becomes(daemon, [1, 2, 3, 4])
        self.stop_pushing(2, 3, 4)
        self.becomes(daemon, [1])

    def test_half_or_less_is_no_mass_loss(self):
        daemon = self.start_pushing(mass_loss_hold="60s")
        self.becomes(daemon, [1, 2, 3, 4])
        self.stop_pushing(3, 4)
        self.becomes(daemon, [1, 2])

    def test_after_a_start_unknown_servers_count_as_up_for_one_lease(self):
        config = configuration(servers=3)
        config["health"] |= {"heartbeat": "200ms", "lease": "1s", "mass_loss_hold": "60s"}
        daemon = self.start(config, agents=False)
        self.agents = {n: daemon.agent(n) for n in (1, 2)}
        self.addCleanup(self.stop_pushing)
        self.assert_members(daemon, [1, 2, 3])
        for agent in self.agents.values():
            agent.keep_pushing(HEARTBEAT)
        self.becomes(daemon, [1, 2])

    def test_the_grace_is_extended_while_most_of_the_pool_is_unheard(self):
        config = configuration(servers=3)
        config["health"] |= {"heartbeat": "200ms", "lease": "400ms", "mass_loss_hold": "2s"}
        daemon = self.start(config, agents=False)
        self.agents = {1: daemon.agent(1)}
        self.agents[1].keep_pushing(HEARTBEAT)
        self.addCleanup(self.stop_pushing)
        always(lambda: self.members(daemon) == [1, 2, 3], "one of three spoke", during=1.0)
        self.becomes(daemon, [1])  # mass_loss_hold at most


if __name__ == "__main__":
    main()
