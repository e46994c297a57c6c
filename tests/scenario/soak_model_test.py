"""The soak's model (soak/truth.py) can tell right from wrong, without any process."""

import pathlib
import sys
import types
import unittest

sys.dont_write_bytecode = True
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1])]

from soak import plan, rules
from soak.hosts import Sessions
from soak.promises import Promises
from soak.timeline import Spans, Timeline
from soak.truth import Truth
from soak.views import LATE_SECONDS, Growing, Views, serial_less

SERVICE = "front-end"


def truth(policy="nodata", floor=1):
    return Truth((1, 2), (SERVICE, "call-park"), policy, floor, settle=5.0)


def members(model, begin, end):
    return {tuple(sorted(each)) for each, _ in model.answers(SERVICE, begin, end)}


class Timelines(unittest.TestCase):
    def test_a_look_gets_all_that_was_possible_meanwhile(self):
        line = Timeline(False)
        line.may_become(10, {True})
        line.becomes(12, {True})
        self.assertEqual(line.over(0, 9), {False})
        self.assertEqual(line.over(9, 11), {True, False})
        self.assertEqual(line.over(11, 13), {True, False})
        self.assertEqual(line.over(12, 13), {True})

    def test_an_end_and_a_plan_leave_a_doubt_from_their_moments_on(self):
        line = Timeline(False)
        line.becomes(1, {True})
        line.ends = 20
        self.assertEqual(line.over(2, 19), {True})
        self.assertEqual(line.over(2, 21), {True, False})
        line.settle(22, False)
        line.starts = [30]
        self.assertEqual(line.over(23, 29), {False})
        self.assertEqual(line.over(23, 31), {True, False})

    def test_spans_touch_what_overlaps(self):
        spans = Spans()
        spans.begin(5)
        self.assertFalse(spans.touch(1, 4))
        self.assertTrue(spans.touch(100, 101))


class Answers(unittest.TestCase):
    def test_a_hold_that_is_acknowledged_forbids_and_one_that_is_asked_for_allows_both(self):
        model = truth()
        keys = model.keys(1, None)
        self.assertEqual(members(model, 0, 1), {(1, 2)})
        model.may_hold(keys, 10, {True})
        self.assertEqual(members(model, 11, 11), {(1, 2), (2,)})
        model.hold(keys, 12, {True})
        self.assertEqual(members(model, 12, 13), {(2,)})
        self.assertTrue(model.is_forbidden(1, SERVICE, 12, 13))
        self.assertFalse(model.is_forbidden(1, SERVICE, 11, 13))

    def test_a_hold_outlives_every_doubt_about_health(self):
        model = truth()
        model.hold(model.keys(1, SERVICE), 1, {True})
        model.disturb(2)
        self.assertEqual(members(model, 3, 3), {(2,)})

    def test_who_was_up_stays_when_the_authority_is_away(self):
        model = truth()
        model.away.during(50, 51)
        self.assertEqual(members(model, 52, 52), {(1, 2)})

    def test_the_last_ones_are_answered_by_rule_six_alone(self):
        for policy, last in (("nodata", ()), ("serve_held", (1, 2))):
            model = truth(policy)
            model.hold(model.keys(1, None), 1, {True})
            self.assertEqual(members(model, 2, 2), {(2,)})
            model.health[2, SERVICE].becomes(3, {rules.OUT})
            self.assertEqual(members(model, 4, 4), {(2,)}, "never empty")
            model.health[2, SERVICE].becomes(5, {rules.UP})
            model.hold(model.keys(2, None), 6, {True})
            self.assertEqual(members(model, 7, 7), {last})

    def test_a_refusal_must_have_had_a_reason(self):
        model = truth(floor=1)
        self.assertEqual(model.refusals(1, [SERVICE], 0, 1), {False})
        model.hold(model.keys(2, SERVICE), 2, {True})
        self.assertEqual(model.refusals(1, [SERVICE], 3, 4), {True})
        self.assertEqual(model.refusals(2, [SERVICE], 3, 4), {False}, "it is out already")

    def test_a_new_instance_may_release_what_is_automatic(self):
        model = truth()
        for service, startup in ((SERVICE, "automatic"), ("call-park", "manual")):
            model.hold(model.keys(1, service), 1, {True})
            model.startups[1, service, "service"] = {startup}
            model.new_instance(1, service, 2)
        self.assertFalse(model.surely_held(1, SERVICE, 3, 3))
        self.assertTrue(model.surely_held(1, "call-park", 3, 3))

    def test_what_a_damaged_store_may_have_lost_is_what_changed_last(self):
        model = truth()
        model.hold(model.keys(1, None), 10, {True})
        model.hold(model.keys(2, None), 19, {True})
        model.all_uncertain(18, 20)
        self.assertTrue(model.surely_held(1, SERVICE, 21, 22))
        self.assertFalse(model.surely_held(2, SERVICE, 21, 22))


