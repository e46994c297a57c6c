"""The metrics page against the API, promtool and a real Prometheus; the files of tools/packaging/
against the page."""

import datetime
import json
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import dns, processes
from support.certificates import Authority
from support.polling import eventually
from support.ports import free_port
from support.scenario import Scenario, main
from support.sluiced import POOL, READER, SERVICES, configuration, server_name

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "tools" / "packaging"
RULES = PACKAGING / "prometheus" / "sluice.rules.yml"
RULE_TESTS = PACKAGING / "prometheus" / "sluice.rules.test.yml"
DASHBOARD = PACKAGING / "grafana" / "sluice.json"
STATUSES = ["unknown", "down", "held", "draining", "drained", "accepting"]
FE01, FE02, FE03, FE04 = (server_name(n) for n in range(1, 5))


class Page:
    """A metrics page, read as strictly as Prometheus does: each family has HELP and TYPE, its
    samples follow them, and no series comes twice."""

    LINE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? ([0-9.+eE-]+)')
    LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
    PARTS = ("_bucket", "_sum", "_count")  # of a histogram

    def __init__(self, text):
        self.text, self.types, self.samples = text, {}, {}
        family = None
        assert text.endswith("\n"), "the last line ends"
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family, help_text = line.split(" ", 3)[2:]
                assert help_text and family not in self.types, line
            elif line.startswith("# TYPE "):
                assert line.split()[2] == family, line
                self.types[family] = line.split()[3]
            else:
                match = self.LINE.fullmatch(line)
                assert match, f"no sample: {line}"
                name, labels, value = match.groups()
                if self.types[family] == "histogram":
                    name_of_family = next(name[: -len(p)] for p in self.PARTS if name.endswith(p))
                else:
                    name_of_family = name
                assert name_of_family == family, f"{line} in family {family}"
                key = (name, frozenset(self.LABEL.findall(labels or "")))
                assert key not in self.samples, f"twice: {line}"
                self.samples[key] = float(value)

    def value(self, name, **labels):
        """Of exactly that series, which must be there."""
        key = (name, frozenset(labels.items()))
        assert key in self.samples, f"no {name} {labels} in\n{self.text}"
        return self.samples[key]

    def of(self, name):
        """What the page has of a metric: [(labels, value)]."""
        return [(dict(key[1]), value) for key, value in self.samples.items() if key[0] == name]

    def total(self, name, **labels):
        return sum(
            value for has, value in self.of(name) if labels.items() <= has.items()
        )

    def names(self):
        return {name for name, _ in self.samples}


def scrape(daemon):
    reply = daemon.api(READER).call("GET", "/metrics")
    assert reply.status == 200, reply.text
    return Page(reply.text)


def run_tool(*command):
    """Its output; a status other than 0 fails the test."""
    done = processes.run(["promtool", *command])
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


class Used(Scenario):
    """An authority with something in every family: one of four servers drains with sessions, one
    service of another is held by its host for two days, of the next one is down."""

    def start_used(self):
        config = configuration(servers=4, ttl="30s", min_accepting=1)
        config["health"]["horizon_margin"] = "2s"
        self.authority = Authority(self.folder, "signs")
        certificate, key = self.authority.server(self.folder)
        config["api"]["tls"] = {"certificate": str(certificate), "key": str(key)}
        daemon = self.start(config, tls=self.authority.trusted())
        api = daemon.api()
        daemon.agent(1).say("front-end", sessions={"connections": 5, "calls": 2})
        daemon.agent(2).say("front-end", sessions={"connections": 12, "calls": 1})
        daemon.agent(3).say("call-park", health="down")
        daemon.agent(4).push()
        api.drain(FE02, reason="patch")
        since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=2)
        paused = {"by": "root", "reason": "disk", "since": since.isoformat(timespec="seconds"),
                  "startup": "manual", "force": False}  # fmt: skip
        daemon.agent(4).say("attendant", paused=paused)
        api.drain(FE03, service="response-group")
        api.resume(FE03, service="response-group")
        self.assert_reply(api.try_drain(FE01, service="registrar"), 409, rule="consolidated")
        self.assert_reply(daemon.api("wrong").call("GET", "/v1/pools"), 401)
        for _ in range(3):
            self.members(daemon)
        self.members(daemon, tcp=True)
        self.members(daemon, f"call-park.{POOL}")
        self.assertEqual(dns.ask(daemon.dns_port, f"no.{POOL}", "A").rcode, dns.NXDOMAIN)
        self.assertEqual(dns.ask(daemon.dns_port, "other.example", "A").rcode, dns.REFUSED)
        return daemon


