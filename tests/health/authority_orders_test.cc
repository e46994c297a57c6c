// Drain, resume, force: semantics.md sections 1, 3, 5 and 8.

#include "gmock/gmock.h"

#include "tests/health/fixture.h"

namespace sluice::health::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(AuthorityTest, ADrainedServerLeavesEveryAnswerSetInOneGeneration) {
  start();
  all_up();
  const std::uint64_t before = authority->generation();
  const auto reply = drain("b");
  ASSERT_TRUE(reply && *reply);
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(members(kSrv), "ac");
  EXPECT_EQ(members(kCallPark), "ac");
  EXPECT_EQ((*reply)->generation, before + 1);
  EXPECT_THAT((*reply)->confirmed_by, ElementsAre("ns1"));
  EXPECT_THAT((*reply)->unconfirmed, IsEmpty());
  EXPECT_EQ((*reply)->cache_horizon, clock.wall + 32s) << "TTL 30 s and the margin of 2 s";
}

TEST_F(AuthorityTest, ADrainedServiceReroutesOnlyWhatFollowsIt) {
  start();
  all_up();
  ASSERT_TRUE(drain("b", "call-park"));
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_EQ(members(kCallPark), "ac");
}

TEST_F(AuthorityTest, AnAcknowledgementWaitsForEveryWorkerAndForTheDisk) {
  start();
  all_up();
  store.immediate = false;
  std::optional<Outcome<DrainReply>> reply;
  authority->drain({"b.pool.example", {}, "", {}, false, false, {}, Then::Lift}, {},
                   [&](Outcome<DrainReply> outcome) { reply = std::move(outcome); });
  EXPECT_EQ(members(kPool), "ac") << "the answer changes first";
  EXPECT_FALSE(reply);
  store.flush();
  EXPECT_FALSE(reply) << "a worker may still answer by the old generation";
  served();
  EXPECT_TRUE(reply && *reply);

  reply.reset();
  authority->drain({"a.pool.example", {}, "", {}, false, false, {}, Then::Lift}, {},
                   [&](Outcome<DrainReply> outcome) { reply = std::move(outcome); });
  served();
  EXPECT_FALSE(reply) << "not durable yet";
  store.flush();
  EXPECT_TRUE(reply && *reply);
}

TEST_F(AuthorityTest, DrainOfADrainedServerIsTheSameHold) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  const auto holds = view("b").holds;
  const std::uint64_t generation = authority->generation();
  clock.advance(5s);
  const auto again = drain("b");
  ASSERT_TRUE(again && *again);
  EXPECT_EQ(authority->generation(), generation);
  EXPECT_EQ(view("b").holds.front().since, holds.front().since);
  EXPECT_THAT((*again)->warnings, Contains("the hold stood already, nothing changed"));
}

TEST_F(AuthorityTest, ADrainOfAHeldServerSaysWhatWasNotApplied) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  DrainRequest other;
  other.server = "b.pool.example";
  other.reason = "other";
  other.startup = config::Startup::Manual;
  const auto again = drain(other);
  ASSERT_TRUE(again && *again);
  EXPECT_THAT(
      (*again)->warnings,
      Contains(HasSubstr("nothing changed: reason, startup were NOT applied; to change the "
                         "hold, resume first, which lets clients in until the next drain")));
  EXPECT_THAT((*again)->warnings, Not(Contains(HasSubstr("--startup manual"))))
      << "it was just asked for";
  EXPECT_EQ(view("b").holds.front().reason, "patch");
}

TEST_F(AuthorityTest, AMistypedServiceIsGuessed) {
  start();
  all_up();
  const auto refused = drain("b", "call-prak");
  ASSERT_TRUE(refused && !*refused);
  EXPECT_THAT(refused->error().detail, HasSubstr("; did you mean \"call-park\"?"));
  EXPECT_EQ(members(kCallPark), "abc");
}

TEST_F(AuthorityTest, AForceThatLeavesNobodyWarns) {
  start(test_config({"a", "b"}));
  all_up();
  EXPECT_THAT(force("a", Health::Down), IsEmpty());
  const auto warnings = force("b", Health::Down);
  EXPECT_EQ(fallback(kPool), Fallback::NoData);
  EXPECT_THAT(warnings, Contains(HasSubstr("no accepting member is left; answered by fallback: ")));
  EXPECT_THAT(warnings, Contains("below the floor: forced"));
  EXPECT_THAT(authority->pool("pool.example")->warnings,
              Contains("pool.example has no server to name: answers are empty (when_all_held: "
                       "nodata)"));
  EXPECT_THAT(force("b", std::nullopt), IsEmpty());
}

