"""A service may consolidate components: one unit, and none of them can be drained alone."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.scenario import Scenario, main
from support.sluiced import server_name

FE01 = server_name(1)


class Consolidated(Scenario):
    def test_draining_a_component_is_refused_and_names_the_service_to_drain(self):
        daemon = self.start()
        for component in ("registrar", "monitoring-data-collection"):
            reply = daemon.api().try_drain(FE01, service=component)
            refusal = self.assert_reply(reply, 409, rule="consolidated")
            self.assertIn("front-end", refusal["detail"])
        self.assert_members(daemon, [1, 2, 3])

    def test_the_consolidating_service_drains_as_one(self):
        daemon = self.start()
        daemon.api().drain(FE01, service="front-end")
        self.assert_members(daemon, [2, 3])
        self.assertEqual(
            daemon.api().service(FE01, "front-end")["consolidates"],
            ["registrar", "monitoring-data-collection"],
        )


if __name__ == "__main__":
    main()
