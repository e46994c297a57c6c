"""sluicectl's plans: drain --at and --expires, schedule list and cancel, history; a fake API."""

import datetime
import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.fake_api import (
    BUSY,
    DRAINED,
    FE02,
    FREE,
    HOLD,
    POOL,
    SluicectlTest,
    main,
    pool,
    problem,
    server,
    verdict,
)

PLAN = {
    "id": "7", "kind": "drain", "server": FE02, "service": None, "at": "2099-01-01T02:00:00Z",
    "leaves_at": "2099-01-01T01:59:28Z", "by": "operations", "reason": "patch",
    "startup": None, "hide_host": False, "force": False, "expires": None, "then": None,
    "created": "2026-11-20T10:00:00Z", "warnings": ["the pool would be at its floor"],
}  # fmt: skip
EXPIRY = {
    **PLAN, "id": "8", "kind": "expiry", "service": "front-end", "at": "2099-01-01T04:00:00Z",
    "leaves_at": None, "then": "alarm", "warnings": [],
}  # fmt: skip


class Plans(SluicectlTest):
    def body(self, at=0):
        return json.loads(self.api.requests[at][3])

    def plan(self, **members):
        self.answers["POST /v1/servers/fe02/drain"] = (201, {**PLAN, **members})

    def test_a_plan_is_told_in_words(self):
        self.plan()
        done = self.check(
            0, "drain", "fe02", "--at", "2099-01-01T02:00:00Z", "--reason", "patch",
            out=[f"{FE02} leaves the answers 2099-01-01 01:59:28, no cache names it at"
                 " 2099-01-01 02:00:00 (schedule 7)", "sluicectl schedule cancel 7"],
            err="warning: the pool would be at its floor",
        )  # fmt: skip
        self.assertNotIn("left every answer", done.stdout)
        self.assertEqual(self.body(), {"reason": "patch", "at": "2099-01-01T02:00:00Z"})
        self.assertEqual(len(self.api.requests), 1)

    def test_a_plan_says_when_its_hold_ends(self):
        self.plan(expires="2099-01-01T04:00:00Z", then="alarm")
        self.check(0, "drain", "fe02", "--at", "+2h", "--expires", "2h", "--then", "alarm",
                   out="held from then on until 2099-01-01 04:00:00, then an alarm")  # fmt: skip
        self.assertEqual(self.body(), {"at": "2h", "expires": "2h", "then": "alarm"})

    def test_a_time_of_day_goes_as_rfc_3339(self):
        self.plan()
        self.check(0, "drain", "fe02", "--at", "22:00", TZ="XXX-1")
        self.assertRegex(self.body()["at"], r"^\d{4}-\d\d-\d\dT21:00:00Z$")

    def test_what_the_clocks_skip_is_usage(self):
        # A zone whose clocks go forward twelve hours from now.
        now = datetime.datetime.now(datetime.timezone.utc)
        gap = now + datetime.timedelta(hours=12)
        number = gap.timetuple().tm_yday - 1
        zone = f"XXX0YYY,{number}/{gap.hour},{(number + 30) % 365}/2"
        self.check(2, "drain", "fe02", "--at", f"{gap.hour:02}:30", err="the clocks skip", TZ=zone)
        self.assertEqual(self.api.requests, [])

    def test_json_is_the_plan(self):
        self.plan()
        done = self.check(0, "drain", "fe02", "--at", "+2h", "--json")
        self.assertEqual(json.loads(done.stdout), PLAN)

    def test_a_plan_that_is_not_stored_is_not_in_force(self):
        self.answers["POST /v1/servers/fe02/drain"] = problem(
            507, detail="the disk is full", in_force=False
        )
        done = self.check(1, "drain", "fe02", "--at", "+2h", err="the disk is full")
        self.assertNotIn("in force", done.stderr)

    def test_a_hold_that_ends_by_itself_says_when(self):
        self.answers["POST /v1/servers/fe02/drain"] = DRAINED
        hold = {**HOLD, "expires": "2099-01-01T04:00:00Z", "then": "lift"}
        self.answers["GET /v1/servers/fe02"] = server(verdict(), holds=[hold])
        self.check(0, "drain", "fe02", "--expires", "2h",
                   out="held until 2099-01-01 04:00:00, then lifted")  # fmt: skip
        self.assertEqual(self.body(), {"expires": "2h"})

    def test_list(self):
        self.answers["GET /v1/schedules"] = {"schedules": [PLAN, EXPIRY]}
        done = self.check(0, "schedule", "list")
        rows = [line.split("  ") for line in done.stdout.splitlines()]
        rows = [[cell.strip() for cell in row if cell.strip()] for row in rows]
        self.assertEqual(rows[0], ["ID", "WHAT", "SERVER", "SERVICE", "AT", "LEAVES ANSWERS", "BY",
                                   "REASON"])  # fmt: skip
        self.assertEqual(rows[1], ["7", "drain", FE02, "-", "2099-01-01 02:00:00",
                                   "2099-01-01 01:59:28", "operations", "patch"])  # fmt: skip
        self.assertEqual(rows[2][:6], ["8", "alarm", FE02, "front-end", "2099-01-01 04:00:00", "-"])
        self.answers["GET /v1/schedules"] = {"schedules": []}
        self.check(0, "schedule", "list", out="nothing is planned")
        done = self.check(0, "schedule", "list", "--json")
        self.assertEqual(json.loads(done.stdout), {"schedules": []})

    def test_cancel(self):
        self.answers["DELETE /v1/schedules/7"] = PLAN
        self.answers["DELETE /v1/schedules/8"] = EXPIRY
        self.answers[f"GET /v1/servers/{FE02}"] = {**FREE, "schedules": [EXPIRY]}
        self.check(0, "schedule", "cancel", "7", out=f"schedule 7 cancelled: {FE02} stays in")
        self.check(0, "schedule", "cancel", "8",
                   out=f"the hold on front-end on {FE02} stays until somebody")  # fmt: skip
        self.check(1, "schedule", "cancel", "9", err="there is no /v1/schedules/9")
        self.answers["DELETE /v1/schedules/7"] = problem(507, detail="the disk is full")
        self.check(1, "schedule", "cancel", "7", err="the disk is full")
        self.assertEqual([request[0] for request in self.api.requests], ["DELETE", "GET", *["DELETE"] * 3])

    def test_cancelling_one_of_two_says_that_the_other_stands(self):
        self.answers["DELETE /v1/schedules/7"] = PLAN
        other = {**PLAN, "id": "9"}
        self.answers[f"GET /v1/servers/{FE02}"] = {**FREE, "schedules": [other]}
        done = self.check(0, "schedule", "cancel", "7", out=[f"but {FE02} leaves", "schedule 9"])
        self.assertNotIn("stays in service", done.stdout)
        self.answers[f"GET /v1/servers/{FE02}"] = BUSY
        self.check(0, "schedule", "cancel", "7", out="is held already, and stays held")

    def test_an_alarm_that_was_given_is_not_to_come(self):
        over = {**EXPIRY, "at": "2001-01-01T04:00:00Z"}
        self.answers["GET /v1/schedules"] = {"schedules": [over]}
        self.check(0, "schedule", "list", out="alarm was given")

    def test_status_and_services_show_what_is_planned(self):
        hold = {**HOLD, "expires": "2001-01-01T04:00:00Z", "then": "alarm", "alarmed": True}
        planned = {**BUSY, "domain": "rack-a", "schedules": [PLAN, EXPIRY]}
        over = server(verdict(), holds=[hold], name=f"fe03.{POOL}")
        self.answers["GET /v1/pools"] = {"pools": [pool(planned, over)]}
        self.answers["GET /v1/servers/fe02"] = planned
        self.check(0, "status",
                   out=["DOMAIN", "rack-a", "fe02: leaves the answers 2099-01-01 01:59:28",
                        "warning: the time of the hold on fe03 is over since 2001-01-01",
                        "[over since 2001-01-01 04:00:00]"])  # fmt: skip
        self.check(0, "services", "fe02", out="(schedule 7)")