class Promised(unittest.TestCase):
    def test_it_lasts_as_long_as_its_hold(self):
        model = truth()
        promises = Promises(model)
        model.hold(model.keys(1, None), 10, {True})
        promises.add(1, SERVICE, 10, 15, "said")
        self.assertIsNone(promises.broken(1, SERVICE, 14, 14.1))
        self.assertIn("said", promises.broken(1, SERVICE, 16, 16.1))
        model.may_hold(model.keys(1, None), 20, {False})
        self.assertIsNone(promises.broken(1, SERVICE, 19.9, 20.1))


class Shown(unittest.TestCase):
    """Views, of a model whose moments are the test's own."""

    def setUp(self):
        self.model, self.sessions, self.wrong = truth(), Sessions(), []
        journal = types.SimpleNamespace(check=self.check)
        self.views = Views(self.model, Promises(self.model), self.sessions, journal)

    def check(self, holds, text):
        if not holds:
            self.wrong.append(text() if callable(text) else text)

    def test_an_absence_that_goes_on_makes_nobody_impatient(self):
        self.model.renewed.begin(10)
        self.assertEqual(self.views.patience(20, 12), LATE_SECONDS)
        self.assertEqual(self.views.patience(8, 12), LATE_SECONDS + 2 * 2)

    def green(self, opened):
        """Held from 100 on, with a horizon of 105; looked at from 107 to 107.1."""
        self.model.hold(self.model.keys(1, None), 100, {True})
        self.model.horizons[1, SERVICE] = 100, 105
        self.sessions.all[1, SERVICE] = [[opened, None]]
        self.views.green(1, SERVICE, 107, 107.1, "said")
        return self.wrong

    def test_a_verdict_that_was_counted_before_the_horizon_is_wrong(self):
        self.assertIn("1 sessions", self.green(opened=103.4)[0])

    def test_who_came_after_the_count_is_in_doubt(self):
        self.assertEqual(self.green(opened=103.6), [])

    def test_what_is_long_under_way_is_in_doubt_for_a_lease(self):
        self.model.late.during(100, 104)
        self.assertEqual(self.green(opened=103.4), [])
        self.assertIn("1 sessions", self.green(opened=102.9)[0])


class Numbers(unittest.TestCase):
    def test_they_never_go_back(self):
        growing = Growing()
        self.assertTrue(growing.end(growing.begin(), 5))
        begun = growing.begin()
        self.assertTrue(growing.end(begun, 5))
        self.assertFalse(growing.end(begun, 4))

    def test_serials_are_on_a_circle(self):
        self.assertTrue(serial_less(2**32 - 1, 0))
        self.assertFalse(serial_less(0, 2**32 - 1))


class Plans(unittest.TestCase):
    def events(self, seed, count=400):
        events = iter(plan.Plan(seed, (1, 2), (SERVICE, "call-park")))
        return [next(events).text() for _ in range(count)]

    def test_the_same_seed_gives_the_same_and_another_something_else(self):
        self.assertEqual(self.events(7), self.events(7))
        self.assertNotEqual(self.events(7), self.events(8))

    def test_each_kind_comes(self):
        said = "".join(self.events(7, 3000))
        for kind in (*plan.ORDERS, *plan.FAULTS, "calm"):
            self.assertIn(f'"kind": "{kind}"', said)


if __name__ == "__main__":
    # As every scenario it gets the build folder, of which it needs nothing.
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