TEST_F(AuthorityTest, TheFloorRefusesNamingRuleAnswerSetAndNumbers) {
  config::Config two = test_config();
  two.pools.front().min_accepting = 2;
  start(two);
  all_up();
  ASSERT_TRUE(*drain("a"));
  const auto refused = drain("b");
  ASSERT_TRUE(refused && !*refused);
  EXPECT_EQ(refused->error().rule, "floor");
  EXPECT_EQ(refused->error().answer_set, "pool.example");
  EXPECT_EQ(refused->error().numbers.at("would_leave"), 1U);
  EXPECT_EQ(members(kPool), "bc") << "a refusal changes nothing";
  EXPECT_THAT(view("b").holds, IsEmpty());
}

TEST_F(AuthorityTest, ForceOverridesTheFloorAndIsRecordedOnTheHold) {
  start(test_config({"a"}));
  all_up();
  ASSERT_FALSE(*drain("a"));
  const auto forced = drain("a", {}, true);
  ASSERT_TRUE(forced && *forced);
  EXPECT_TRUE(view("a").holds.front().forced);
  EXPECT_EQ(fallback(kPool), Fallback::NoData);
  EXPECT_THAT((*forced)->warnings, ::testing::Contains(HasSubstr("below the floor")));
  EXPECT_THAT(view("a").verdict.warnings, ::testing::Contains(HasSubstr("below its floor")));
}

TEST_F(AuthorityTest, DrainingAServerThatIsOutAlreadyIsNeverRefused) {
  start(test_config({"a", "b"}));
  all_up();
  Heartbeat down = up();
  for (auto& [service, report] : down.services) report.health = Health::Down;
  push("b", down);
  EXPECT_EQ(members(kPool), "a");
  EXPECT_TRUE(*drain("b"));
  EXPECT_FALSE(*drain("a"));
}

TEST_F(AuthorityTest, MembersByNeverEmptyAreNotCountedByTheFloor) {
  start(test_config({"a", "b"}));
  Heartbeat down = up();
  for (auto& [service, report] : down.services) report.health = Health::Down;
  push("a", down);
  down.seq = ++seq;
  push("b", down);
  EXPECT_EQ(fallback(kPool), Fallback::NeverEmpty);
  EXPECT_EQ(members(kPool), "ab");
  EXPECT_TRUE(*drain("a")) << "out by rules 2 to 5: never refused";
}

TEST_F(AuthorityTest, AComponentOfAConsolidatedServiceIsRefusedNamingTheService) {
  start();
  all_up();
  const auto refused = drain("b", "registrar");
  ASSERT_TRUE(refused && !*refused);
  EXPECT_EQ(refused->error().rule, "consolidated");
  EXPECT_THAT(refused->error().detail, HasSubstr("drain front-end"));
}

TEST_F(AuthorityTest, UnknownServersAndServicesAreToldApart) {
  start();
  EXPECT_EQ(drain("nobody")->error().kind, Refusal::Kind::NotFound);
  const auto service = drain("a", "nothing");
  EXPECT_EQ(service->error().kind, Refusal::Kind::BadInput);
  EXPECT_EQ(service->error().member, "service");
}

TEST_F(AuthorityTest, ResumeLiftsAndTheServerIsBack) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  const auto reply = resume("b");
  ASSERT_TRUE(*reply && **reply);
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_THAT(store.disk.holds, IsEmpty());
}

TEST_F(AuthorityTest, LiftingTheServersHoldLeavesAServicesHoldInPlace) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  ASSERT_TRUE(*drain("b", "call-park"));
  const auto reply = resume("b");
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_EQ(members(kCallPark), "ac");
  EXPECT_THAT((**reply)->warnings, ElementsAre(HasSubstr("call-park on b.pool.example")));
}

TEST_F(AuthorityTest, ResumeOfADownServerLiftsTheHoldAndItStaysOut) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  Heartbeat down = up();
  for (auto& [service, report] : down.services) report.health = Health::Down;
  push("b", down);
  ASSERT_TRUE(**resume("b"));
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(view("b").status, Status::Down);
}

TEST_F(AuthorityTest, AFailedStoreLeavesTheHoldInForceAndARetryIsHarmless) {
  start();
  all_up();
  store.failure = "database or disk is full";
  const auto failed = drain("b");
  ASSERT_TRUE(failed && !*failed);
  EXPECT_EQ(failed->error().kind, Refusal::Kind::StoreFailed);
  EXPECT_TRUE(failed->error().in_force);
  EXPECT_THAT(failed->error().detail, HasSubstr("disk is full"));
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_THAT(codes(view("b").verdict), ::testing::Contains("hold-not-durable"));

  store.failure.reset();
  const auto retried = drain("b");
  ASSERT_TRUE(retried && *retried);
  EXPECT_EQ(store.disk.holds.size(), 1U);
  EXPECT_THAT(codes(view("b").verdict), ::testing::Not(::testing::Contains("hold-not-durable")));
}

