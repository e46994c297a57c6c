// Servers that come back start slowly: `slow_start` of a pool.

#include "gmock/gmock.h"

#include "tests/health/fixture.h"

namespace sluice::health::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class SlowStartTest : public AuthorityTest {
 protected:
  static config::Config slow(base::Duration duration = 9s) {
    config::Config config = test_config();
    config.pools.front().slow_start = duration;
    return config;
  }
  void SetUp() override {
    start(slow());
    all_up();
  }
  void reload(const config::Config& with) {
    config = with;
    authority->reconfigure(std::make_shared<Topology>(config), config.health);
    served();
  }
  // Tenths of the weights of a, b and c in the answer set.
  std::vector<unsigned> weights(AnswerSetId set = kPool) const {
    const Members& members = publisher.current->answer_sets[set];
    std::vector<unsigned> tenths;
    for (const ServerId server : members.servers) tenths.push_back(members.tenths(server));
    return tenths;
  }
  void leave_and_return(const std::string& label) {
    ASSERT_TRUE(*drain(label));
    ASSERT_TRUE(**resume(label));
  }
  void pass_all(base::Duration duration) { pass(duration, {"a", "b", "c"}); }
};

TEST_F(SlowStartTest, NobodyComesBackWithTheAuthoritysStart) {
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_THAT(weights(), ElementsAre(10, 10, 10));
  restart();
  all_up();
  EXPECT_THAT(weights(), ElementsAre(10, 10, 10));
  EXPECT_EQ(publisher.adjusted, 0U);
}

TEST_F(SlowStartTest, AResumedServerGrowsFromATenthToTheWhole) {
  leave_and_return("b");
  for (unsigned tenths = 1; tenths < 10; ++tenths) {
    EXPECT_THAT(weights(), ElementsAre(10, tenths, 10));
    EXPECT_THAT(weights(kSrv), ElementsAre(10, tenths, 10));
    EXPECT_THAT(weights(kCallPark), ElementsAre(10, tenths, 10)) << "the whole server was held";
    pass_all(1s);
  }
  EXPECT_THAT(weights(), ElementsAre(10, 10, 10));
  const std::uint64_t publications = publisher.publications;
  pass_all(20s);
  EXPECT_EQ(publisher.publications, publications) << "then it is over";
}

TEST_F(SlowStartTest, StepsAreNeitherGenerationsNorManyPublications) {
  leave_and_return("b");
  const std::uint64_t generation = authority->generation();
  const std::uint64_t publications = publisher.publications;
  pass_all(20s);
  EXPECT_EQ(authority->generation(), generation);
  EXPECT_EQ(publisher.current->generation, generation);
  EXPECT_EQ(publisher.publications - publications, 9U);
  EXPECT_EQ(publisher.adjusted, 9U);
  EXPECT_THAT(publisher.changed, UnorderedElementsAre(kPool, kSrv, kCallPark));
}

TEST_F(SlowStartTest, EachStepIsADeadline) {
  leave_and_return("b");
  for (unsigned tenths = 2; tenths <= 10; ++tenths) {
    all_up();
    authority->tick();
    ASSERT_LE(*authority->next_deadline(), clock.mono + 1s);
    clock.advance(1s);
    authority->tick();
    EXPECT_THAT(weights(), ElementsAre(10, tenths, 10));
  }
}

TEST_F(SlowStartTest, HealthThatComesBackAndALeaseStartSlowlyToo) {
  Heartbeat down = up();
  for (auto& [service, report] : down.services) report.health = Health::Down;
  push("b", down);
  EXPECT_EQ(members(kPool), "ac");
  push("b", up());
  EXPECT_THAT(weights(), ElementsAre(10, 1, 10));
  pass_all(9s);
  pass(7s, {"a", "c"});
  EXPECT_EQ(members(kPool), "ac") << "b's lease ran out";
  push("b", up());
  EXPECT_THAT(weights(), ElementsAre(10, 1, 10));
  force("c", Health::Down);
  force("c", std::nullopt);
  EXPECT_THAT(weights(), ElementsAre(10, 1, 1));
}

TEST_F(SlowStartTest, OnlyTheServiceThatWasOutStartsSlowly) {
  ASSERT_TRUE(*drain("b", "call-park"));
  ASSERT_TRUE(**resume("b", "call-park"));
  EXPECT_THAT(weights(kPool), ElementsAre(10, 10, 10));
  EXPECT_THAT(weights(kCallPark), ElementsAre(10, 1, 10));
  pass_all(1s);
  EXPECT_THAT(publisher.changed, ElementsAre(kCallPark));
}

TEST_F(SlowStartTest, ASecondDepartureInTheMiddleBeginsAnew) {
  leave_and_return("b");
  pass_all(5s);
  EXPECT_THAT(weights(), ElementsAre(10, 6, 10));
  ASSERT_TRUE(*drain("b"));
  EXPECT_EQ(members(kPool), "ac");
  pass_all(2s);
  EXPECT_EQ(publisher.adjusted, 5U) << "nothing steps while it is out";
  ASSERT_TRUE(**resume("b"));
  for (unsigned tenths = 1; tenths <= 10; ++tenths) {
    EXPECT_THAT(weights(), ElementsAre(10, tenths, 10)) << "the first one's steps are forgotten";
    pass_all(1s);
  }
}

