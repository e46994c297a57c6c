"""`sluiced --check`: every error of a file in one go, with file, line, path and remedy."""

import copy
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.scenario import Scenario, main
from support.sluiced import configuration, v4


class ConfigCheck(Scenario):
    def check(self, text):
        file = self.folder / "sluice.yaml"
        file.write_text(text if isinstance(text, str) else json.dumps(text, indent=2))
        done = processes.run([self.build / "sluiced", "--config", file, "--check"], timeout=30)
        return done.returncode, done.stdout + done.stderr

    def refuses(self, text, *words):
        status, said = self.check(text)
        self.assertEqual(status, 1, said)
        self.assertRegex(said, r"sluice\.yaml:\d+: ")
        for word in words:
            self.assertIn(word, said)
        return said

    def test_a_good_file_exits_0(self):
        status, said = self.check(configuration())
        self.assertEqual(status, 0, said)

    def test_checking_starts_nothing_and_creates_nothing(self):
        self.check(configuration())
        self.assertEqual([each.name for each in self.folder.iterdir()], ["sluice.yaml"])

    def test_mistakes_in_records_and_elsewhere_come_in_one_go(self):
        config = configuration()
        config["zones"][0]["records"] += "bad 300 IN A 192.0.2.800\n"
        config["pools"][0]["ttl"] = "soon"
        self.refuses(config, "A record of bad.", "pools[0].ttl", "2 errors")

    def test_each_mistake_is_named_by_line_and_path(self):
        def changed(change):
            config = configuration()
            change(config)
            return config

        mistakes = [
            (lambda c: c["dns"].update(wrkers=2), "wrkers"),
            (lambda c: c["dns"].update(workers="many"), "workers"),
            (lambda c: c["dns"].update(listen=["127.0.0.1:53"]), "127.0.0.1:53"),
            (lambda c: c["dns"].update(max_udp_payload=100), "max_udp_payload"),
            (lambda c: c["api"].update(listen=["192.0.2.1@80"]), "192.0.2.1@80"),
            (lambda c: c["api"]["tokens"][0].update(sha256="beef"), "sha256"),
            (lambda c: c["api"]["tokens"][0].update(role="king"), "king"),
            (lambda c: c["health"].update(lease="100ms"), "lease"),
            (lambda c: c["zones"][0].update(name="other.example"), "pool01.contoso.example"),
            (lambda c: c["zones"][0].update(records="@ 300 IN A 1.2.3"), "zones"),
            (lambda c: c["pools"][0].update(service="nonesuch"), "nonesuch"),
            (lambda c: c["pools"][0].update(ttl="soon"), "soon"),
            (lambda c: c["pools"][0].update(order="heavy"), "heavy"),
            (lambda c: c["pools"][0].update(answer_size=0), "answer_size"),
            (lambda c: c["pools"][0].update(min_accepting="150%"), "min_accepting"),
            (lambda c: c["pools"][0]["servers"][0].update(addresses=["10.0.0.300"]), "10.0.0.300"),
            (lambda c: c["pools"][0]["servers"][0].update(weight=256), "weight"),
            (lambda c: c["pools"][0]["features"][0].update(service="nonesuch"), "nonesuch"),
            (lambda c: c["pools"][0]["servers"].append(c["pools"][0]["servers"][0]), "fe01"),
            (lambda c: c["pools"][0]["servers"][1].update(addresses=[v4(2), v4(2)]), v4(2)),
        ]
        for change, word in mistakes:
            with self.subTest(word):
                self.refuses(changed(change), word)

    def test_all_errors_of_a_file_come_in_one_go(self):
        config = configuration()
        config["dns"]["wrkers"] = 2
        config["pools"][0]["ttl"] = "soon"
        config["pools"][0]["servers"][2]["addresses"] = ["nowhere"]
        said = self.refuses(config, "wrkers", "soon", "nowhere")
        self.assertGreaterEqual(len(re.findall(r"sluice\.yaml:\d+: ", said)), 3)

    def test_the_line_is_the_right_one(self):
        text = json.dumps(configuration(), indent=2).replace('"1s"', '"soon"')
        line = 1 + text[: text.index('"soon"')].count("\n")
        self.assertIn(f"sluice.yaml:{line}:", self.refuses(text))

    def test_what_is_no_yaml(self):
        for text in ("", "a: [", "\t\tx", "- 1\n- 2\n", "a: b: c", "\0\1\2", "&a [*a, *a]"):
            status, said = self.check(text)
            self.assertEqual(status, 1, f"{text!r}: {said}")

    def test_a_file_that_is_not_there(self):
        done = processes.run([self.build / "sluiced", "--config", self.folder / "none", "--check"])
        self.assertEqual(done.returncode, 1)
        self.assertIn("none", done.stderr + done.stdout)

    def test_usage_is_2_and_version_is_0(self):
        self.assertEqual(processes.run([self.build / "sluiced", "--frobnicate"]).returncode, 2)
        version = processes.run([self.build / "sluiced", "--version"])
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"\d+\.\d+\.\d+")

    def test_a_start_with_a_bad_file_says_the_same_and_exits_1(self):
        config = copy.deepcopy(configuration())
        config["pools"][0]["ttl"] = "soon"
        file = self.folder / "sluice.yaml"
        file.write_text(json.dumps(config, indent=2))
        done = processes.run([self.build / "sluiced", "--config", file], timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("soon", done.stderr + done.stdout)


if __name__ == "__main__":
    main()
