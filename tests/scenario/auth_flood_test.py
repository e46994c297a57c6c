"""Whoever guesses tokens fills neither log nor disk, and delays no drain."""

import contextlib
import http.client
import pathlib
import re
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import server_name

GUESSES, GUESSERS = 1_000, 4


class AuthFlood(Scenario):
    def setUp(self):
        super().setUp()
        self.daemon = self.start()
        self.operator = self.daemon.api()
        self.operator.server(server_name(1))

    def guess(self, statuses):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.api_port, timeout=30)
        for number in range(GUESSES):
            headers = {"Authorization": f"Bearer guess-{number}"}
            connection.request("GET", "/v1/pools", headers=headers)
            response = connection.getresponse()
            response.read()
            statuses.add(response.status)
        connection.close()

    def stored_octets(self):
        return sum(file.stat().st_size for file in (self.daemon.folder / "state").iterdir())

    def test_a_flood_is_one_line_with_its_number(self):
        log, stored, statuses = len(self.daemon.log()), self.stored_octets(), set()
        guessers = [
            threading.Thread(target=self.guess, args=(statuses,)) for _ in range(GUESSERS)
        ]
        for guesser in guessers:
            guesser.start()
        for guesser in guessers:
            guesser.join()
        # Some are heard, then no token of this address is looked at any more.
        self.assertEqual(statuses, {401, 429})
        self.assertEqual(len(self.daemon.log()), log, "a line for guesses")
        # Health is written behind, some KB; a line for each guess would be hundreds.
        self.assertLess(self.stored_octets() - stored, 100_000, "octets on disk for guesses")
        # Who was let in before, from the same address, is let in still; so is who has the socket.
        self.operator.drain(server_name(1))
        self.daemon.local_api().drain(server_name(2))
        page = self.daemon.local_api().call("GET", "/metrics").text
        counted = {
            reason: int(number)
            for reason, number in re.findall(
                r'^sluice_api_authentication_failures_total{reason="(\w+)"} (\d+)$', page, re.M
            )
        }
        self.assertEqual(set(counted), {"missing", "unknown", "malformed", "limited", "certificate_ambiguous",
                          "certificate_unlisted", "certificate_expired"})
        self.assertEqual(counted["unknown"] + counted["limited"], GUESSES * GUESSERS)
        self.assertGreater(counted["limited"], counted["unknown"])
        # At the end of its minute, or of the program: what there was of each address.
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log())
        lines = [line for line in self.daemon.log().splitlines() if "authenticat" in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(f"{GUESSES * GUESSERS} requests failed to authenticate", lines[0])

    def test_the_limit_is_told_and_passes(self):
        with contextlib.closing(self.daemon.api(token="wrong")) as guesser:
            reply = guesser.call("GET", "/v1/pools")
            while reply.status == 401:
                reply = guesser.call("GET", "/v1/pools")
        self.assert_reply(reply, 429)
        self.assertGreaterEqual(int(reply.headers["retry-after"]), 1)
        # The right one is not looked at either, until the time is over.
        late = self.daemon.api()
        first = late.call("GET", "/v1/pools")
        self.assertIn(first.status, (200, 429))
        eventually(lambda: late.call("GET", "/v1/pools").status == 200, "let in again")


if __name__ == "__main__":
    main()
