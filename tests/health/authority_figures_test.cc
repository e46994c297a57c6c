#include <algorithm>

#include "gmock/gmock.h"

#include "tests/health/fixture.h"

namespace sluice::health::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class FiguresTest : public AuthorityTest {
 protected:
  // The figures keep what their names point into.
  Figures::ServiceCount count(const std::string& service) {
    kept_ = figures();
    for (const Figures::ServiceCount& each : kept_.services) {
      if (each.service == service) return each;
    }
    ADD_FAILURE() << service;
    return {};
  }
  std::vector<Figures::Draining> draining() {
    kept_ = figures();
    return kept_.draining;
  }
  std::vector<std::pair<std::string, std::uint64_t>> sessions(const std::string& service) {
    kept_ = figures();
    std::vector<std::pair<std::string, std::uint64_t>> found;
    for (const Figures::SessionCount& each : kept_.sessions) {
      if (each.service == service) found.emplace_back(each.counter, each.sessions);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  // What a healthy agent pushes that has so many calls on front-end.
  Heartbeat with_calls(std::uint64_t calls) {
    Heartbeat heartbeat = up();
    heartbeat.services.find("front-end")->second.sessions = Sessions{{"calls", calls}};
    return heartbeat;
  }

  Figures kept_;
};

TEST_F(FiguresTest, FloorsStandBesideWhoCountsForThem) {
  config::Config two = test_config();
  two.pools.front().min_accepting = 2;
  two.pools.front().features.front().min_accepting = 1;
  start(two);
  all_up();
  EXPECT_EQ(count("front-end").accepting, 3U);
  EXPECT_EQ(count("front-end").min_accepting, 2U);
  EXPECT_EQ(count("call-park").min_accepting, 1U);
  ASSERT_TRUE(*drain("b", "front-end"));
  EXPECT_EQ(count("front-end").accepting, 2U);
  EXPECT_EQ(count("call-park").accepting, 3U);
  Heartbeat down = up();
  for (auto& [name, report] : down.services) report.health = Health::Down;
  push("a", down);
  push("c", down);
  EXPECT_EQ(count("front-end").accepting, 0U) << "who is there by the fallback does not count";
  EXPECT_EQ(members(kPool), "ac");
}

TEST_F(FiguresTest, ADrainHasItsAgeAndItsHorizon) {
  start();
  all_up();
  EXPECT_THAT(draining(), IsEmpty());
  push("b", with_calls(2));
  ASSERT_TRUE(*drain("b", "front-end"));
  ASSERT_EQ(draining().size(), 1U);
  EXPECT_EQ(draining().front().service, "front-end");
  EXPECT_EQ(draining().front().servers, 1U);
  EXPECT_EQ(draining().front().oldest_seconds, 0);
  const double horizon = draining().front().horizon_seconds;
  EXPECT_GT(horizon, 0);
  clock.advance(10s);
  push("b", with_calls(1));
  EXPECT_EQ(draining().front().oldest_seconds, 10);
  EXPECT_EQ(draining().front().horizon_seconds, horizon - 10);
  clock.advance(3600s);
  push("b", with_calls(1));
  EXPECT_EQ(draining().front().oldest_seconds, 3610) << "it still has a call";
  EXPECT_EQ(draining().front().horizon_seconds, 0);
  pass(3s);  // it stood still for an hour: what comes at once may have waited
  push("b", with_calls(0));
  EXPECT_EQ(draining().front().servers, 0U) << "drained";
  EXPECT_EQ(draining().front().oldest_seconds, 0);
  resume("b", "front-end");
  EXPECT_THAT(draining(), IsEmpty());
}

TEST_F(FiguresTest, SessionsAreSummedWhereAnAgentIsHeard) {
  start();
  push("a", with_calls(3));
  push("b", with_calls(4));
  push("c", up());
  EXPECT_THAT(sessions("front-end"), ElementsAre(Pair("calls", 7U)));
  EXPECT_THAT(sessions("call-park"), IsEmpty());
  for (int second = 0; second < 7; ++second) {
    clock.advance(1s);
    push("b", with_calls(4));
    push("c", up());
    authority->tick();
  }
  EXPECT_THAT(sessions("front-end"), ElementsAre(Pair("calls", 4U)))
      << "what a silent agent said is not known";
}

TEST_F(FiguresTest, HoldsGrowOlder) {
  start();
  all_up();
  ASSERT_TRUE(*drain("a"));
  clock.advance(7h);
  ASSERT_TRUE(*drain("b"));
  clock.advance(2h);
  constexpr auto kOperator = static_cast<std::size_t>(Origin::Operator);
  EXPECT_THAT(figures().holds_by_age.at(kOperator), ElementsAre(2, 2, 1, 0, 0));
  clock.advance(24h * 7);
  EXPECT_THAT(figures().holds_by_age.at(kOperator), ElementsAre(2, 2, 2, 2, 2));
}

TEST_F(FiguresTest, WhatHappenedIsCounted) {
  start();
  all_up();
  const Figures before = figures();
  pass(20s, {"a", "b"});
  ASSERT_TRUE(*drain("a", "front-end", true));
  const Figures after = figures();
  EXPECT_EQ(after.lease_losses_total, before.lease_losses_total + 1) << "c fell silent";
  EXPECT_EQ(after.publications_total, before.publications_total + 2);
  EXPECT_EQ(after.generation, before.generation + 2);
  EXPECT_EQ(after.refusals_total, before.refusals_total);
  ASSERT_FALSE(*drain("b", "front-end"));
  EXPECT_EQ(figures().refusals_total, before.refusals_total + 1) << "the floor";
}

}  // namespace
}  // namespace sluice::health::testing
