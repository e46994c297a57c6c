"""Whoever guesses tokens fills neither log nor disk, and delays no drain."""

import http.client
import pathlib
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.scenario import Scenario, main
from support.sluiced import server_name

GUESSES, GUESSERS = 1_000, 4


class AuthFlood(Scenario):
    def setUp(self):
        super().setUp()
        self.daemon = self.start()

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
        self.assertEqual(statuses, {401})
        self.assertEqual(len(self.daemon.log()), log, "a line for guesses")
        # Health is written behind, some KB; a line for each guess would be hundreds.
        self.assertLess(self.stored_octets() - stored, 100_000, "octets on disk for guesses")
        self.daemon.api().drain(server_name(1))
        # At the end of its minute, or of the program: what there was of each address.
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log())
        lines = [line for line in self.daemon.log().splitlines() if "authenticat" in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(f"{GUESSES * GUESSERS} requests failed to authenticate", lines[0])


if __name__ == "__main__":
    main()