class MetricsPage(Used):
    def test_promtool_finds_nothing(self):
        """No finding is excused: if promtool's lint objects to a name, the name changes."""
        daemon = self.start_used()
        page = self.folder / "page"
        page.write_text(scrape(daemon).text)
        command = ["sh", "-c", 'promtool check metrics <"$0"', page]
        done = processes.run(command)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        # That it looks at all: a counter without _total is a finding.
        page.write_text("# HELP a_b Text.\n# TYPE a_b counter\na_b 1\n")
        self.assertNotEqual(processes.run(command).returncode, 0)

    def test_servers_and_sessions_are_what_the_api_says(self):
        daemon = self.start_used()
        servers = [daemon.api().server(server_name(n)) for n in range(1, 5)]
        page = scrape(daemon)
        self.assertEqual(len(page.of("sluice_servers")), len(SERVICES) * len(STATUSES))
        for service in SERVICES:
            said = [server["services"][service] for server in servers]
            for status in STATUSES:
                self.assertEqual(
                    page.value("sluice_servers", pool=POOL, service=service, status=status),
                    sum(each["status"] == status for each in said), f"{service} {status}",
                )  # fmt: skip
            counters = {name for each in said for name in each["sessions"]}
            for counter in counters:
                self.assertEqual(
                    page.value("sluice_sessions", pool=POOL, service=service, counter=counter),
                    sum(each["sessions"].get(counter, 0) for each in said), service,
                )  # fmt: skip
        self.assertEqual(
            page.value("sluice_sessions", pool=POOL, service="front-end", counter="connections"), 17
        )
        self.assertEqual(page.value("sluice_mass_loss_guard_active", pool=POOL), 0)

    def test_floors_are_those_of_the_answer_sets(self):
        daemon = self.start_used()
        sets = daemon.api().get(f"/v1/pools/{POOL}")["answer_sets"]
        page = scrape(daemon)
        self.assertEqual({each["service"] for each in sets}, set(SERVICES))
        for each in sets:
            labels = {"pool": POOL, "service": each["service"]}
            for member in ("accepting", "min_accepting"):
                self.assertEqual(
                    page.value(f"sluice_{member}_servers", **labels), each[member], each
                )
        self.assertEqual(page.value("sluice_accepting_servers", pool=POOL, service="front-end"), 3)
        self.assertEqual(page.value("sluice_accepting_servers", pool=POOL, service="call-park"), 2)

    def test_holds_by_origin_and_age(self):
        daemon = self.start_used()
        page = scrape(daemon)
        for origin, count in (("operator", 1), ("host", 1), ("schedule", 0)):
            self.assertEqual(page.value("sluice_holds", origin=origin), count, origin)
            for age in ("1h", "8h", "1d", "7d"):
                old = 1 if origin == "host" and age != "7d" else 0
                series = page.value("sluice_holds_older_than", origin=origin, age=age)
                self.assertEqual(series, old, (origin, age))
        self.assertEqual(page.value("sluice_holds_alarming"), 0)
        self.assertEqual(page.value("sluice_schedules"), 0)

    def test_plans_and_holds_whose_time_is_over(self):
        daemon = self.start()
        api = daemon.api()
        self.assertEqual(api.try_drain(FE01, at="2h").status, 201)
        page = scrape(daemon)
        self.assertEqual(page.value("sluice_schedules"), 1)
        self.assertEqual(page.value("sluice_holds_alarming"), 0)
        api.drain(FE02, expires="1s", then="alarm")
        eventually(
            lambda: scrape(daemon).value("sluice_holds_alarming") == 1, "the hold's time is over"
        )
        self.assertEqual(scrape(daemon).value("sluice_holds", origin="operator"), 1)
        self.assertEqual(scrape(daemon).value("sluice_schedules"), 1, "an expiry is no plan")

    def test_a_drain_in_progress(self):
        daemon = self.start_used()
        horizon = daemon.api().service(FE02, "front-end")["cache_horizon"]
        self.assertIsNotNone(horizon)
        page = scrape(daemon)
        front_end = {"pool": POOL, "service": "front-end"}
        self.assertEqual(page.value("sluice_draining_servers", **front_end), 1)
        left = page.value("sluice_horizon_seconds", **front_end)
        self.assertTrue(0 < left <= 32, f"30 s of TTL and 2 s of margin: {left}")
        age = page.value("sluice_draining_oldest_seconds", **front_end)
        self.assertTrue(0 <= age < 60, age)
        eventually(
            lambda: scrape(daemon).value("sluice_horizon_seconds", **front_end) < left,
            "the horizon comes nearer",
        )
        eventually(
            lambda: scrape(daemon).value("sluice_draining_oldest_seconds", **front_end) > age,
            "the drain grows older",
        )
        daemon.api().resume(FE02)
        page = scrape(daemon)
        self.assertEqual(page.total("sluice_draining_servers", service="front-end"), 0)
        self.assertEqual(page.value("sluice_holds", origin="operator"), 0)

    def test_counters_count(self):
        daemon = self.start_used()
        before = scrape(daemon)
        self.assertEqual(before.value("sluice_refusals_total"), 1)
        self.assertEqual(before.value("sluice_drain_ack_seconds_count"), 2)
        self.assertEqual(before.value("sluice_store_failures_total"), 0)
        self.assertGreater(before.value("sluice_store_commit_seconds_count"), 0)
        self.assertEqual(before.value("sluice_lease_losses_total"), 0)
        daemon.api().drain(FE01, force=True)
        daemon.agent(3).push()
        for _ in range(4):
            self.members(daemon)
        page = scrape(daemon)
        self.assertEqual(page.value("sluice_drain_ack_seconds_count"), 3)
        buckets = {has["le"]: value for has, value in page.of("sluice_drain_ack_seconds_bucket")}
        self.assertEqual(buckets["+Inf"], 3)
        self.assertEqual(list(buckets.values()), sorted(buckets.values()))
        grown = {
            name: page.total(name) - before.total(name)
            for name in ("sluice_heartbeats_total", "sluice_publications_total",
                         "sluice_generation", "sluice_refusals_total")
        }  # fmt: skip
        self.assertEqual(grown["sluice_heartbeats_total"], 1)
        self.assertEqual(grown["sluice_generation"], 1)
        self.assertEqual(grown["sluice_publications_total"], 1)
        self.assertEqual(grown["sluice_refusals_total"], 0)
        labels = {"transport": "udp", "rcode": "NOERROR"}
        self.assertEqual(
            page.value("sluice_dns_queries_total", **labels)
            - before.value("sluice_dns_queries_total", **labels), 4,
        )  # fmt: skip
        self.assertEqual(
            page.value("sluice_dns_queries_total", transport="udp", rcode="NXDOMAIN"), 1
        )
        self.assertEqual(page.total("sluice_api_requests_total", code="401"), 1)
        self.assertEqual(page.total("sluice_api_requests_total", code="409"), 1)

    def test_lost_leases_count(self):
        config = configuration(servers=4)
        config["health"] |= {"heartbeat": "200ms", "lease": "800ms"}
        daemon = self.start(config)
        agents = [daemon.agent(n) for n in (1, 2, 3, 4)]
        for agent in agents:
            agent.keep_pushing(0.2)
            self.addCleanup(agent.stop)
        eventually(lambda: self.members(daemon) == [1, 2, 3, 4], "all are in")
        before = scrape(daemon).value("sluice_lease_losses_total")
        agents[3].stop()
        eventually(lambda: self.members(daemon) == [1, 2, 3], "the silent one leaves")
        self.assertEqual(scrape(daemon).value("sluice_lease_losses_total"), before + 1)

    def test_build_and_process(self):
        daemon = self.start()
        page = scrape(daemon)
        version = processes.run([self.build / "sluiced", "--version"]).stdout.split()[-1]
        self.assertEqual(page.value("sluice_build_info", version=version), 1)
        proc = pathlib.Path("/proc", str(daemon.process.pid))
        fds = len(list((proc / "fd").iterdir()))
        self.assertLess(abs(page.value("process_open_fds") - fds), 8)
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", (proc / "status").read_text())[1]) * 1024
        self.assertLess(abs(page.value("process_resident_memory_bytes") / resident - 1), 0.5)
        start = page.value("process_start_time_seconds")
        self.assertLess(abs(start - self.folder.stat().st_ctime), 60)
        self.assertGreater(page.value("process_cpu_seconds_total"), 0)
        daemon.restart()
        self.assertGreater(scrape(daemon).value("process_start_time_seconds"), start)


