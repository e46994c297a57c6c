#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/health/fixture.h"

// Semantics.md section 7: drains that are planned, holds that end by themselves.
namespace sluice::health::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Schedules : public AuthorityTest {
 protected:
  using Planned = std::optional<Outcome<ScheduleView>>;

  Planned plan(DrainRequest drain, DrainRequest::When at) {
    const auto reply = std::make_shared<Planned>();
    authority->plan({std::move(drain), at}, {"operations", "test"},
                    [reply](Outcome<ScheduleView> outcome) { *reply = std::move(outcome); });
    served();
    return *reply;
  }
  Planned plan(const std::string& label, DrainRequest::When at) { return plan(of(label), at); }
  Planned cancel(ScheduleId id) {
    const auto reply = std::make_shared<Planned>();
    authority->cancel(id, {"operations", "test"},
                      [reply](Outcome<ScheduleView> outcome) { *reply = std::move(outcome); });
    served();
    return *reply;
  }
  static DrainRequest of(const std::string& label) {
    DrainRequest request;
    request.server = label + ".pool.example";
    request.reason = "patch";
    return request;
  }
  // How long caches may keep what is sent now of the pool's answer.
  std::optional<base::Duration> cap(AnswerSetId set = kPool) const {
    const base::MonoTime end = publisher.current->answer_sets[set].not_after;
    if (end == Members::kNoEnd) return std::nullopt;
    return std::chrono::duration_cast<base::Duration>(end - clock.mono);
  }
  // Seconds until the last cache forgets the server.
  double horizon_in(const std::string& label) const {
    const auto horizon = view(label).cache_horizon;
    if (!horizon) return -1;
    return std::chrono::duration<double>(*horizon - clock.wall).count();
  }
};