TEST_F(AuthorityTest, AHoldThatTheStoreFailedIsWrittenOnceItWorksAgain) {
  start();
  all_up();
  store.failure = "database or disk is full";
  ASSERT_FALSE(*drain("b"));
  store.failure.reset();
  pass(1s, {"a", "b", "c"});
  EXPECT_EQ(store.disk.holds.size(), 1U);
  EXPECT_THAT(codes(view("b").verdict), ::testing::Not(::testing::Contains("hold-not-durable")));
  restart();
  EXPECT_EQ(members(kPool), "ac");
}

TEST_F(AuthorityTest, AResumeThatTheStoreFailsLiftsNothing) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  store.failure = "disk I/O error";
  const auto reply = resume("b");
  ASSERT_TRUE(*reply && !**reply);
  EXPECT_TRUE((*reply)->error().in_force);
  EXPECT_EQ(members(kPool), "ac");
  store.failure.reset();
  EXPECT_TRUE(**resume("b"));
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(AuthorityTest, ADrainDuringAResumeWins) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  store.immediate = false;
  const auto resumed = resume("b");
  EXPECT_FALSE(*resumed) << "the erasure is not on disk";
  std::optional<Outcome<DrainReply>> drained;
  authority->drain({"b.pool.example", {}, "again", {}, false, false, {}, Then::Lift}, {},
                   [&](Outcome<DrainReply> outcome) { drained = std::move(outcome); });
  store.flush();
  served();
  ASSERT_TRUE(drained && *drained);
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(store.disk.holds.size(), 1U) << "an acknowledged hold is on disk";
}

TEST_F(AuthorityTest, WhatIsPersistedDuringAResumeDoesNotBringTheHoldBack) {
  start();
  all_up();
  std::optional<Outcome<DrainReply>> drained;
  authority->drain({"b.pool.example", {}, "", {}, false, false, {}, Then::Lift}, {},
                   [&](Outcome<DrainReply> outcome) { drained = std::move(outcome); });
  store.immediate = false;
  authority->resume("b.pool.example", {}, {}, [](const Outcome<ResumeReply>&) {});
  served();  // the horizon is known now, and would go to disk with the hold
  store.flush();
  served();
  EXPECT_THAT(store.disk.holds, IsEmpty());
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(AuthorityTest, HideHostTakesTheHostRecordOutAndCountsForTheHorizon) {
  start();
  all_up();
  clock.advance(60s);
  DrainRequest request;
  request.server = "b.pool.example";
  request.hide_host = true;
  ASSERT_TRUE(*drain(request));
  EXPECT_THAT(publisher.current->hidden_hosts, ElementsAre(1U));
  EXPECT_THAT(publisher.changed_hosts, ElementsAre(1U));
  EXPECT_TRUE(authority->server("b.pool.example")->host_hidden);
  ASSERT_TRUE(**resume("b"));
  EXPECT_THAT(publisher.current->hidden_hosts, IsEmpty());
}

TEST_F(AuthorityTest, WarnsThatARestartLiftsAnAutomaticHold) {
  start();
  all_up();
  EXPECT_THAT((*drain("b"))->warnings, ::testing::Contains(HasSubstr("--startup manual")));
  DrainRequest request;
  request.server = "a.pool.example";
  request.startup = config::Startup::Manual;
  EXPECT_THAT((*drain(request))->warnings, IsEmpty());
}

TEST_F(AuthorityTest, WhenAllHeldServesHeldOnesAndTheirVerdictTurnsRed) {
  config::Config serving = test_config({"a"});
  serving.pools.front().when_all_held = config::WhenAllHeld::ServeHeld;
  serving.pools.front().min_accepting = 0;
  start(serving);
  all_up();
  ASSERT_TRUE(*drain("a"));
  EXPECT_EQ(members(kPool), "a");
  EXPECT_EQ(fallback(kPool), Fallback::ServeHeld);
  EXPECT_THAT(codes(view("a").verdict), ::testing::Contains("served-while-held"));
  EXPECT_FALSE(view("a").cache_horizon) << "it is named: the horizon starts anew";
}

TEST_F(AuthorityTest, ForceIsShownAndUnforceLetsTheTruthThrough) {
  start();
  all_up();
  force("b", Health::Down);
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(view("b").forced, Health::Down);
  EXPECT_EQ(view("b").status, Status::Accepting) << "the measured state is kept apart";
  restart();
  all_up();
  EXPECT_EQ(members(kPool), "ac") << "forces survive restarts";
  force("b", std::nullopt);
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(AuthorityTest, TwoDrainsRaceForTheLastTwoServersAndExactlyOneWins) {
  start(test_config({"a", "b"}));
  all_up();
  std::vector<bool> won;
  for (const char* server : {"a.pool.example", "b.pool.example"}) {
    authority->drain(
        {server, {}, "", {}, false, false, {}, Then::Lift}, {},
        [&](const Outcome<DrainReply>& outcome) { won.push_back(outcome.has_value()); });
  }
  served();
  EXPECT_THAT(won, ::testing::UnorderedElementsAre(true, false));
}

TEST_F(AuthorityTest, AHoldThatHidesTheHostKnowsNoHorizonBeforeTheHostIsOut) {
  start();
  all_up();
  Heartbeat stopped = up();
  for (auto& [service, report] : stopped.services) report.health = Health::Stopped;
  push("b", stopped);
  pass(60s, {"a", "c"});  // out of the answers, and out of every cache
  DrainRequest request;
  request.server = "b.pool.example";
  request.hide_host = true;
  authority->drain(request, {}, [](const Outcome<DrainReply>&) {});
  restart();  // before any worker served it
  EXPECT_EQ(view("b").cache_horizon, clock.wall + 32s) << "the host record was named until now";
}

TEST_F(AuthorityTest, ALiftOfAnUnacknowledgedHoldWaitsForTheErasureOfAnOlderOne) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  Heartbeat restarted = up();
  restarted.services.at("call-park").instance = "i2";
  push("b", restarted);  // released in part: the next drain places the hold anew
  store.failure = "disk I/O error";
  ASSERT_FALSE(*drain("b"));
  const auto failed = resume("b");
  ASSERT_TRUE(*failed && !**failed) << "the older hold is still on disk";
  EXPECT_FALSE((*failed)->error().in_force);
  EXPECT_EQ(members(kPool), "abc");
  store.failure.reset();
  ASSERT_TRUE(**resume("b"));
}

TEST_F(AuthorityTest, OfTwoResumesTheFirstThatIsOnDiskLifts) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  store.immediate = false;
  const auto first = resume("b");
  const auto second = resume("b");
  store.flush(1);
  served();
  ASSERT_TRUE(*first && **first);
  EXPECT_EQ(members(kPool), "abc");
  store.failure = "disk I/O error";
  store.flush();
  store.failure.reset();
  store.immediate = true;
  EXPECT_THAT(store.disk.holds, IsEmpty());
  ASSERT_TRUE(*drain("b"));
  EXPECT_EQ(store.disk.holds.size(), 1U) << "acknowledged: on disk";
}

