"""The audit stays within its bound however much is ordered in how short a time."""

import pathlib
import sqlite3
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import configuration, server_name

SERVERS = [server_name(number) for number in (1, 2, 3)]
MOST = 1000  # the least that can be configured
ORDERS = 200  # drains of each of three servers, and as many resumes: each is an entry


class Audit(Scenario):
    def test_orders_without_end_fill_no_disk(self):
        config = configuration()
        config["store"]["audit"] = {"entries": MOST}
        daemon = self.start(config)

        def order(server):
            api = daemon.api()
            for number in range(ORDERS):
                api.drain(server, reason=f"order {number}")
                api.resume(server)

        operators = [threading.Thread(target=order, args=(server,)) for server in SERVERS]
        for operator in operators:
            operator.start()
        for operator in operators:
            operator.join()

        def entries():
            with sqlite3.connect(f"file:{daemon.folder}/state/sluice.db?mode=ro", uri=True) as db:
                return db.execute("SELECT count(*) FROM audit").fetchone()[0]

        eventually(lambda: entries() <= 1.1 * MOST, "pruned long before the hour")
        self.assertGreaterEqual(entries(), 0.9 * MOST)
        for server in SERVERS:
            last = daemon.api().get(f"/v1/servers/{server}/history?limit=50")["events"]
            self.assertIn(f"order {ORDERS - 1}", [event["text"] for event in last])


if __name__ == "__main__":
    main()