TEST_F(Schedules, UntilAPlannedDrainTheTtlsEndInTimeAndThenTheServerIsGone) {
  start();
  all_up();
  const std::uint64_t generation = authority->generation();
  const auto planned = plan("b", base::Duration(100s));
  ASSERT_TRUE(planned && *planned);
  EXPECT_EQ((*planned)->leaves_at, clock.wall + 98s) << "the horizon's margin before";
  EXPECT_EQ(cap(), base::Duration(98s));
  EXPECT_EQ(cap(kSrv), base::Duration(98s));
  EXPECT_EQ(cap(kCallPark), base::Duration(98s)) << "a whole server: each service of it";
  EXPECT_EQ(authority->generation(), generation) << "a cap is no generation";
  EXPECT_EQ(members(kPool), "abc");

  pass(97s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "abc");
  pass(1s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(cap(), std::nullopt) << "the configured TTL has returned by itself";
  EXPECT_EQ(horizon_in("b"), 2) << "the planned moment";
  EXPECT_EQ(view("b").holds.front().origin, Origin::Schedule);
  EXPECT_EQ(view("b").holds.front().reason, "patch");
  pass(2s, {"a", "b", "c"});
  EXPECT_EQ(view("b").status, Status::Drained);
  EXPECT_THAT(authority->schedules(), IsEmpty());
}

// The disk was full at that moment. Nobody who could ask again waits for a reply.
TEST_F(Schedules, APlanWhoseTimeComesWhileTheStoreFailsIsWrittenOnceItWorksAgain) {
  start();
  all_up();
  ASSERT_TRUE(*plan("b", base::Duration(100s)));
  store.failure = "disk full";
  pass(98s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_THAT(store.disk.holds, IsEmpty());
  EXPECT_THAT(store.disk.schedules, SizeIs(1));
  store.failure.reset();
  pass(1s, {"a", "b", "c"});
  EXPECT_THAT(store.disk.holds, SizeIs(1));
  EXPECT_THAT(store.disk.schedules, IsEmpty());
  EXPECT_THAT(codes(view("b").verdict), ::testing::Not(Contains("hold-not-durable")));
  clock.wall -= 24h;  // a plan on disk would be one for tomorrow
  restart();
  EXPECT_EQ(members(kPool), "ac");
}

TEST_F(Schedules, WhatIsLiftedBeforeTheStoreHasItDoesNotComeBackWithItsPlan) {
  start();
  all_up();
  ASSERT_TRUE(*plan("b", base::Duration(100s)));
  store.failure = "disk full";
  pass(98s, {"a", "b", "c"});
  store.failure.reset();
  EXPECT_TRUE(**resume("b"));
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_THAT(store.disk.schedules, IsEmpty());
  pass(10s, {"a", "b", "c"});
  restart();
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(Schedules, ARefusedPlanThatTheStoreKeptIsErasedOnceItWorksAgain) {
  start();
  all_up();
  ASSERT_TRUE(*plan("b", base::Duration(100s)));
  ASSERT_TRUE(*drain("a"));
  ASSERT_TRUE(*drain("c"));
  store.failure = "disk full";
  pass(98s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "b");
  store.failure.reset();
  pass(1s, {"a", "b", "c"});
  EXPECT_THAT(store.disk.schedules, IsEmpty());
}

TEST_F(Schedules, ResolversThatKeepAnswersForTheirOwnTimeAreWaitedFor) {
  config::Config with = test_config();
  with.health.resolver_min_ttl = 20s;
  start(with);
  all_up();
  const auto planned = plan("b", base::Duration(100s));
  EXPECT_EQ((*planned)->leaves_at, clock.wall + 78s);
  pass(78s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(horizon_in("b"), 22);
}

TEST_F(Schedules, ADrainThatIsTooNearSaysUntilWhenCachesMayNameIt) {
  start();
  all_up();
  const auto planned = plan("b", base::Duration(10s));
  ASSERT_TRUE(planned && *planned);
  EXPECT_THAT((*planned)->warnings, Contains(HasSubstr("caches may name it until")));
  pass(8s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(horizon_in("b"), 24) << "what was sent before the plan lives 30 s and a margin of 2";
}

TEST_F(Schedules, AnotherServersHorizonProfitsFromTheCapToo) {
  start();
  all_up();
  ASSERT_TRUE(*plan("b", base::Duration(40s)));
  pass(35s, {"a", "b", "c"});
  ASSERT_TRUE(*drain("a"));
  EXPECT_EQ(horizon_in("a"), 5) << "3 s of TTL were left, and the margin";
}

TEST_F(Schedules, ACapThatIsLiftedIsForgottenByTheHorizon) {
  start();
  all_up();
  const auto planned = plan("b", base::Duration(40s));
  pass(35s, {"a", "b", "c"});
  ASSERT_TRUE(*cancel((*planned)->id));
  EXPECT_EQ(cap(), std::nullopt);
  pass(1s, {"a", "b", "c"});
  ASSERT_TRUE(*drain("b"));
  EXPECT_EQ(horizon_in("b"), 32);
}

TEST_F(Schedules, OfSeveralPlansTheEarliestCapsAndEachHasItsTime) {
  start();
  all_up();
  ASSERT_TRUE(*plan("b", base::Duration(100s)));
  ASSERT_TRUE(*plan("a", base::Duration(60s)));
  DrainRequest call_park = of("c");
  call_park.service = "call-park";
  ASSERT_TRUE(*plan(call_park, base::Duration(30s)));
  EXPECT_EQ(cap(), base::Duration(58s));
  EXPECT_EQ(cap(kCallPark), base::Duration(28s));
  pass(28s, {"a", "b", "c"});
  EXPECT_EQ(members(kCallPark), "ab");
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_EQ(cap(kCallPark), base::Duration(30s));
  pass(30s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "bc");
  EXPECT_EQ(cap(), base::Duration(40s));
}

TEST_F(Schedules, TheFloorIsAskedWhenTheTimeHasCome) {
  start();
  all_up();
  const auto planned = plan("b", base::Duration(40s));
  ASSERT_TRUE(*planned);
  ASSERT_TRUE(*drain("a"));
  ASSERT_TRUE(*drain("c"));
  pass(40s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "b") << "the last one stays";
  EXPECT_EQ(cap(), std::nullopt);
  EXPECT_THAT(events, Contains(Field(&Event::type, EventType::Refusal)));
  EXPECT_THAT(store.disk.schedules, IsEmpty());
}

TEST_F(Schedules, AHiddenHostRecordIsCappedAndCountsToo) {
  start();
  all_up();
  DrainRequest hidden = of("b");
  hidden.hide_host = true;
  ASSERT_TRUE(*plan(hidden, base::Duration(50s)));
  ASSERT_THAT(publisher.current->leaving_hosts, SizeIs(1));
  EXPECT_EQ(publisher.current->leaving_hosts.front().not_after, clock.mono + 48s);
  pass(48s, {"a", "b", "c"});
  EXPECT_THAT(publisher.current->hidden_hosts, ElementsAre(1));
  EXPECT_THAT(publisher.current->leaving_hosts, IsEmpty());
  EXPECT_EQ(horizon_in("b"), 2);
}

TEST_F(Schedules, SurviveAKillAndKeepTheirHorizon) {
  start();
  all_up();
  ASSERT_TRUE(*plan("b", base::Duration(100s)));
  pass(90s, {"a", "b", "c"});
  restart();
  EXPECT_EQ(cap(), base::Duration(8s)) << "from the first packet on";
  all_up();
  pass(8s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(horizon_in("b"), 2) << "the process before had capped it for long enough";
}

TEST_F(Schedules, APlanDoesNotShortenTheHorizonOfAHoldAcrossARestart) {
  start();
  all_up();
  ASSERT_TRUE(*plan("b", base::Duration(40s)));
  ASSERT_TRUE(*drain("b"));
  const auto horizon = view("b").cache_horizon;
  ASSERT_EQ(horizon, clock.wall + 32s);
  pass(20s, {"a", "b", "c"});
  restart();
  EXPECT_EQ(view("b").cache_horizon, horizon);
}

TEST_F(Schedules, ATimeThatPassedWhileTheAuthorityWasAwayTakesEffectAtItsStart) {
  start();
  all_up();
  ASSERT_TRUE(*plan("b", base::Duration(100s)));
  clock.advance(200s);
  restart();
  EXPECT_EQ(members(kPool), "ac") << "in the first publication already";
  EXPECT_THAT(store.disk.holds, SizeIs(1));
  EXPECT_THAT(store.disk.schedules, IsEmpty());
}

TEST_F(Schedules, ThePastIsRefusedWithTheMember) {
  start();
  all_up();
  const auto at = plan("b", clock.wall - 1s);
  ASSERT_TRUE(at && !*at);
  EXPECT_EQ(at->error().member, "at");
  DrainRequest ending = of("b");
  ending.expires = clock.wall + 5s;
  const auto expires = plan(ending, base::Duration(10s));
  ASSERT_TRUE(expires && !*expires);
  EXPECT_EQ(expires->error().member, "expires");
}

// Beyond what the monotonic clock can count it would have been the past.
TEST_F(Schedules, ATimeThatIsCenturiesAwayIsRefusedAndNeitherHoldsNorLiftsAtOnce) {
  start();
  all_up();
  const base::WallTime far = clock.wall + std::chrono::years(400);
  const auto at = plan("b", far);
  ASSERT_TRUE(at && !*at);
  EXPECT_EQ(at->error().member, "at");
  EXPECT_EQ(members(kPool), "abc");
  DrainRequest ending = of("b");
  ending.expires = far;
  const auto drained = drain(ending);
  ASSERT_TRUE(drained && !*drained);
  EXPECT_EQ(drained->error().member, "expires");
  ending.expires = clock.wall + std::chrono::years(99);
  ASSERT_TRUE(*drain(ending));
  pass(5s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
}

TEST_F(Schedules, APlanThatTheStoreDidNotTakeIsNone) {
  start();
  all_up();
  store.failure = "disk full";
  const auto planned = plan("b", base::Duration(40s));
  ASSERT_TRUE(planned && !*planned);
  EXPECT_EQ(planned->error().kind, Refusal::Kind::StoreFailed);
  EXPECT_FALSE(planned->error().in_force);
  EXPECT_THAT(authority->schedules(), IsEmpty());
  EXPECT_EQ(cap(), std::nullopt);
}

TEST_F(Schedules, ACancelledPlanIsForgottenOnDiskFirst) {
  start();
  all_up();
  const auto planned = plan("b", base::Duration(40s));
  store.failure = "disk full";
  const auto failed = cancel((*planned)->id);
  ASSERT_TRUE(failed && !*failed);
  EXPECT_EQ(failed->error().kind, Refusal::Kind::StoreFailed);
  EXPECT_THAT(authority->schedules(), SizeIs(1));
  store.failure.reset();
  ASSERT_TRUE(*cancel((*planned)->id));
  EXPECT_THAT(store.disk.schedules, IsEmpty());
  pass(60s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_FALSE(*cancel((*planned)->id)) << "there is no such schedule any more";
}

TEST_F(Schedules, AHoldThatExpiresIsLiftedByItself) {
  start();
  all_up();
  DrainRequest request = of("b");
  request.expires = base::Duration(60s);
  ASSERT_TRUE(*drain(request));
  ASSERT_THAT(authority->schedules(), SizeIs(1));
  EXPECT_EQ(authority->schedules().front().kind, ScheduleView::Kind::Expiry);
  pass(59s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  pass(1s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_THAT(store.disk.holds, IsEmpty());
  EXPECT_THAT(events, Contains(Field(&Event::type, EventType::Expire)));
}

TEST_F(Schedules, AHoldThatANewInstanceReleasedEndsNothingLater) {
  start();
  all_up();
  DrainRequest request = of("a");
  request.expires = base::Duration(10s);
  ASSERT_TRUE(*drain(request));
  push("a", up("i2"));
  EXPECT_EQ(members(kPool), "abc") << "startup automatic";
  EXPECT_THAT(authority->schedules(), IsEmpty());
  pass(12s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(Schedules, AHoldThatAlarmsStands) {
  start();
  all_up();
  DrainRequest request = of("b");
  request.expires = base::Duration(60s);
  request.then = Then::Alarm;
  ASSERT_TRUE(*drain(request));
  pass(70s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_TRUE(view("b").holds.front().expiry->alarmed);
  EXPECT_EQ(std::ranges::count(events, EventType::Alarm, &Event::type), 1);
  restart();
  all_up();
  pass(10s, {"a", "b", "c"});
  EXPECT_EQ(std::ranges::count(events, EventType::Alarm, &Event::type), 1) << "told once";
  EXPECT_EQ(figures().holds_alarming, 1U);
}

TEST_F(Schedules, AnExpiryThatIsCancelledLeavesTheHoldForGood) {
  start();
  all_up();
  DrainRequest request = of("b");
  request.expires = base::Duration(60s);
  ASSERT_TRUE(*drain(request));
  ASSERT_TRUE(*cancel(authority->schedules().front().id));
  pass(120s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_FALSE(store.disk.holds.front().expiry);
}

TEST_F(Schedules, AnExpirySurvivesAKill) {
  start();
  all_up();
  DrainRequest request = of("b");
  request.expires = base::Duration(60s);
  ASSERT_TRUE(*drain(request));
  pass(30s, {"a", "b", "c"});
  restart();
  all_up();
  pass(29s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  pass(2s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(Schedules, TwoThatOverlapHoldToTheLaterEnd) {
  start();
  all_up();
  DrainRequest first = of("b");
  first.expires = base::Duration(60s);
  ASSERT_TRUE(*plan(first, base::Duration(40s)));  // holds until 100 s
  DrainRequest second = of("b");
  second.expires = base::Duration(100s);
  ASSERT_TRUE(*plan(second, base::Duration(80s)));  // until 180 s
  pass(120s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  pass(58s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  pass(4s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(Schedules, AWallClockThatJumpsMovesWhatWasSaidByItAndNothingElse) {
  start();
  all_up();
  ASSERT_TRUE(*plan("a", base::Duration(100s)));
  DrainRequest request = of("c");
  request.expires = base::Duration(100s);
  ASSERT_TRUE(*drain(request));
  ASSERT_TRUE(*plan("b", clock.wall + 2h));
  clock.wall += 1h;
  pass(2s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ab") << "so long from now is so long";
  EXPECT_EQ(cap(), base::Duration(96s));
  clock.wall += 1h;
  pass(1s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "a") << "it is two o'clock";
  EXPECT_EQ(horizon_in("b"), 32) << "what was sent lives on: a TTL of 30 s, the margin of 2";
}

TEST_F(Schedules, AResumeEndsAPlannedHoldToo) {
  start();
  all_up();
  DrainRequest request = of("b");
  request.expires = base::Duration(1h);
  ASSERT_TRUE(*plan(request, base::Duration(10s)));
  pass(10s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  ASSERT_TRUE(**resume("b"));
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_THAT(authority->schedules(), IsEmpty());
}

TEST_F(Schedules, APlanOfAServerThatAReloadDroppedHoldsWhenTheNameReturns) {
  start();
  all_up();
  ASSERT_TRUE(*plan("c", base::Duration(20s)));
  authority->reconfigure(std::make_shared<Topology>(test_config({"a", "b"})), config.health);
  served();
  pass(30s, {"a", "b"});
  authority->reconfigure(std::make_shared<Topology>(config), config.health);
  served();
  push("c", up());
  EXPECT_EQ(members(kPool), "ab");
}

TEST_F(Schedules, AReloadAmidThePlanDoesNotLengthenWhatCachesKeep) {
  start();
  all_up();
  DrainRequest hidden = of("b");
  hidden.hide_host = true;
  ASSERT_TRUE(*plan(hidden, base::Duration(100s)));
  pass(90s, {"a", "b", "c"});
  config.pools.front().ttl = 60s;
  authority->reconfigure(std::make_shared<Topology>(config), config.health);
  served();
  EXPECT_EQ(cap(), base::Duration(8s));
  pass(8s, {"a", "b", "c"});
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(horizon_in("b"), 2);
}

TEST_F(Schedules, APlanThatIsCancelledBeforeItIsOnDiskStaysCancelled) {
  start();
  all_up();
  store.immediate = false;
  const auto planned = std::make_shared<Planned>();
  authority->plan({of("b"), base::Duration(100s)}, {"operations", "test"},
                  [planned](Outcome<ScheduleView> outcome) { *planned = std::move(outcome); });
  served();
  const auto cancelled = std::make_shared<Planned>();
  authority->cancel(1, {"operations", "test"}, [cancelled](Outcome<ScheduleView> outcome) {
    *cancelled = std::move(outcome);
  });
  store.flush();
  store.flush();
  ASSERT_TRUE(*cancelled && **cancelled);
  EXPECT_THAT(store.disk.schedules, IsEmpty());
}

TEST_F(Schedules, NumbersAreNeverUsedTwice) {
  start();
  all_up();
  const auto first = plan("a", base::Duration(1h));
  ASSERT_TRUE(*cancel((*first)->id));
  restart();
  all_up();
  EXPECT_GT((*plan("a", base::Duration(1h)))->id, (*first)->id);
}

TEST_F(Schedules, AMemberThatIsInIsExplainedWithItsPlan) {
  start();
  all_up();
  ASSERT_TRUE(*plan("b", base::Duration(1h)));
  const auto explanation = authority->explain("pool.example");
  EXPECT_THAT(explanation->members[1].text, HasSubstr("(schedule 1 by operations)"));
  EXPECT_THAT(explanation->members[0].text, ::testing::Not(HasSubstr("schedule")));
}

}  // namespace
}  // namespace sluice::health::testing
