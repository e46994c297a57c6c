"""SO_REUSEPORT would let a second instance steal half of the queries: it refuses to start."""

import copy
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.scenario import Scenario, main
from support.sluiced import Sluiced, configuration


class SecondInstance(Scenario):
    def refused(self, config, folder="second"):
        path = self.folder / folder
        path.mkdir(exist_ok=True)
        second = Sluiced(self.build, path, config, start=False)
        second.write_config()
        done = processes.run([self.build / "sluiced", "--config", second.file], timeout=30)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr + done.stdout

    def test_on_the_same_dns_address(self):
        daemon = self.start()
        config = configuration()
        config["dns"]["listen"] = [f"127.0.0.1@{daemon.dns_port}"]
        self.assertIn(str(daemon.dns_port), self.refused(config))
        for _ in range(64):
            self.assert_members(daemon, [1, 2, 3])

    def test_on_the_same_store(self):
        daemon = self.start()
        config = copy.deepcopy(daemon.config)
        config["store"]["directory"] = str(daemon.folder / "state")
        self.refused(config)
        self.assert_members(daemon, [1, 2, 3])

    def test_the_next_one_may_start_when_the_first_was_killed(self):
        daemon = self.start()
        daemon.keep_ports()
        daemon.kill9()
        daemon.start()
        self.assert_members(daemon, [1, 2, 3])


if __name__ == "__main__":
    main()
