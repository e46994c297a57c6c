#include "tools/sluicectl/render/words.h"

#include <chrono>
#include <cstdlib>
#include <ctime>

#include "gtest/gtest.h"

#include "tests/tools/sluicectl/now.h"

namespace sluice::ctl {
namespace {

using namespace std::chrono_literals;

class Words : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    setenv("TZ", "UTC0", 1);
    tzset();
  }
};

Service service(const std::string& status) {
  Service made;
  made.name = "front-end";
  made.status = status;
  made.health = "up";
  made.startup = "automatic";
  return made;
}

TEST_F(Words, TimesWithinSentencesAreLocalOnes) {
  EXPECT_EQ(with_local_times("until 2025-11-20T10:00:30Z: over", kNow), "until 10:00:30: over");
  EXPECT_EQ(with_local_times("2025-11-21T10:00:30.250Z", kNow), "2025-11-21 10:00:30");
  EXPECT_EQ(with_local_times("no 2025-11-20 Z 2025-13-20T10:00:30Z", kNow),
            "no 2025-11-20 Z 2025-13-20T10:00:30Z");
  EXPECT_EQ(with_local_times("until 9999-11-20T10:00:30Z", kNow), "until 9999-11-20 10:00:30");
  setenv("TZ", "XXX-2", 1);
  tzset();
  EXPECT_EQ(with_local_times("at 2025-11-20T10:00:30Z", kNow), "at 12:00:30");
  SetUpTestSuite();
}

TEST_F(Words, UnknownSessionsAreNeverZero) {
  Service of = service("draining");
  EXPECT_EQ(sessions_words(of), "unknown");
  of.sessions = Counters{};
  EXPECT_EQ(sessions_words(of), "none");
  of.sessions = Counters{{"calls", 3}, {"registrations", 12}};
  EXPECT_EQ(sessions_words(of), "calls=3 registrations=12");
}

TEST_F(Words, TheHorizonIsClearOnlyWhenTheAuthoritySaysSo) {
  Service of = service("draining");
  EXPECT_EQ(horizon_words(of, kNow), "-");
  of.cache_horizon = kNow + 28s;
  EXPECT_EQ(horizon_words(of, kNow), "in 28s");
  EXPECT_EQ(horizon_words(of, kNow + 60s), "clear");
  // By our clock it is past, by the authority's it is not.
  of.verdict.reasons = {{.code = "horizon", .text = "caches", .until = kNow + 28s}};
  EXPECT_EQ(horizon_words(of, kNow + 60s), "in 0s");
  of.in_answers = true;
  EXPECT_EQ(horizon_words(of, kNow), "-");
}

TEST_F(Words, AHoldSaysWhoAndWhy) {
  Service of = service("draining");
  EXPECT_EQ(holds_words(of, kNow), "");
  Hold hold;
  hold.scope = "server";
  hold.origin = "operator";
  hold.by = "operations";
  hold.reason = "patch";
  hold.startup = "automatic";
  of.holds = {hold};
  EXPECT_EQ(holds_words(of, kNow), "server by operations: patch");
  hold.scope = "service";
  hold.origin = "host";
  hold.by = "root";
  hold.reason = "";
  hold.forced = true;
  hold.startup = "manual";
  of.holds.push_back(hold);
  EXPECT_EQ(holds_words(of, kNow),
            "server by operations: patch; service by root (host, forced) [startup manual]");
}

TEST_F(Words, AHoldSaysWhenItEndsByItself) {
  Hold hold;
  hold.scope = "server";
  hold.origin = "operator";
  hold.by = "operations";
  EXPECT_EQ(expiry_words(hold, kNow), "");
  hold.expires = kNow + 2h;
  hold.then = "lift";
  EXPECT_EQ(hold_words(hold, kNow), "server by operations [until 12:00:00, then lifted]");
  hold.then = "alarm";
  EXPECT_EQ(expiry_words(hold, kNow), "until 12:00:00, then an alarm");
  hold.alarmed = true;
  EXPECT_EQ(expiry_words(hold, kNow + 3h), "over since 12:00:00");
}