def rule_expressions():
    """{alert: expression}, read without a YAML parser: promtool has checked the form."""
    rules = re.split(r"^ +- alert: ", RULES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        rule.split()[0]: re.search(r"^ +expr: (.*?)\n +(?:for|labels):", rule, re.S | re.M)[1]
        for rule in rules
    }


def dashboard_expressions():
    """[(panel, expression)] with the dashboard's variables filled in."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    values = {"$instance": ".*", "$pool": ".*", "$__rate_interval": "1m"}
    found = []
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for variable, value in values.items():
                expression = expression.replace(variable, value)
            assert "$" not in expression, f"{panel['title']}: {target['expr']}"
            found.append((panel["title"], expression))
    return found


class Packaging(Used):
    def test_the_rules_are_rules_and_pass_their_own_tests(self):
        run_tool("check", "rules", "--lint=all", "--lint-fatal", RULES)
        run_tool("test", "rules", RULE_TESTS)

    def test_each_alert_is_tested_and_tells_the_operator_what_to_do(self):
        rules = RULES.read_text(encoding="utf-8")
        fired = set(re.findall(r'alertname="(\w+)",alertstate="firing"',
                               RULE_TESTS.read_text(encoding="utf-8")))  # fmt: skip
        alerts = re.split(r"^ +- alert: ", rules, flags=re.MULTILINE)[1:]
        self.assertGreater(len(alerts), 15)
        self.assertEqual(fired, set(rule_expressions()))
        for alert in alerts:
            name = alert.split()[0]
            self.assertRegex(alert, r"labels: \{severity: (critical|warning)\}", name)
            for annotation in ("summary", "description", "runbook"):
                self.assertRegex(alert, rf"\n +{annotation}: \S", name)

    def test_the_dashboard_is_whole(self):
        board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        self.assertEqual(
            [panel["title"] for panel in board["panels"] if panel["type"] == "row"],
            ["Pools", "Drains", "DNS", "Authority", "Store", "API"],
        )
        self.assertIsNone(board["id"], "an id would be that of another dashboard where it goes")
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        variables = {each["name"]: each["type"] for each in board["templating"]["list"]}
        self.assertEqual(
            variables, {"datasource": "datasource", "instance": "query", "pool": "query"}
        )
        taken = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            self.assertFalse(cells & taken, f"{panel['title']} covers another panel")
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            taken |= cells
            if panel["type"] != "row":
                self.assertEqual(panel["datasource"]["uid"], "${datasource}", panel["title"])
                self.assertTrue(panel["description"], panel["title"])
                self.assertTrue(panel["targets"], panel["title"])

    def test_what_rules_and_dashboard_name_is_on_a_real_page(self):
        page = scrape(self.start_used())
        labels = {}  # metric -> its labels
        for name, has in page.samples:
            labels.setdefault(name, set()).update(label for label, _ in has)
        fixed = {  # labels whose values the page always has
            (name, label, value)
            for name, has in page.samples
            for label, value in has
            if label in ("status", "origin", "age")
        }
        named = [*rule_expressions().items(), *dashboard_expressions()]
        self.assertGreater(len(named), 60)
        used = set()
        for where, expression in named:
            metrics = re.findall(r"\b((?:sluice|process)_\w+)(?:\{([^}]*)\})?", expression)
            self.assertTrue(metrics or "up{" in expression, f"{where}: {expression}")
            for name, selector in metrics:
                self.assertIn(name, labels, f"{where}: {expression}")
                used.add(name)
                for label, operator, value in re.findall(r'(\w+)(=~|=)"([^"]*)"', selector):
                    if label in ("job", "instance"):
                        continue  # Prometheus' own
                    self.assertIn(label, labels[name], f"{where}: {expression}")
                    if operator == "=" and label in ("status", "origin", "age"):
                        self.assertIn((name, label, value), fixed, f"{where}: {expression}")
            known = set().union(*(labels[name] for name, _ in metrics), {"job", "instance"})
            for group in re.findall(r"\b(?:by|without) \(([^)]*)\)", expression):
                self.assertLessEqual(set(group.split(", ")), known, f"{where}: {expression}")
        # The other way round: what an SRE may want to see is somewhere.
        unused = {
            re.sub(r"_(bucket|sum|count)$", "", name)
            for name in labels
            if name.startswith("sluice_") and name not in used
        } - {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
        self.assertEqual(unused, {"sluice_dns_receive_errors_total"} & unused)


class Prometheus(Used):
    """The real one, on the real page."""

    def start_prometheus(self, daemon):
        # Relative names are relative to this file.
        config = {
            "global": {"scrape_interval": "200ms", "evaluation_interval": "200ms",
                       "scrape_timeout": "200ms"},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {
                    "job_name": "sluice",
                    "authorization": {"credentials": READER},
                    "scheme": "https",
                    "tls_config": {"ca_file": str(self.authority.file)},
                    "static_configs": [{"targets": [f"127.0.0.1:{daemon.api_port}"]}],
                }
            ],
        }  # fmt: skip
        if self.sanitized:
            config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        file = self.folder / "prometheus.yml"
        file.write_text(json.dumps(config))  # JSON is YAML
        run_tool("check", "config", file)
        self.url = f"http://127.0.0.1:{free_port()}"
        with open(self.folder / "prometheus.log", "w", encoding="utf-8") as log:
            server = processes.start(
                ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={self.folder}/tsdb",
                 f"--web.listen-address={self.url[7:]}"], stdout=log, stderr=log,
            )  # fmt: skip

        def end():
            server.terminate()
            server.wait(timeout=30)

        self.addCleanup(end)

    def ask(self, path, **query):
        target = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(target, timeout=10) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as error:
            assert error.code != 503, "Prometheus is not ready"
            raise RuntimeError(f"{query}: {error.read().decode()}") from error
        except OSError as error:
            raise AssertionError(f"Prometheus: {error}") from error  # not yet

    def value(self, query):
        return self.ask("query", query=query)["result"]

    def test_prometheus_takes_page_rules_and_every_expression_of_the_dashboard(self):
        daemon = self.start_used()
        self.start_prometheus(daemon)
        eventually(lambda: self.value("rate(sluice_heartbeats_total[1m])"), "two pages were read")
        self.assertEqual(self.value("up")[0]["value"][1], "1")
        # So that quantiles have something to tell: a drain and a query between two pages.
        daemon.api().drain(FE03, service="response-group")
        self.members(daemon)
        grown = "increase(sluice_drain_ack_seconds_count[1m])"
        eventually(lambda: float(self.value(grown)[0]["value"][1]), "the drain was counted")
        empty, shown = set(), set()
        for panel, expression in dashboard_expressions():
            (shown if self.value(expression) else empty).add(panel)
        # Of several lines those have none that tell of what did not happen.
        self.assertEqual(empty - shown, set(), "panels without anything")

        def all_evaluated():
            groups = self.ask("rules")["groups"]
            rules = {each["name"]: each for group in groups for each in group["rules"]}
            self.assertEqual(set(rules), set(rule_expressions()))
            self.assertEqual({each["health"] for each in rules.values()}, {"ok"})
            return rules

        rules = eventually(all_evaluated, "each rule was evaluated without an error")
        active = {name for name, rule in rules.items() if rule["state"] == "firing"}
        self.assertEqual(active, {"SluiceHoldOld"}, "the host's")


if __name__ == "__main__":
    main()
