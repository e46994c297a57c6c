"""A zone's SOA serial grows whenever an answer of the zone changes, and never goes back."""

import pathlib
import sqlite3
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, ZONE, server_name


class Serial(Scenario):
    def serial(self, daemon):
        return dns.ask(daemon.dns_port, POOL, "SOA").answer[0].data

    def grows(self, daemon, before):
        after = self.serial(daemon)
        # RFC 1982 arithmetic is not needed: a new zone's serial is far from its end.
        self.assertGreater(after, before)
        return after

    def test_it_grows_with_each_change_of_members(self):
        daemon = self.start()
        api = daemon.api()
        serial = self.serial(daemon)
        for _ in range(3):
            api.drain(server_name(1))
            serial = self.grows(daemon, serial)
            api.drain(server_name(2), service="call-park")
            serial = self.grows(daemon, serial)
            api.resume(server_name(1))
            serial = self.grows(daemon, serial)
            api.resume(server_name(2), service="call-park")
            serial = self.grows(daemon, serial)

    def test_it_stays_when_nothing_changes(self):
        daemon = self.start()
        daemon.api().drain(server_name(1))
        serial = self.serial(daemon)
        daemon.api().drain(server_name(1))
        daemon.agents_push()
        self.assertEqual(self.serial(daemon), serial)

    def test_it_never_goes_back_across_restarts_and_kill9(self):
        daemon = self.start()
        serial, generation = self.serial(daemon), 0
        for turn in range(6):
            reply = daemon.api().drain(server_name(1 + turn % 3))
            self.assertGreater(reply["generation"], generation)
            generation = reply["generation"]
            serial = self.grows(daemon, serial)
            if turn % 2:
                daemon.kill9()
                daemon.start()
            else:
                daemon.restart()
            self.assertGreaterEqual(self.serial(daemon), serial)
            serial = self.serial(daemon)
            daemon.api().resume(server_name(1 + turn % 3))
            serial = self.grows(daemon, serial)

    def test_a_reload_that_changes_records_grows_it(self):
        daemon = self.start()
        serial = self.serial(daemon)
        daemon.config["zones"][0]["records"] = ZONE + "www 300 IN A 192.0.2.81\n"
        daemon.write_config()
        daemon.hang_up()
        eventually(
            lambda: dns.dig(daemon.dns_port, f"www.{POOL}", "A") == ["192.0.2.81"], "reloaded"
        )
        self.grows(daemon, serial)

    def test_records_that_changed_while_it_was_away_grow_it(self):
        daemon = self.start()
        serial = self.serial(daemon)
        daemon.config["zones"][0]["records"] = ZONE + "www 300 IN A 192.0.2.81\n"
        daemon.restart()
        self.grows(daemon, serial)

    def test_the_negative_answers_soa_has_the_same_serial(self):
        daemon = self.start()
        daemon.api().drain(server_name(1))
        (soa,) = dns.ask(daemon.dns_port, f"nothing.{POOL}", "A").authority
        self.assertEqual(soa.data, self.serial(daemon))

    def test_a_serial_that_the_store_refused_once_is_on_disk_when_it_is_served(self):
        daemon = self.start()
        zone = daemon.config["zones"][0]
        before = zone["records"]
        later = before.replace("hostmaster 1 ", "hostmaster 5000000 ")
        somebody = sqlite3.connect(daemon.folder / "state" / "sluice.db")
        somebody.execute("BEGIN IMMEDIATE")  # the store can't write
        zone["records"] = later
        daemon.write_config()
        self.assertEqual(daemon.api().call("POST", "/v1/reload").status, 409)
        somebody.rollback()
        somebody.close()
        self.assertEqual(daemon.api().call("POST", "/v1/reload").status, 200)
        served = self.serial(daemon)
        self.assertGreater(served, 5_000_000)
        zone["records"] = before
        daemon.kill9()
        daemon.start()
        self.assertGreater(self.serial(daemon), served)


if __name__ == "__main__":
    main()
