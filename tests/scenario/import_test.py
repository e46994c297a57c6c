"""sluicectl import: the state of an embedded store into a real etcd, and back."""

import base64
import copy
import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes
from support.etcd import Etcd
from support.kept import kept as of_api
from support.scenario import Scenario, main
from support.sluiced import POOL, configuration, server_name

PREFIX = "/sluice"
FIRST, SECOND, THIRD = (server_name(number) for number in (1, 2, 3))


def kept(daemon):
    return of_api(daemon.api(), (FIRST, SECOND, THIRD))


def decoded(text):
    return base64.b64decode(text).decode()


def serial(daemon):
    answer = dns.ask(daemon.dns_port, POOL, "SOA")
    return answer.data("SOA")[0]


class ImportTest(Scenario):
    def setUp(self):
        super().setUp()
        self.etcd = Etcd(self.folder / "etcd")
        self.etcd.start()
        self.addCleanup(self.etcd.kill)

    def etcd_config(self, daemon, directory):
        """A configuration beside the daemon's that has an etcd."""
        config = copy.deepcopy(daemon.config)
        config["store"] = {
            "directory": directory, "etcd": {"endpoints": self.etcd.endpoints, "prefix": PREFIX},
        }  # fmt: skip
        path = daemon.folder / f"{directory}.yaml"
        path.write_text(json.dumps(config))
        return path

    def run_import(self, config, to, *options, expect=0):
        done = processes.run(
            [self.build / "sluicectl", "import", "--config", config, "--to", to, *options],
            timeout=60,
        )
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def keys(self):
        """What stands below the prefix, and beside it the audit: key -> value."""
        listed = json.loads(self.etcd.control("get", "--prefix", PREFIX, "--write-out", "json"))
        keys = {
            decoded(each["key"]): decoded(each.get("value", "")) for each in listed.get("kvs", [])
        }
        return {
            key.removeprefix(PREFIX + "/").replace(PREFIX + "-audit/", "audit/"): value
            for key, value in keys.items()
        }

    def start_with_state(self):
        daemon = self.start(configuration())
        api = daemon.api()
        api.drain(FIRST, reason="new disks", expires="2h")
        api.drain(SECOND, service="call-park", startup="manual", reason="patch")
        api.force(THIRD, "down", service="attendant")
        self.assert_reply(api.try_drain(THIRD, at="2036-01-01T00:00:00Z", reason="some day"), 201)
        return daemon

    def test_there_and_back_again(self):
        daemon = self.start_with_state()
        before, serial_before = kept(daemon), serial(daemon)
        history = daemon.api().get(f"/v1/servers/{FIRST}/history")["events"]
        self.assertEqual(daemon.stop(), 0)
        there = self.etcd_config(daemon, "state")

        files = {path.name for path in (daemon.folder / "state").iterdir()}
        dry = self.run_import(there, "etcd", "--dry-run")
        self.assertEqual(self.keys(), {}, "a dry run writes nothing")
        self.assertEqual({path.name for path in (daemon.folder / "state").iterdir()}, files)
        self.assertIn("would move from", dry.stdout)
        self.assertIn("2 holds, 1 forced health, 1 planned drain, 1 serial base", dry.stdout)
        self.assertIn(f"hold on {FIRST}, operator operations", dry.stdout)
        self.assertIn(f"hold on call-park on {SECOND}, operator operations", dry.stdout)

        done = json.loads(self.run_import(there, "etcd", "--json").stdout)
        keys = self.keys()
        self.assertEqual(json.loads(keys["cluster"])["id"], done["cluster"])
        self.assertEqual(json.loads(keys["edition"])["publication"], 1)
        self.assertEqual(json.loads(keys["edition"])["generation"], done["generation"])
        hold = json.loads(keys[f"holds/{SECOND}/call-park/operator"])
        self.assertEqual((hold["reason"], hold["startup"]), ("patch", "manual"))
        self.assertIn(f"holds/{FIRST}/-/operator", keys)
        self.assertIn(f"forces/{THIRD}/attendant", keys)
        self.assertEqual(len([key for key in keys if key.startswith("audit/")]), done["audit"])
        self.assertGreaterEqual(done["audit"], 4)
        self.assertEqual(done["audit_left_out"], 0)
        self.assertFalse([key for key in keys if key.startswith(("pools/", "alive/"))])

        refused = self.run_import(there, "etcd", expect=3)
        self.assertIn("1 below cluster", refused.stderr)
        self.assertEqual(self.keys(), keys, "what was refused writes nothing")
        again = json.loads(self.run_import(there, "etcd", "--force", "--json").stdout)
        self.assertNotEqual(again["cluster"], done["cluster"])
        self.assertEqual(self.keys().keys(), keys.keys())

        back = self.etcd_config(daemon, "other")
        self.run_import(back, "embedded", "--dry-run")
        self.assertFalse((daemon.folder / "other").exists(), "a dry run writes nothing")
        moved = json.loads(self.run_import(back, "embedded", "--json").stdout)
        self.assertEqual(moved["cluster"], again["cluster"])
        self.assertEqual(moved["audit"], done["audit"])
        for member in ("holds", "forces", "schedules", "serial_bases"):
            self.assertEqual(moved[member], done[member])

        daemon.config["store"] = {"directory": "other"}
        daemon.start()
        daemon.agents_push()
        self.assertEqual(kept(daemon), before)
        self.assertGreater(serial(daemon), serial_before, "serials go on")
        events = daemon.api().get(f"/v1/servers/{FIRST}/history")["events"]
        told = [(event["at"], event["type"], event.get("by")) for event in events]
        audited = [event for event in history if event["type"] != "status"]
        self.assertTrue(audited)
        for event in audited:
            self.assertIn((event["at"], event["type"], event.get("by")), told)

    def test_back_into_a_store_that_has_holds(self):
        daemon = self.start_with_state()
        before = kept(daemon)
        self.assertEqual(daemon.stop(), 0)
        config = self.etcd_config(daemon, "state")
        self.run_import(config, "etcd")
        daemon.start()
        daemon.api().resume(FIRST)
        daemon.api().drain(THIRD, reason="only here")
        self.assertEqual(daemon.stop(), 0)

        for options in ((), ("--dry-run",)):
            refused = self.run_import(config, "embedded", *options, expect=3)
            self.assertIn("2 holds, 1 forced health, 1 planned drain", refused.stderr)
        self.run_import(config, "embedded", "--force")
        daemon.start()
        daemon.agents_push()
        self.assertEqual(kept(daemon), before)
        events = daemon.api().get(f"/v1/servers/{FIRST}/history")["events"]
        told = [json.dumps(event, sort_keys=True) for event in events if event["type"] == "drain"]
        self.assertEqual(len(told), 1, "what the audit has already does not come twice")

    def test_a_running_sluiced_is_refused(self):
        daemon = self.start_with_state()
        config = self.etcd_config(daemon, "state")
        for options in ((), ("--force",), ("--dry-run",)):
            failed = self.run_import(config, "etcd", *options, expect=1)
            self.assertIn("in use by another sluiced", failed.stderr)
        self.assertEqual(self.keys(), {})

        self.assertEqual(daemon.stop(), 0)
        self.run_import(config, "etcd")
        self.etcd.control("put", f"{PREFIX}/alive/ns2.test", '{"run":"1"}')
        back = self.etcd_config(daemon, "other")
        refused = self.run_import(back, "embedded", expect=3)
        self.assertIn("alive: ns2.test", refused.stderr)
        self.assertFalse((daemon.folder / "other").exists())
        self.run_import(back, "embedded", "--force")

    def test_what_is_not_there_is_not_moved(self):
        daemon = self.start(configuration())
        self.assertEqual(daemon.stop(), 0)
        alone = self.run_import(daemon.file, "etcd", expect=1)
        self.assertIn("has no store.etcd", alone.stderr)
        nowhere = self.etcd_config(daemon, "nowhere")
        self.assertIn("no store that could be moved",
                      self.run_import(nowhere, "etcd", expect=3).stderr)  # fmt: skip
        self.assertFalse((daemon.folder / "nowhere").exists())
        self.assertIn("no cluster", self.run_import(nowhere, "embedded", expect=3).stderr)
        # A half of one is none.
        self.etcd.control("put", f"{PREFIX}/edition", '{"publication":1,"generation":1,"number":0}')
        self.assertIn("no cluster",
                      self.run_import(nowhere, "embedded", "--force", expect=3).stderr)  # fmt: skip
        self.etcd.kill()
        gone = self.run_import(self.etcd_config(daemon, "state"), "etcd", expect=1)
        self.assertIn("etcd below /sluice", gone.stderr)
        problem = json.loads(
            self.run_import(self.etcd_config(daemon, "state"), "etcd", "--json", expect=1).stdout
        )
        self.assertEqual(problem["title"], "no import")

    def test_who_is_not_let_in_is_told_why(self):
        daemon = self.start_with_state()
        self.assertEqual(daemon.stop(), 0)
        for words in (("user", "add", "root:root"), ("user", "grant-role", "root", "root"),
                      ("user", "add", "sluice:right"), ("role", "add", "sluice"),
                      ("role", "grant-permission", "sluice", "--prefix=true", "readwrite",
                       f"{PREFIX}/"),
                      ("user", "grant-role", "sluice", "sluice"), ("auth", "enable")):  # fmt: skip
            self.etcd.control(*words)
        config = self.etcd_config(daemon, "state")
        whole = json.loads(config.read_text())
        whole["store"]["etcd"].update({"user": "sluice", "password_file": "password"})
        config.write_text(json.dumps(whole))
        password = daemon.folder / "password"
        password.write_text("wrong\n")
        password.chmod(0o600)
        failed = self.run_import(config, "etcd", "--dry-run", expect=1)
        self.assertIn("authentication failed", failed.stderr)
        password.write_text("right\n")
        failed = self.run_import(config, "etcd", "--dry-run", expect=1)
        self.assertIn(f"the audit ({PREFIX}-audit/): etcdserver: permission denied", failed.stderr)
        self.etcd.control("--user", "root:root", "role", "grant-permission", "sluice",
                          "--prefix=true", "readwrite", f"{PREFIX}-audit/")  # fmt: skip
        self.run_import(config, "etcd")

    def test_what_root_moves_stays_the_owners(self):
        if os.geteuid() != 0:
            self.skipTest("not root")
        daemon = self.start_with_state()
        self.assertEqual(daemon.stop(), 0)
        self.folder.chmod(0o755)
        for folder in ("state", "other"):
            path = daemon.folder / folder
            path.mkdir(exist_ok=True)
            for each in (path, *path.iterdir()):
                os.chown(each, 65534, 65534)
        self.run_import(self.etcd_config(daemon, "state"), "etcd")
        self.run_import(self.etcd_config(daemon, "other"), "embedded")
        owners = {
            str(each): each.stat().st_uid
            for folder in ("state", "other") for each in (daemon.folder / folder).iterdir()
        }  # fmt: skip
        self.assertEqual({owner: 65534 for owner in owners}, owners)
        self.assertTrue((daemon.folder / "other" / "sluice.db").exists())

    def test_what_can_not_be_read_is_not_lost_silently(self):
        daemon = self.start(configuration())
        self.assertEqual(daemon.stop(), 0)
        self.run_import(self.etcd_config(daemon, "state"), "etcd")
        self.etcd.control("put", f"{PREFIX}/holds/{FIRST}/-/operator", "{")
        back = self.etcd_config(daemon, "other")
        refused = self.run_import(back, "embedded", expect=3)
        self.assertIn(f"holds/{FIRST}/-/operator: must be JSON", refused.stderr.replace("\n", " "))
        self.run_import(back, "embedded", "--force")


if __name__ == "__main__":
    main()