class History(SluicectlTest):
    EVENTS = [
        {"id": None, "at": "2001-11-20T10:00:00Z", "type": "drain", "server": FE02,
         "service": None, "by": "operations", "origin": "10.0.0.7", "text": "patch",
         "generation": 17},
        {"id": "r-2", "at": "2001-11-20T10:00:01Z", "type": "status", "server": FE02,
         "service": "front-end", "by": None, "origin": None, "text": "", "generation": 17,
         "was": "accepting", "status": "draining"},
    ]  # fmt: skip

    def test_is_oldest_first(self):
        self.answers["GET /v1/servers/fe02/history"] = {"server": FE02, "events": self.EVENTS}
        done = self.check(0, "history", "fe02")
        self.assertEqual(done.stdout.splitlines(), [
            f"2001-11-20 10:00:00  drain           {FE02}: patch (by operations from 10.0.0.7)",
            f"2001-11-20 10:00:01  status          front-end on {FE02}: accepting -> draining",
        ])  # fmt: skip

    def test_the_limit_is_the_authoritys_unless_it_is_given(self):
        self.answers["GET /v1/servers/fe02/history?limit=5"] = {"events": []}
        self.check(0, "history", "fe02", "--limit", "5", out="nothing is known of fe02")
        self.check(1, "history", "fe02", err="there is no /v1/servers/fe02/history")

    def test_json_is_the_document(self):
        document = {"server": FE02, "events": self.EVENTS}
        self.answers["GET /v1/servers/fe02/history"] = document
        done = self.check(0, "history", "fe02", "--json")
        self.assertEqual(json.loads(done.stdout), document)


if __name__ == "__main__":
    main()
