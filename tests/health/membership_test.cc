#include "health/membership.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using config::WhenAllHeld;
using ::testing::ElementsAre;
using Claim = Standing::Claim;
using Ground = Standing::Ground;
using Forced = Standing::Forced;

Standing up() {
  return {false, Forced::No, Claim::Up, Ground::Pushed};
}
Standing down() {
  return {false, Forced::No, Claim::Down, Ground::Pushed};
}
Standing unknown() {
  return {};
}
Standing held(Standing standing) {
  standing.held = true;
  return standing;
}
Standing forced(Standing standing, Forced how) {
  standing.forced = how;
  return standing;
}

TEST(Membership, WhoSaysUpIsIn) {
  const Standing standings[] = {up(), down(), unknown()};
  const Decision decision = decide(standings, WhenAllHeld::NoData);
  EXPECT_THAT(decision.rules, ElementsAre(Rule::Accepting, Rule::Down, Rule::Unknown));
  EXPECT_EQ(decision.fallback, Fallback::None);
  EXPECT_EQ(decision.accepting, 1U);
}

TEST(Membership, NothingBringsAHeldOneBack) {
  EXPECT_EQ(rule_for(held(up())), Rule::Hold);
  EXPECT_EQ(rule_for(held(forced(up(), Forced::Up))), Rule::Hold);
  EXPECT_EQ(rule_for(held(forced(down(), Forced::Down))), Rule::Hold);
}

TEST(Membership, ForceOverridesTheClaim) {
  EXPECT_EQ(rule_for(forced(down(), Forced::Up)), Rule::ForcedUp);
  EXPECT_EQ(rule_for(forced(unknown(), Forced::Up)), Rule::ForcedUp);
  EXPECT_EQ(rule_for(forced(up(), Forced::Down)), Rule::ForcedDown);
}

TEST(Membership, GuardAndGraceKeepTheLastKnownHealth) {
  EXPECT_EQ(rule_for({false, Forced::No, Claim::Up, Ground::Guard}), Rule::Guard);
  EXPECT_EQ(rule_for({false, Forced::No, Claim::Up, Ground::Grace}), Rule::Grace);
  EXPECT_EQ(rule_for({false, Forced::No, Claim::Down, Ground::Guard}), Rule::Down);
  EXPECT_EQ(rule_for({false, Forced::No, Claim::Stopped, Ground::Grace}), Rule::Stopped);
}

TEST(Membership, NeverEmptyTakesTheUnhealthyButNeitherHeldNorForcedDown) {
  const Standing standings[] = {down(), held(up()), forced(up(), Forced::Down), unknown()};
  const Decision decision = decide(standings, WhenAllHeld::ServeHeld);
  EXPECT_EQ(decision.fallback, Fallback::NeverEmpty);
  EXPECT_THAT(decision.rules,
              ElementsAre(Rule::NeverEmpty, Rule::Hold, Rule::ForcedDown, Rule::NeverEmpty));
  EXPECT_EQ(decision.accepting, 0U) << "floors never count those that rule 6 brings";
}

TEST(Membership, WhenAllAreHeldThePoolsPolicyAnswers) {
  const Standing standings[] = {held(up()), held(down())};
  EXPECT_EQ(decide(standings, WhenAllHeld::NoData).fallback, Fallback::NoData);
  EXPECT_EQ(decide(standings, WhenAllHeld::Addresses).fallback, Fallback::Addresses);
  const Decision served = decide(standings, WhenAllHeld::ServeHeld);
  EXPECT_EQ(served.fallback, Fallback::ServeHeld);
  EXPECT_THAT(served.rules, ElementsAre(Rule::ServeHeld, Rule::Hold));
}

TEST(Membership, ServeHeldNeedsAnUpMemberWithACurrentLease) {
  const Standing guarded = held({false, Forced::No, Claim::Up, Ground::Guard});
  const Standing standings[] = {held(down()), held(unknown()), guarded,
                                held(forced(up(), Forced::Down))};
  EXPECT_EQ(decide(standings, WhenAllHeld::ServeHeld).fallback, Fallback::NoData);
}

TEST(Membership, NobodyAtAllIsNoData) {
  EXPECT_EQ(decide({}, WhenAllHeld::NoData).fallback, Fallback::NoData);
}

TEST(Membership, EveryRuleHasAWordAndASide) {
  for (int rule = 0; rule <= static_cast<int>(Rule::Unknown); ++rule) {
    EXPECT_STRNE(to_string(static_cast<Rule>(rule)), "");
  }
  EXPECT_TRUE(is_in(Rule::ServeHeld));
  EXPECT_FALSE(is_in(Rule::Hold));
}

}  // namespace
}  // namespace sluice::health
