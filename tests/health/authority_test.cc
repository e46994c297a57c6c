// Leases, grace, the mass-loss guard, generations: semantics.md sections 1 and 3.

#include "health/authority.h"

#include "gmock/gmock.h"

#include "tests/health/fixture.h"

namespace sluice::health::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(AuthorityTest, InTheGraceAServerOfWhichNothingWasKnownCountsAsUp) {
  start();
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_EQ(view("a").status, Status::Unknown);
}

TEST_F(AuthorityTest, InTheGraceTheLastKnownHealthAnswers) {
  start();
  all_up();
  Heartbeat down = up();
  for (auto& [service, report] : down.services) report.health = Health::Down;
  push("b", down);
  restart();
  EXPECT_EQ(members(kPool), "ac");
}

TEST_F(AuthorityTest, TheGraceEndsAfterOneLeaseWhenMostHaveSpoken) {
  start();
  pass(7s, {"a", "b"});
  EXPECT_EQ(members(kPool), "ab");
}

TEST_F(AuthorityTest, TheGraceIsExtendedWhileMostAreUnheard) {
  start();
  pass(60s, {"a"});
  EXPECT_EQ(members(kPool), "abc");
  pass(1s, {"a", "b"});
  EXPECT_EQ(members(kPool), "ab") << "two of three have spoken: the third is unknown";
}

TEST_F(AuthorityTest, TheGraceEndsWithMassLossHold) {
  start();
  pass(601s, {"a"});
  EXPECT_EQ(members(kPool), "a");
}

TEST_F(AuthorityTest, ALeaseThatRunsOutTakesTheServerOut) {
  start();
  all_up();
  pass(7s, {"a", "c"});
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(view("b").status, Status::Unknown);
  EXPECT_EQ(authority->server("b.pool.example")->lease, LeaseState::Expired);
  push("b", up());
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(AuthorityTest, AMassLossKeepsTheLastKnownHealthAndSaysSo) {
  start();
  all_up();
  pass(7s, {"a"});
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_TRUE(authority->pool("pool.example")->mass_loss_guard);
  EXPECT_EQ(authority->server("b.pool.example")->lease, LeaseState::Guarded);
  EXPECT_THAT(events, Contains(::testing::Field(&Event::type, EventType::MassLoss)));
  push("b", up());
  EXPECT_EQ(authority->server("b.pool.example")->lease, LeaseState::Current);
}

TEST_F(AuthorityTest, TheGuardEndsByForceDownOrAfterMassLossHold) {
  start();
  all_up();
  pass(7s, {"a"});
  force("b", Health::Down);
  EXPECT_EQ(members(kPool), "ac");
  pass(600s, {"a"});
  EXPECT_EQ(members(kPool), "a");
  EXPECT_FALSE(authority->pool("pool.example")->mass_loss_guard);
}

TEST_F(AuthorityTest, WhenEverybodyIsSilentNobodyLeaves) {
  start();
  all_up();
  pass(700s);
  EXPECT_EQ(members(kPool), "abc") << "first the guard, then never-empty";
  EXPECT_EQ(fallback(kPool), Fallback::NeverEmpty);
}

TEST_F(AuthorityTest, AnAuthorityThatWasStoppedJudgesNoLeaseBeforeAgentsHadTheirChance) {
  start();
  all_up();
  pass(1s, {"a", "b", "c"});
  clock.advance(60s);  // SIGSTOP, SIGCONT
  authority->tick();
  served();
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_FALSE(authority->pool("pool.example")->mass_loss_guard);
  pass(7s, {"a", "b"});
  EXPECT_EQ(members(kPool), "ab") << "the lease runs from the awakening";
}

TEST_F(AuthorityTest, GenerationsGrowAcrossRestarts) {
  start();
  all_up();
  ASSERT_TRUE(*drain("a"));
  const std::uint64_t before = authority->generation();
  // The composition root reserves a block before it starts.
  store.disk.generation += 1024;
  restart();
  EXPECT_GT(authority->generation(), before);
}

TEST_F(AuthorityTest, GenerationsAreReservedAheadOfTheirUse) {
  start();
  all_up();
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(*drain("a"));
    ASSERT_TRUE(**resume("a"));
    ASSERT_LT(authority->generation(), std::max<std::uint64_t>(store.disk.generation, 1024));
  }
}

