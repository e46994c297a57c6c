// A reload: what is known is kept by name (semantics.md section 8).

#include "gmock/gmock.h"

#include "tests/health/fixture.h"

namespace sluice::health::testing {
namespace {

class ReloadTest : public AuthorityTest {
 protected:
  void reload(const config::Config& with) {
    config = with;
    authority->reconfigure(std::make_shared<Topology>(config), config.health);
    served();
  }
};

TEST_F(ReloadTest, KeepsHealthHoldsAndSessionsUnderNewNumbers) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  const auto horizon = view("b").cache_horizon;
  reload(test_config({"z", "b", "a"}));
  EXPECT_EQ(members(kPool), "za") << "the pool's grace is not over: z, never known, counts as up";
  EXPECT_EQ(view("b").cache_horizon, horizon);
  EXPECT_EQ(view("a").status, Status::Accepting);
}

TEST_F(ReloadTest, HoldsOfADroppedServerAreOrphansAndInForceWhenItReturns) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  reload(test_config({"a", "c"}));
  ASSERT_EQ(authority->orphans().size(), 1U);
  EXPECT_EQ(authority->orphans().front().server, "b.pool.example");
  EXPECT_EQ(members(kPool), "ac");
  reload(test_config());
  EXPECT_TRUE(authority->orphans().empty());
  push("b", up());
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(view("b").holds.size(), 1U);
}

TEST_F(ReloadTest, AShorterTtlDoesNotShortenTheHorizonOfWhatWasServedBefore) {
  start();
  all_up();
  config::Config shorter = test_config();
  shorter.pools.front().ttl = 1s;
  reload(shorter);
  const base::WallTime reloaded = clock.wall;
  clock.advance(5s);
  const auto reply = drain("b");
  EXPECT_EQ((*reply)->cache_horizon, reloaded + 32s);
}

TEST_F(ReloadTest, ADrainThatWaitsAcrossAReloadIsAnswered) {
  start();
  all_up();
  std::optional<Outcome<DrainReply>> reply;
  authority->drain({"c.pool.example", {}, "", {}, false, false, {}, Then::Lift}, {},
                   [&](Outcome<DrainReply> outcome) { reply = std::move(outcome); });
  config::Config fewer = test_config({"a", "b"});
  authority->reconfigure(std::make_shared<Topology>(fewer), fewer.health);
  EXPECT_FALSE(reply);
  served();
  EXPECT_TRUE(reply && *reply);
}

TEST_F(ReloadTest, IsANewGeneration) {
  start();
  const std::uint64_t before = authority->generation();
  reload(test_config());
  EXPECT_EQ(authority->generation(), before + 1);
}

TEST_F(ReloadTest, ASecondReloadForgetsNoPeriodThatTheWorkersHadNotConfirmed) {
  start();
  all_up();
  config::Config shorter = test_config();
  shorter.pools.front().ttl = 1s;
  for (int i = 0; i < 2; ++i) {
    config = shorter;
    authority->reconfigure(std::make_shared<Topology>(config), config.health);
  }
  served();
  const base::WallTime reloaded = clock.wall;
  clock.advance(5s);
  EXPECT_EQ((*drain("b"))->cache_horizon, reloaded + 32s);
}

}  // namespace
}  // namespace sluice::health::testing