TEST_F(SlowStartTest, AnothersDepartureInTheMiddleLeavesItWhereItIs) {
  leave_and_return("b");
  pass_all(5s);
  const std::uint64_t generation = authority->generation();
  ASSERT_TRUE(*drain("a"));
  EXPECT_EQ(authority->generation(), generation + 1);
  EXPECT_THAT(weights(), ElementsAre(6, 10));
  pass_all(1s);
  EXPECT_THAT(weights(), ElementsAre(7, 10));
}

TEST_F(SlowStartTest, ADecisionBetweenStepsThatChangesNoMemberIsNoGeneration) {
  leave_and_return("b");
  const std::uint64_t generation = authority->generation();
  const std::uint64_t publications = publisher.publications;
  clock.advance(1500ms);
  force("b", Health::Up);  // its weight is due to grow, but that is for the step to publish
  EXPECT_EQ(authority->generation(), generation);
  EXPECT_EQ(publisher.publications, publications);
  authority->tick();
  EXPECT_EQ(authority->generation(), generation);
  EXPECT_THAT(weights(), ElementsAre(10, 2, 10));
}

TEST_F(SlowStartTest, WhatComesBackTogetherIsPublishedTogether) {
  for (const char* label : {"a", "b"}) {
    leave_and_return(label);
    clock.advance(10ms);
  }
  clock.advance(985ms);  // a's first step is due by 5 ms, b's is not yet
  authority->tick();
  EXPECT_THAT(weights(), ElementsAre(2, 1, 10));
  clock.advance(20ms);
  authority->tick();
  EXPECT_THAT(weights(), ElementsAre(2, 1, 10)) << "not so soon after the last one";
  EXPECT_GT(*authority->next_deadline(), clock.mono);
  clock.advance(80ms);
  authority->tick();
  EXPECT_THAT(weights(), ElementsAre(2, 2, 10));
}

TEST_F(SlowStartTest, MembersOfAFallbackHaveTheirWholeWeights) {
  for (const char* label : {"a", "b", "c"}) force(label, Health::Down);
  EXPECT_EQ(members(kPool), "");
  Heartbeat down = up();
  for (auto& [service, report] : down.services) report.health = Health::Down;
  for (const char* label : {"a", "b", "c"}) push(label, down);
  for (const char* label : {"a", "b", "c"}) force(label, std::nullopt);
  EXPECT_EQ(fallback(kPool), Fallback::NeverEmpty);
  EXPECT_THAT(weights(), ElementsAre(10, 10, 10));
  push("a", up());
  EXPECT_EQ(members(kPool), "a");
  push("b", up());
  EXPECT_THAT(weights(), ElementsAre(10, 1)) << "a was named all the time, b comes back";
}

TEST_F(SlowStartTest, AReloadInTheMiddleGoesOnUnderNewNumbers) {
  leave_and_return("b");
  pass_all(3s);
  config::Config with = test_config({"z", "b", "a", "c"});
  with.pools.front().slow_start = 9s;
  reload(with);
  push("z", up());
  EXPECT_EQ(members(kPool), "zbac");
  EXPECT_THAT(weights(), ElementsAre(10, 4, 10, 10)) << "z is new, with everything else";
  pass_all(1s);
  push("z", up());
  EXPECT_THAT(weights(), ElementsAre(10, 5, 10, 10));
  pass(5s, {"z", "a", "b", "c"});
  EXPECT_THAT(weights(), ElementsAre(10, 10, 10, 10));
}

TEST_F(SlowStartTest, AReloadMayChangeOrEndIt) {
  leave_and_return("b");
  pass_all(3s);
  reload(slow(18s));
  EXPECT_THAT(weights(), ElementsAre(10, 2, 10));
  pass_all(1s);
  EXPECT_THAT(weights(), ElementsAre(10, 3, 10)) << "4 of 18 s";
  reload(slow(0s));
  EXPECT_THAT(weights(), ElementsAre(10, 10, 10));
  reload(slow(9s));
  EXPECT_THAT(weights(), ElementsAre(10, 10, 10)) << "over is over";
  leave_and_return("b");
  reload(test_config({"a", "c"}));
  pass(2s, {"a", "c"});
  EXPECT_THAT(weights(), ElementsAre(10, 10));
}

TEST_F(SlowStartTest, WithoutItAServerComesBackAtOnce) {
  start(test_config());
  all_up();
  leave_and_return("b");
  EXPECT_THAT(weights(), ElementsAre(10, 10, 10));
}

TEST_F(SlowStartTest, ExplainTellsOfIt) {
  leave_and_return("b");
  pass_all(3s);
  const auto explanation = authority->explain("pool.example");
  EXPECT_THAT(explanation->members[1].text, HasSubstr("40 % of its weight"));
  EXPECT_THAT(explanation->members[0].text, ::testing::Not(HasSubstr("weight")));
}

TEST_F(SlowStartTest, ADrainIsAcknowledgedAcrossAStep) {
  leave_and_return("b");
  std::optional<Outcome<DrainReply>> reply;
  authority->drain({"c.pool.example", {}, "", {}, false, false, {}, Then::Lift}, {},
                   [&](Outcome<DrainReply> outcome) { reply = std::move(outcome); });
  clock.advance(1s);
  authority->tick();
  EXPECT_FALSE(reply);
  served();
  EXPECT_TRUE(reply && *reply);
}

}  // namespace
}  // namespace sluice::health::testing
