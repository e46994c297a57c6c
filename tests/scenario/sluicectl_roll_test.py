"""sluicectl roll against a pool that the test keeps: order, failures, going on, floors."""

import json
import os
import pathlib
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.fake_api import LOST, POOL, SluicectlTest, main, problem
from support.polling import PATIENCE_SECONDS, eventually


def name(number):
    return f"fe{number:02}.{POOL}"


class FakePool:
    """Servers that do as an authority's do, at once: a drain is safe when it is asked for next."""

    def __init__(self, api, servers=3, min_accepting=0, domains=None):
        self.api, self.min_accepting = api, min_accepting
        self.names = [name(number) for number in range(1, servers + 1)]
        self.domains = domains or {}
        self.holds = {server: [] for server in self.names}
        self.down, self.busy, self.orders = set(), set(), []
        self.lose = {}  # (order, server): how many of its answers are lost
        self.most_held, self.clock = 0, 0
        api.answers[f"GET /v1/pools/{POOL}"] = self.document
        for server in self.names:
            for order in (self.drain, self.resume):
                path = f"POST /v1/servers/{server}/{order.__name__}"
                api.answers[path] = lambda order=order, server=server: self.do(order, server)

    def do(self, order, server):
        said = order(server)
        self.most_held = max(self.most_held, sum(map(bool, self.holds.values())))
        key = (order.__name__, server)
        self.lose[key] = self.lose.get(key, 0) - 1
        if self.lose[key] >= 0:
            return LOST
        return said

    def accepting(self):
        return [each for each in self.names if not self.holds[each] and each not in self.down]

    def drain(self, server):
        self.orders.append(f"drain {server}")
        if self.holds[server]:
            return {"generation": 17, "confirmed_by": ["ns1"], "unconfirmed": []}
        left = len(self.accepting()) - 1
        if left < self.min_accepting:
            numbers = {"accepting": left + 1, "would_leave": left,
                       "min_accepting": self.min_accepting}  # fmt: skip
            return problem(409, rule="floor", detail="too few", answer_set=POOL, numbers=numbers)
        self.hold(server, **json.loads(self.api.requests[-1][3]))
        return {"generation": 17, "confirmed_by": ["ns1"], "unconfirmed": []}

    def hold(self, server, reason, startup="automatic", scope="server", origin="operator"):
        self.clock += 1
        self.holds[server].append({
            "scope": scope, "origin": origin, "by": "operations", "reason": reason,
            "since": f"2026-11-20T10:00:{self.clock:02}Z", "startup": startup,
        })  # fmt: skip

    def resume(self, server):
        self.orders.append(f"resume {server}")
        self.holds[server] = []
        return {"generation": 18, "confirmed_by": ["ns1"], "unconfirmed": []}

    def document(self):
        return {
            "pool": POOL, "service": "front-end", "generation": 17,
            "min_accepting": self.min_accepting, "servers": [self.server(n) for n in self.names],
            "answer_sets": [{"owner": POOL, "service": "front-end", "members": self.accepting(),
                             "accepting": len(self.accepting()),
                             "min_accepting": self.min_accepting}],
        }  # fmt: skip

    def server(self, server):
        held, safe = self.holds[server], self.holds[server] and server not in self.busy
        reason = {"code": "sessions", "text": "12 calls on front-end"}
        judged = {"safe_to_stop": bool(safe), "reasons": [] if safe else [reason]}
        status = "drained" if safe else "draining" if held else "accepting"
        service = {
            "status": "down" if server in self.down else status, "health": "up",
            "in_answers": not held, "startup": "automatic", "sessions": {}, "holds": held,
            "verdict": judged,
        }  # fmt: skip
        return {"server": server, "pool": POOL, "domain": self.domains.get(server),
                "services": {"front-end": service}, "verdict": judged}  # fmt: skip