TEST_F(Words, APlanSaysWhenItLeavesAndWhenNoCacheNamesIt) {
  Schedule plan{.id = "7",
                .kind = "drain",
                .server = "fe02",
                .service = {},
                .at = kNow + 2h,
                .leaves_at = kNow + 2h - 32s,
                .by = {},
                .reason = {},
                .expires = {},
                .then = {},
                .warnings = {}};
  EXPECT_EQ(plan_words(plan, kNow),
            "leaves the answers 11:59:28, no cache names it at 12:00:00 (schedule 7)");
  plan.kind = "expiry";
  EXPECT_EQ(plan_words(plan, kNow), "") << "the hold says it";
}

TEST_F(Words, AStatusSaysWhatIsSpecialAboutIt) {
  Server server;
  Service of = service("accepting");
  EXPECT_EQ(status_words(of, server), "accepting");
  of.forced = "up";
  server.lease = "guarded";
  EXPECT_EQ(status_words(of, server), "forced up (agent: up, guarded)");
  of.holds.emplace_back();
  EXPECT_EQ(status_words(of, server), "accepting (forced up, guarded)")
      << "held: the status counts";
  of = service("draining");
  of.health = "down";
  of.holds.emplace_back();
  server.lease = "current";
  EXPECT_EQ(status_words(of, server), "draining (checks fail)");
}

TEST_F(Words, TheStartupThatDecidesIsTheHolds) {
  Service of = service("draining");
  EXPECT_EQ(startup_words(of), "automatic");
  Hold hold;
  hold.startup = "automatic";
  of.holds = {hold};
  EXPECT_EQ(startup_words(of), "automatic");
  hold.startup = "manual";
  of.holds.push_back(hold);
  EXPECT_EQ(startup_words(of), "manual (hold)") << "one that is manual keeps it out";
  of.startup = "manual";
  EXPECT_EQ(startup_words(of), "manual");
  of.holds.pop_back();
  EXPECT_EQ(startup_words(of), "automatic (hold)");
}

TEST_F(Words, TheConsoleKnowsFourStates) {
  Service of = service("accepting");
  EXPECT_EQ(console_state(of), "Running");
  of.health = "down";
  EXPECT_EQ(console_state(of), "Running");
  of.holds.emplace_back();
  EXPECT_EQ(console_state(of), "Paused");
  of.health = "stopped";
  EXPECT_EQ(console_state(of), "Stopped");
  of = service("unknown");
  of.health = "";
  EXPECT_EQ(console_state(of), "Unknown");
}

TEST_F(Words, AReasonCountsDown) {
  const Reason horizon{.code = "horizon", .text = "caches may name it", .until = kNow + 32s};
  EXPECT_EQ(reason_words(horizon, kNow), "caches clear in 32 s (10:00:32)");
  const Reason other{.code = "x", .text = "something", .until = kNow + 90s};
  EXPECT_EQ(reason_words(other, kNow), "something, in 1 min 30 s (10:01:30)");
  EXPECT_EQ(reason_words({.code = "x", .text = "something", .until = {}}, kNow), "something");
}

TEST_F(Words, ATimeOnAnotherDayHasItsDate) {
  EXPECT_EQ(caches_words(kNow + 24h, kNow), "caches clear in 1 d (2025-11-21 10:00:00)");
  EXPECT_EQ(caches_words(kNow - 1s, kNow), "caches are clear (09:59:59)");
}

TEST_F(Words, AWaitSaysSessionsFirst) {
  Verdict verdict;
  EXPECT_EQ(waiting_words(verdict, kNow, true), "the authority gives no reason");
  verdict.reasons = {{.code = "horizon", .text = "caches", .until = kNow + 5s},
                     {.code = "sessions", .text = "3 calls on a", .until = {}},
                     {.code = "sessions", .text = "1 calls on b", .until = {}}};
  EXPECT_EQ(waiting_words(verdict, kNow, true),
            "sessions left: 3 calls on a, 1 calls on b; caches clear in 5 s (10:00:05)");
}