TEST_F(AuthorityTest, TheHorizonSurvivesARestart) {
  start();
  all_up();
  clock.advance(60s);
  const auto reply = drain("b");
  clock.advance(10s);
  restart();
  EXPECT_EQ(view("b").cache_horizon, (*reply)->cache_horizon);
}

TEST_F(AuthorityTest, AHorizonThatIsNotOnDiskStartsAnewWithTheAuthority) {
  start();
  all_up();
  clock.advance(60s);
  ASSERT_TRUE(*drain("b"));
  for (Hold& hold : store.disk.holds) hold.horizons.clear();
  restart();
  EXPECT_EQ(view("b").cache_horizon, clock.wall + 32s);
}

TEST_F(AuthorityTest, AnUnconfirmedHoldIsNotSafeAndHasNoHorizon) {
  start();
  all_up();
  authority->drain({"b.pool.example", {}, "", {}, false, false, {}, Then::Lift}, {},
                   [](const Outcome<DrainReply>&) {});
  EXPECT_THAT(codes(view("b").verdict), Contains("unconfirmed-responder"));
  EXPECT_FALSE(view("b").cache_horizon);
  served();
  EXPECT_TRUE(view("b").cache_horizon);
}

TEST_F(AuthorityTest, ExplainTellsTheRuleForEachServer) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  const auto explanation = authority->explain("pool.example");
  ASSERT_TRUE(explanation);
  ASSERT_EQ(explanation->members.size(), 3U);
  EXPECT_TRUE(explanation->members[0].in);
  EXPECT_EQ(explanation->members[0].rule, "accepting");
  EXPECT_FALSE(explanation->members[1].in);
  EXPECT_EQ(explanation->members[1].rule, "hold");
  EXPECT_EQ(explanation->members[1].by, "operations");
  EXPECT_THAT(explanation->members[1].text, HasSubstr("patch"));
  EXPECT_FALSE(authority->explain("nowhere.example"));
}

TEST_F(AuthorityTest, APoolThatIsNotBalancedByDnsNeverTurnsGreen) {
  config::Config unbalanced = test_config();
  unbalanced.pools.front().dns_load_balancing = false;
  start(unbalanced);
  all_up();
  const auto reply = drain("b");
  EXPECT_THAT((*reply)->warnings, Contains(HasSubstr("features")));
  pass(40s, {"a", "b", "c"});
  EXPECT_THAT(codes(view("b").verdict), ::testing::ElementsAre("not-by-dns"));
}

TEST_F(AuthorityTest, FiguresCountServicesByStatusAndHoldsByOrigin) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  const Figures figures = this->figures();
  EXPECT_EQ(figures.holds[static_cast<std::size_t>(Origin::Operator)], 1U);
  for (const auto& count : figures.services) {
    EXPECT_EQ(count.by_status[static_cast<std::size_t>(Status::Accepting)], 2U);
    EXPECT_EQ(count.by_status[static_cast<std::size_t>(Status::Draining)], 1U);
  }
}

TEST_F(AuthorityTest, TheAgentWhoseWordEndsTheGraceIsNotThrownOutByIt) {
  start();
  pass(60s, {"a"});
  const std::uint64_t before = authority->generation();
  push("b", up());
  EXPECT_EQ(members(kPool), "ab");
  EXPECT_EQ(authority->generation(), before + 1);
}

TEST_F(AuthorityTest, AReservationThatFailedIsTriedAgainWithTheNextPublication) {
  start();
  all_up();
  store.failure = "disk full";
  for (int i = 0; i < 600; ++i) {
    force("a", Health::Down, false);
    force("a", std::nullopt, false);
  }
  store.failure.reset();
  force("a", Health::Down);
  EXPECT_GT(store.disk.generation, authority->generation());
}

}  // namespace
}  // namespace sluice::health::testing
