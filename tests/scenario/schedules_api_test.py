"""Planned drains and holds that end, by curl: what is taken, what is refused, what is shown."""

import datetime
import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import processes
from support.api import Reply
from support.polling import eventually
from support.scenario import Scenario, main
from support.sluiced import OPERATOR, READER, agent_token, server_name

FE01, FE02 = server_name(1), server_name(2)


def from_now(**time):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**time)
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Schedules(Scenario):
    def setUp(self):
        super().setUp()
        self.daemon = self.start()

    def curl(self, method, target, body=None, token=OPERATOR):
        command = ["curl", "-sS", "-X", method, "--max-time", "20", "-w", "\n%{http_code}"]
        command += ["-H", f"Authorization: Bearer {token}"]
        if body is not None:
            command += ["--data-binary", json.dumps(body)]
        done = processes.run([*command, f"http://127.0.0.1:{self.daemon.api_port}{target}"])
        self.assertEqual(done.returncode, 0, done.stderr)
        text, _, status = done.stdout.rpartition("\n")
        kind = "application/problem+json" if int(status) >= 400 else "application/json"
        return Reply(int(status), {"content-type": kind}, text)

    def plan(self, server=FE01, **fields):
        reply = self.curl("POST", f"/v1/servers/{server}/drain", fields)
        self.assertEqual(reply.status, 201, reply.text)
        # Said to who plans, not kept.
        return {**reply.json, "warnings": []}

    def schedules(self):
        return self.curl("GET", "/v1/schedules", token=READER).json["schedules"]

    def test_a_duration_and_a_time_say_the_same(self):
        for at in ("2h", from_now(hours=2)):
            plan = self.plan(at=at, reason="patch")
            off = parse(plan["at"]) - parse(from_now(hours=2))
            self.assertLess(abs(off.total_seconds()), 10, at)
            self.assertEqual((plan["kind"], plan["server"]), ("drain", FE01))
            self.assertIsNone(plan["service"])
            self.assertIsNone(plan["expires"])
            self.assertIsNone(plan["then"])
            self.assertEqual(self.curl("DELETE", f"/v1/schedules/{plan['id']}").json, plan)

    def test_other_offsets_are_the_same_moment(self):
        zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
        when = parse(from_now(hours=3))
        plan = self.plan(at=when.astimezone(zone).isoformat(timespec="seconds"))
        self.assertEqual(parse(plan["at"]), when)

    def test_a_duration_of_expires_counts_from_at(self):
        plan = self.plan(at="2h", expires="30m", then="alarm")
        self.assertEqual(
            parse(plan["expires"]) - parse(plan["at"]), datetime.timedelta(minutes=30)
        )
        self.assertEqual(plan["then"], "alarm")

    def test_nothing_is_drained_before_its_time(self):
        self.plan(at="2h")
        self.assert_members(self.daemon, [1, 2, 3])
        self.assertTrue(self.daemon.api().service(FE01, "front-end")["in_answers"])

    def test_forms_and_past_times_are_refused_by_member(self):
        past = "2020-01-01T00:00:00Z"
        for body, member in [
            ({"at": "22:00"}, "at"),
            ({"at": "+2h"}, "at"),
            ({"at": 7200}, "at"),
            ({"at": ""}, "at"),
            ({"at": "2026-11-31T00:00:00Z"}, "at"),
            ({"at": past}, "at"),
            ({"at": "0s"}, "at"),
            ({"expires": past}, "expires"),
            ({"expires": "0s"}, "expires"),
            ({"expires": "soon"}, "expires"),
            ({"at": "2h", "expires": from_now(hours=1)}, "expires"),
            ({"then": "alarm"}, "then"),
            ({"expires": "1h", "then": "wait"}, "then"),
            ({"at": "2h", "service": "nonesuch"}, "service"),
        ]:
            reply = self.curl("POST", f"/v1/servers/{FE01}/drain", body)
            self.assert_reply(reply, 400, member=member)
        self.assertEqual(self.schedules(), [])
        self.assert_members(self.daemon, [1, 2, 3])

    def test_a_plan_for_a_component_or_for_nobody_is_refused(self):
        reply = self.curl("POST", f"/v1/servers/{FE01}/drain", {"at": "2h", "service": "registrar"})
        self.assert_reply(reply, 409, rule="consolidated")
        reply = self.curl("POST", "/v1/servers/fe99/drain", {"at": "2h"})
        self.assert_reply(reply, 404)

    def test_they_are_listed_by_time_and_shown_at_their_server(self):
        late = self.plan(FE01, at="3h")
        early = self.plan(FE02, at="1h")
        self.daemon.api().drain(server_name(3), expires="2h")
        listed = self.schedules()
        self.assertEqual([s["kind"] for s in listed], ["drain", "expiry", "drain"])
        self.assertEqual((listed[0], listed[2]), (early, late))
        self.assertEqual(self.daemon.api().server(FE01)["schedules"], [late])
        self.assertEqual(self.curl("GET", f"/v1/schedules/{early['id']}", token=READER).json, early)

    def test_cancel_an_expiry_and_the_hold_stays(self):
        self.daemon.api().drain(FE01, expires="1h", then="lift")
        (expiry,) = self.schedules()
        self.assertEqual((expiry["kind"], expiry["then"]), ("expiry", "lift"))
        self.assertEqual(self.curl("DELETE", f"/v1/schedules/{expiry['id']}").status, 200)
        hold = self.daemon.api().service(FE01, "front-end")["holds"][0]
        self.assertNotIn("expires", hold)
        self.assert_members(self.daemon, [2, 3])

    def test_roles(self):
        plan = self.plan(at="2h")
        target = f"/v1/schedules/{plan['id']}"
        self.assert_reply(self.curl("DELETE", target, token=READER), 403)
        for method in ("GET", "DELETE"):
            self.assert_reply(self.curl(method, target, token=agent_token(1)), 403)
        self.assertEqual(self.curl("GET", target, token=READER).json, plan)

    def test_ids_that_are_none(self):
        for schedule in ("0", "999", "x", "1.0", "-1"):
            for method in ("GET", "DELETE"):
                self.assert_reply(self.curl(method, f"/v1/schedules/{schedule}"), 404)

    def test_a_hold_that_ends_and_one_that_alarms(self):
        api = self.daemon.api()
        api.drain(FE01, expires="300ms")
        eventually(lambda: self.members(self.daemon) == [1, 2, 3], "the hold has ended")
        api.drain(FE02, expires="300ms", then="alarm")

        def alarmed():
            return api.service(FE02, "front-end")["holds"][0].get("alarmed")

        eventually(alarmed, "somebody is told")
        self.assert_members(self.daemon, [1, 3])


if __name__ == "__main__":
    main()