TEST_F(Words, ABriefWaitIsSumsAndHasNoClockTimes) {
  Service first = service("draining");
  first.sessions = Counters{{"calls", 2}};
  Service second = first;
  second.sessions = Counters{{"calls", 3}, {"registrations", 0}};
  Verdict verdict;
  verdict.reasons = {{.code = "horizon", .text = "caches", .until = kNow + 5s},
                     {.code = "sessions", .text = "2 calls on a", .until = {}},
                     {.code = "sessions", .text = "3 calls on b", .until = {}}};
  EXPECT_EQ(brief_waiting_words(verdict, {&first, &second}, kNow),
            "5 calls left; caches clear in 5 s");
}

TEST_F(Words, ACountdownAloneIsNoChange) {
  Verdict verdict;
  verdict.reasons = {{.code = "horizon", .text = "another 9 s", .until = kNow + 9s},
                     {.code = "new-connections", .text = "3 s ago", .until = {}}};
  const std::string before = waiting_words(verdict, kNow, false);
  verdict.reasons[0].text = "another 8 s";
  verdict.reasons[1].text = "4 s ago";
  EXPECT_EQ(waiting_words(verdict, kNow + 1s, false), before);
  verdict.reasons[0].until = kNow + 30s;  // the horizon starts anew
  EXPECT_NE(waiting_words(verdict, kNow + 1s, false), before);
}

TEST_F(Words, ShortFormsKeepWhatCounts) {
  Service service;
  service.status = "accepting";
  EXPECT_EQ(short_sessions_words(service), "unknown");
  service.sessions = Counters{};
  EXPECT_EQ(short_sessions_words(service), "none");
  service.sessions = Counters{{"connections", 12}};
  EXPECT_EQ(short_sessions_words(service), "12");
  service.sessions = Counters{{"calls", 3}, {"registrations", 12}};
  EXPECT_EQ(short_sessions_words(service), "call=3 regi=12");
  Server server;
  EXPECT_EQ(short_status_words(service, server), "accepting");
  server.lease = "guarded";
  EXPECT_EQ(short_status_words(service, server), "guarded");
  service.forced = "down";
  EXPECT_EQ(short_status_words(service, server), "forced down");
  Hold hold;
  hold.scope = "server";
  hold.origin = "operator";
  hold.by = "operations";
  hold.reason = "patch";
  service.holds = {hold};
  hold.by.clear();
  hold.origin = "host";
  hold.reason.clear();
  service.holds.push_back(hold);
  EXPECT_EQ(short_holds_words(service), "operations: patch; host");
  service.startup = "automatic";
  service.holds.front().startup = "manual";
  EXPECT_EQ(short_holds_words(service), "operations [manual]: patch; host");
}

TEST_F(Words, ShortNamesAreLabelsWhereTheseTellServersApart) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(short_names({"fe01.a.example", "fe02.a.example"}), (Names{"fe01", "fe02"}));
  EXPECT_EQ(short_names({"fe01.a.example", "fe01.b.example"}),
            (Names{"fe01.a.example", "fe01.b.example"}));
  EXPECT_EQ(short_names({"fe01.a.example", "fe01.a.example"}), (Names{"fe01", "fe01"}));
}

TEST_F(Words, NamesWithinAPool) {
  EXPECT_EQ(relative_name("pool01.example", "pool01.example"), "@");
  EXPECT_EQ(relative_name("_sip._tcp.pool01.example", "pool01.example"), "_sip._tcp");
  EXPECT_EQ(relative_name("xpool01.example", "pool01.example"), "xpool01.example");
  EXPECT_EQ(relative_name("fe.other", "pool01.example"), "fe.other");
  EXPECT_EQ(relative_name("a", ""), "a");
}

}  // namespace
}  // namespace sluice::ctl