TEST_F(AuthorityTest, AFeatureHasAFloorOfItsOwn) {
  config::Config with = test_config();
  with.pools.front().min_accepting = 1;
  with.pools.front().features.front().min_accepting = 3;
  start(with);
  all_up();
  const auto refused = drain("a");
  ASSERT_TRUE(refused && !*refused);
  EXPECT_EQ(refused->error().answer_set, "call-park.pool.example");
  EXPECT_EQ(refused->error().numbers.at("min_accepting"), 3U);
  EXPECT_TRUE(*drain("a", "front-end")) << "touches other answer sets alone";
  ASSERT_TRUE(*drain("a", "call-park", true));
  EXPECT_THAT(view("a", "call-park").verdict.warnings,
              ::testing::Contains(HasSubstr("below its floor of 3")));
  EXPECT_TRUE(view("a", "call-park").holds.front().forced);
}

TEST_F(AuthorityTest, AFloorMayBeAPercentageOrATableBySize) {
  config::Config with = test_config({"a", "b", "c", "d", "e"});
  config::MinAccepting half(50);
  half.kind = config::MinAccepting::Kind::Percentage;
  with.pools.front().min_accepting = half;  // 3 of 5
  config::MinAccepting table;
  table.kind = config::MinAccepting::Kind::Table;
  table.by_size = {{3, 2}, {5, 4}, {7, 5}};
  with.pools.front().features.front().min_accepting = table;
  start(with);
  all_up();
  EXPECT_EQ(authority->pool("pool.example")->answer_sets[0].min_accepting, 3U);
  EXPECT_EQ(authority->pool("pool.example")->answer_sets[2].min_accepting, 4U);
  ASSERT_TRUE(*drain("a"));
  EXPECT_FALSE(*drain("b", "call-park"));
  ASSERT_TRUE(*drain("b", "front-end"));
  EXPECT_FALSE(*drain("c", "front-end"));
}

}  // namespace
}  // namespace sluice::health::testing
