"""Queries by answer set on the metrics page: asked with dig over UDP and TCP, and through reloads."""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import POOL, ZONE, configuration, v4

FAMILY = "sluice_dns_answer_set_queries_total"
NEW_POOL = "a.other.example"


class AnswerSetQueries(Scenario):
    def page(self):
        return self.daemon.api().call("GET", "/metrics").text

    def queries(self):
        lines = re.findall(rf'(?m)^{FAMILY}{{answer_set="([^"]*)"}} (\d+)$', self.page())
        owners = [owner for owner, _ in lines]
        self.assertEqual(len(owners), len(set(owners)), "an owner twice")
        return {owner: int(count) for owner, count in lines}

    def assert_queries(self, expected):
        # An answer is counted behind the call that sent it.
        eventually(lambda: self.queries() == expected or self.fail(self.queries()), str(expected))

    def dig(self, *words):
        # One try, or what came late would count twice.
        return dns.dig(self.daemon.dns_port, "+tries=1", "+timeout=20", *words)

    def reload(self):
        self.daemon.write_config()
        reply = self.daemon.api().call("POST", "/v1/reload")
        self.assertEqual(reply.status, 200, reply.text)

    def add_pool(self):
        """Before the other one, whose answer sets get other numbers by that."""
        self.daemon.config["pools"].insert(
            0,
            {
                "fqdn": NEW_POOL,
                "service": "front-end",
                "servers": [{"fqdn": f"fe99.{NEW_POOL}", "addresses": [v4(99)]}],
            },
        )

    def test_figures_follow_names_over_transports_and_reloads(self):
        config = configuration()
        config["zones"].append({"name": "other.example", "records": ZONE})
        self.daemon = self.start(config)
        self.assertIn(f"# TYPE {FAMILY} counter\n", self.page())
        self.assertEqual(self.queries(), {}, "never asked")
        for _ in range(5):
            self.assertEqual(len(self.dig(POOL, "A")), 3)
        self.dig("+tcp", POOL, "AAAA")
        self.assertEqual(len(self.dig("+tcp", f"_sip._tcp.{POOL}", "SRV")), 3)
        self.dig(f"call-park.{POOL}", "A")
        # Nobody's: a host record, a static one, a name that is not there, a type that no set has.
        for name in ("fe01", "web", "no"):
            self.dig(f"{name}.{POOL}", "A")
        self.dig(POOL, "TXT")
        expected = {POOL: 6, f"_sip._tcp.{POOL}": 1, f"call-park.{POOL}": 1}
        self.assert_queries(expected)

        self.add_pool()
        self.reload()
        self.assert_queries(expected)
        self.dig(NEW_POOL, "A")
        self.dig("+tcp", POOL, "A")
        expected |= {NEW_POOL: 1, POOL: 7}
        self.assert_queries(expected)

        del self.daemon.config["pools"][0]
        self.reload()
        self.dig(f"_sip._tcp.{POOL}", "SRV")
        self.assert_queries({POOL: 7, f"_sip._tcp.{POOL}": 2, f"call-park.{POOL}": 1})
        self.add_pool()
        self.reload()
        self.dig(NEW_POOL, "A")
        self.assert_queries({NEW_POOL: 2, POOL: 7, f"_sip._tcp.{POOL}": 2, f"call-park.{POOL}": 1})

        page = self.page()
        for family in ("sluice_dns_queries_total", FAMILY):
            self.assertEqual(page.count(f"# TYPE {family} counter\n"), 1, family)
            self.assertEqual(page.count(f"# HELP {family} "), 1, family)
        for transport, rcode, count in (("tcp", "NOERROR", 3), ("udp", "NXDOMAIN", 1)):
            line = f'sluice_dns_queries_total{{transport="{transport}",rcode="{rcode}"}} {count}\n'
            self.assertIn(line, page)


if __name__ == "__main__":
    main()