class Rolling(SluicectlTest):
    def setUp(self):
        super().setUp()
        self.environment["XDG_STATE_HOME"] = str(self.folder / "state")
        self.state = self.folder / "state" / "sluice" / f"roll-{POOL}.json"
        self.ran = self.folder / "ran"
        self.flag = self.folder / "flag"

    def pool(self, **options):
        return FakePool(self.api, **options)

    @property
    def note(self):
        """A command that says where it ran."""
        return f'echo "$SLUICE_SERVER $SLUICE_POOL $SLUICE_DOMAIN" >> {self.ran}'

    def roll(self, exit_code, *words, command=None, **options):
        words = ["roll", POOL, "--exec", command or self.note, "--soak", "0s", *words]
        return self.check(exit_code, *words, **options)

    def in_order(self, *numbers):
        return [f"{order} {name(n)}" for n in numbers for order in ("drain", "resume")]

    def test_one_server_after_the_other(self):
        pool = self.pool()
        done = self.roll(0, out=[
            "[1/3] fe01: left every answer", "fe01: safe to take offline after 0 s",
            "fe03: the command ended, exit 0", "fe03: accepting after", "[3/3] fe03: done",
            "DRAINED IN", f"{POOL} is rolled",
        ])  # fmt: skip
        self.assertEqual(done.stderr, "")
        self.assertEqual(pool.orders, self.in_order(1, 2, 3))
        self.assertEqual(pool.most_held, 1)
        self.assertEqual(self.ran.read_text(), "".join(f"{name(n)} {POOL} \n" for n in (1, 2, 3)))
        drain = next(json.loads(r[3]) for r in self.api.requests if r[1].endswith("/drain"))
        self.assertEqual(drain, {"reason": "roll", "startup": "manual"})
        self.assertEqual(list(self.state.parent.iterdir()), [], "nothing is left to go on from")

    def test_a_command_that_fails_stops_it_and_the_next_one_goes_on(self):
        pool = self.pool()
        command = f'{self.note}; [ $SLUICE_SERVER != {name(2)} ] || [ -e {self.flag} ] || exit 7'
        self.roll(1, command=command, out=["stopped, held", "exit 7", "not begun"],
                  err=[f"stopped: {name(2)}: the command ended with 7",
                       f"`sluicectl resume {name(2)}` lifts that", "--restart"])  # fmt: skip
        self.assertEqual(len(pool.holds[name(2)]), 1)
        self.assertEqual(pool.orders, [*self.in_order(1), f"drain {name(2)}"])
        self.flag.touch()
        self.roll(0, command=command, err="goes on where it stopped: 1 server is done")
        self.assertEqual(pool.orders[3:], [f"resume {name(2)}", *self.in_order(3)])
        self.assertEqual([line.split()[0] for line in self.ran.read_text().splitlines()],
                         [name(1), name(2), name(2), name(3)])  # fmt: skip
        self.assertFalse(self.state.exists())

    def test_another_command_is_not_gone_on_with(self):
        pool = self.pool()
        self.roll(1, command="false")
        self.roll(1, err=["with another command is not complete: false", "--restart"])
        self.assertEqual(pool.orders, [f"drain {name(1)}"])
        self.roll(0, "--restart", err="begins anew")
        self.assertEqual(pool.orders[1:], [f"resume {name(1)}", *self.in_order(2, 3)],
                         "the hold that it had placed is its own")  # fmt: skip

    def test_what_was_undone_is_drained_again(self):
        pool = self.pool()
        command = f"[ -e {self.flag} ]"
        self.roll(1, command=command)
        pool.holds[name(1)] = []
        self.flag.touch()
        self.roll(0, command=command)
        self.assertEqual(pool.orders, [f"drain {name(1)}", *self.in_order(1, 2, 3)])

    def test_the_floor_refuses(self):
        pool = self.pool(min_accepting=3)
        self.roll(3, err=["refused by rule floor", "It holds no server."])
        self.assertFalse(self.ran.exists())
        self.assertFalse(self.state.exists(), "there is nothing to go on from")
        self.assertEqual(pool.orders, [f"drain {name(1)}"])

    def test_several_at_once_as_the_floor_allows(self):
        pool = self.pool(servers=5)
        self.roll(0, "--max-unavailable", "3")
        self.assertEqual(pool.most_held, 3)
        self.assertEqual(len(pool.orders), 10)
        pool = self.pool(servers=5, min_accepting=3)
        self.roll(0, "--max-unavailable", "5")
        self.assertEqual(pool.most_held, 2)
        self.assertEqual(len(pool.orders), 10, "nobody asked for what is refused")

    def test_a_domain_at_once(self):
        domains = {name(n): "rack-b" if n < 3 else "rack-a" for n in range(1, 5)}
        pool = self.pool(servers=4, domains=domains)
        self.roll(0, "--domains")
        self.assertEqual(pool.most_held, 2)
        self.assertEqual(sorted(pool.orders[:2]), [f"drain {name(3)}", f"drain {name(4)}"])
        self.assertIn(f"{name(3)} {POOL} rack-a\n", self.ran.read_text())

    def test_a_hold_of_anothers_is_not_touched(self):
        pool = self.pool()
        pool.hold(name(2), "theirs")
        self.roll(1, err=f"stopped: {name(2)}: held: server by operations: theirs")
        self.assertEqual(pool.orders, self.in_order(1))
        self.state.unlink()
        self.roll(0, "--skip-unready", out=["fe02: skipped, held: server by operations: theirs"])
        self.assertEqual(pool.orders[2:], self.in_order(1, 3))
        self.assertEqual(len(pool.holds[name(2)]), 1)

    def test_a_hold_that_looks_like_a_rolls_is_anothers_too(self):
        pool = self.pool()
        pool.hold(name(1), "roll", startup="manual")
        self.roll(1, err="held: server by operations: roll")
        self.assertEqual(pool.orders, [])

    def test_a_hold_of_the_hosts_that_comes_with_the_command_is_not_lifted(self):
        pool = self.pool(servers=1)
        self.started = self.folder / "started"
        command = f"touch {self.started}; while [ ! -e {self.flag} ]; do sleep 0.05; done"
        child = self.start_ctl("roll", POOL, "--exec", command)
        eventually(self.started.exists, "the command runs")
        pool.hold(name(1), "typed on the host", scope="service", origin="host")
        self.flag.touch()
        _, err = child.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(child.returncode, 1)
        self.assertIn("not resumed, it is held by somebody else as well", err)
        self.assertEqual(pool.orders, [f"drain {name(1)}"])

    def test_a_server_that_is_down_stops_it(self):
        pool = self.pool()
        pool.down.add(name(1))
        self.roll(1, err=f"stopped: {name(1)}: front-end is down")
        self.assertEqual(pool.orders, [])

    def test_waits_have_an_end(self):
        pool = self.pool()
        pool.busy.add(name(1))
        self.roll(4, "--timeout", "1s", out="fe01: sessions left: 12 calls",
                  err="not safe after 1 s: sessions left: 12 calls on front-end")  # fmt: skip
        pool.busy.clear()
        self.check(4, "roll", POOL, "--exec", self.note, "--timeout", "1s", "--soak", "5s",
                   err="not accepting for long enough after 1 s")  # fmt: skip

    def test_lost_answers_do_no_harm(self):
        pool = self.pool()
        # libcurl asks once more by itself when a kept connection breaks.
        pool.lose = {("drain", name(1)): 2, ("resume", name(2)): 2}
        self.roll(0, out=f"{POOL} is rolled")
        drained, second = f"drain {name(1)}", f"resume {name(2)}"
        self.assertEqual(
            pool.orders,
            [drained, *self.in_order(1), f"drain {name(2)}", second, second, *self.in_order(3)],
            "what is in force is not asked for again",
        )
        self.assertEqual(len(self.ran.read_text().splitlines()), 3)

    def test_ctrl_c_reaches_the_command_and_leaves_the_server_held(self):
        pool = self.pool()
        trapped = self.folder / "trapped"
        command = (f"trap 'touch {trapped}; exit 1' INT; touch {self.ran};"
                   f" while [ ! -e {self.flag} ]; do sleep 0.05; done")  # fmt: skip
        child = self.start_ctl("roll", POOL, "--exec", command, "--soak", "0s",
                               start_new_session=True)  # fmt: skip
        eventually(self.ran.exists, "the command runs")
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(child.returncode, 130, err)
        self.assertTrue(trapped.exists())
        self.assertIn("stopped: interrupted", err)
        self.assertIn(f"{name(1)} is held by this roll", err)
        self.assertIn("not begun", out)
        self.assertEqual(len(pool.holds[name(1)]), 1)
        self.flag.touch()
        self.roll(0, command=command, err="goes on where it stopped: 0 servers are done")
        self.assertEqual(pool.orders, self.in_order(1, 2, 3))

    def test_a_command_that_ends_well_all_the_same_is_not_run_again(self):
        pool = self.pool(servers=1)
        command = (f"trap '' INT; echo x >> {self.ran};"
                   f" while [ ! -e {self.flag} ]; do sleep 0.05; done")  # fmt: skip
        child = self.start_ctl("roll", POOL, "--exec", command, "--soak", "0s",
                               start_new_session=True)  # fmt: skip
        eventually(self.ran.exists, "the command runs")
        os.killpg(child.pid, signal.SIGINT)
        while "waits for the command to end" not in child.stderr.readline():
            self.assertIsNone(child.poll())
        self.flag.touch()
        child.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(child.returncode, 130)
        self.assertEqual(pool.orders, [f"drain {name(1)}"])
        self.roll(0, command=command)
        self.assertEqual(pool.orders, self.in_order(1))
        self.assertEqual(self.ran.read_text(), "x\n")

    def test_a_second_signal_leaves_the_command_alone(self):
        self.pool(servers=1)
        # It ends with the test's folder: nobody else ends it.
        command = (f"trap '' INT TERM; touch {self.ran};"
                   f" while [ -e {self.ran} ] && [ ! -e {self.flag} ]; do sleep 0.05; done")  # fmt: skip
        child = self.start_ctl("roll", POOL, "--exec", command)
        self.addCleanup(self.flag.touch)
        eventually(self.ran.exists, "the command runs")
        child.send_signal(signal.SIGTERM)
        while "waits for the command to end" not in child.stderr.readline():
            self.assertIsNone(child.poll())
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(timeout=PATIENCE_SECONDS), 143)
        child.stdout.close()
        child.stderr.close()

    def test_ctrl_c_while_it_drains(self):
        pool = self.pool()
        pool.busy.add(name(1))
        child = self.start_ctl("roll", POOL, "--exec", self.note)
        while "sessions left" not in child.stdout.readline():
            self.assertIsNone(child.poll())
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(child.returncode, 130)
        self.assertIn(f"`sluicectl resume {name(1)}` lifts that", err)
        self.assertFalse(self.ran.exists())

    def test_two_rolls_of_a_pool_do_not_meet(self):
        pool = self.pool()
        pool.busy.add(name(1))
        child = self.start_ctl("roll", POOL, "--exec", self.note)
        while "sessions left" not in child.stdout.readline():
            self.assertIsNone(child.poll())
        self.roll(1, err="another roll is under way")
        child.terminate()
        child.communicate(timeout=PATIENCE_SECONDS)

    def test_a_dry_run_changes_nothing(self):
        pool = self.pool(servers=4, min_accepting=3,
                         domains={name(1): "rack-a", name(2): "rack-a"})  # fmt: skip
        done = self.check(
            0, "roll", POOL, "--dry-run", "--domains",
            out=["4 turns", "lets 1 go at once", "nothing stands against it now"],
        )  # fmt: skip
        rows = [line.split()[:3] for line in done.stdout.splitlines()[2:6]]
        self.assertEqual(rows, [["1", name(1), "rack-a"], ["2", name(2), "rack-a"],
                                ["3", name(3), "-"], ["4", name(4), "-"]])  # fmt: skip
        pool.min_accepting = 4
        self.check(3, "roll", POOL, "--dry-run", out="refuses it")
        self.assertEqual(pool.orders, [])
        self.assertFalse(self.state.parent.exists())

    def test_json_is_an_object_a_line_and_a_report(self):
        self.pool(servers=2)
        done = self.roll(0, "--json", command="echo hello; echo $SLUICE_SERVER >&2", err="hello")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        steps = [line["step"] for line in lines]
        each = ["drained", "safe", "command", "command-ended", "resumed", "accepting", "done"]
        self.assertEqual(steps, [*each, *each, "report"])
        report = lines[-1]
        self.assertTrue(report["complete"])
        self.assertEqual([server["state"] for server in report["servers"]], ["done", "done"])
        self.assertEqual(lines[3]["exit"], 0)

    def test_a_plan_in_json(self):
        pool = self.pool()
        pool.down.add(name(2))
        done = self.check(1, "roll", POOL, "--dry-run", "--json")
        plan = json.loads(done.stdout)
        self.assertEqual(plan["exit"], 1)
        self.assertEqual(plan["turns"][1]["servers"],
                         [{"server": name(2), "trouble": "front-end is down"}])  # fmt: skip

    def test_a_state_file_that_is_none_is_not_touched(self):
        pool = self.pool()
        file = self.folder / "mine"
        file.write_text("precious")
        self.roll(1, "--state", str(file), err="is not a roll's")
        self.assertEqual(file.read_text(), "precious")
        self.assertEqual(pool.orders, [])

    def test_what_is_no_pool_is_1(self):
        self.check(1, "roll", "nosuch", "--exec", "x", err="there is no /v1/pools/nosuch")


if __name__ == "__main__":
    main()
