#include "health/cluster/member.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/health/cluster/members.h"

namespace sluice::cluster {
namespace {

using ::testing::ElementsAre;

TEST_F(Members, BecomeOneClusterThatAnswersAlike) {
  start_all();
  for (const auto& node : nodes) {
    EXPECT_TRUE(node->names(kPool, "a.pool.example"));
    EXPECT_EQ(node->answers()->generation, nodes[0]->answers()->generation);
    EXPECT_EQ(node->answers()->renewed, nodes[0]->answers()->renewed);
  }
}

TEST_F(Members, WhoIsCutOffIsNamedAndStandsAgainstTheVerdictUntilItIsForgotten) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  nodes[2]->kv().reachable = false;
  const auto reply = drain(*nodes[0], "a");
  ASSERT_TRUE(reply && *reply);
  EXPECT_THAT((*reply)->confirmed_by, ElementsAre("ns1", "ns2"));
  EXPECT_THAT((*reply)->unconfirmed, ElementsAre("ns3"));
  EXPECT_TRUE(nodes[2]->names(kPool, "a.pool.example")) << "it goes on answering";
  world.run_for(10s);
  EXPECT_TRUE(nodes[2]->member().stale());
  const auto verdict = nodes[1]->authority().verdict("a.pool.example", std::nullopt);
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->reasons, ::testing::Contains(::testing::Field(&health::Reason::code,
                                                                     "unconfirmed-responder")));
}

TEST_F(Members, WhoComesBackFollowsAndConfirms) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  nodes[2]->kv().reachable = false;
  ASSERT_TRUE(drain(*nodes[0], "a"));
  world.run_for(5s);
  nodes[2]->kv().reachable = true;
  nodes[2]->kv().deliver();
  EXPECT_TRUE(world.run_until([&] { return !nodes[2]->names(kPool, "a.pool.example"); }, 5s));
  EXPECT_TRUE(world.run_until([&] { return settled(); }, 5s));
  EXPECT_FALSE(nodes[2]->member().stale());
}

TEST_F(Members, ALapsedLeaseClearsNothingAndForgettingDoes) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  nodes[2]->kill();
  const auto reply = drain(*nodes[0], "a");
  ASSERT_TRUE(reply && *reply);
  EXPECT_THAT((*reply)->unconfirmed, ElementsAre("ns3"));
  world.run_for(60s);
  const auto reasons = [&] {
    std::vector<std::string> codes;
    const auto verdict = nodes[1]->authority().verdict("a.pool.example", std::nullopt);
    for (const auto& reason : verdict->reasons) codes.push_back(reason.code);
    return codes;
  };
  EXPECT_THAT(reasons(), ::testing::Contains("unconfirmed-responder"));
  std::optional<health::Outcome<base::Done>> forgotten;
  nodes[1]->member().forget("ns3", [&](const auto& outcome) { forgotten = outcome; });
  ASSERT_TRUE(world.run_until([&] { return forgotten.has_value(); }, 2s));
  EXPECT_TRUE(*forgotten);
  world.run_for(100ms);
  EXPECT_THAT(reasons(), ::testing::Not(::testing::Contains("unconfirmed-responder")));
  EXPECT_THAT(reasons(), ::testing::Contains("horizon")) << "its caches are counted from now on";
}

TEST_F(Members, WhoIsAliveIsNotForgotten) {
  start_all();
  for (const char* name : {"ns1", "ns2", "nobody"}) {
    std::optional<health::Outcome<base::Done>> outcome;
    nodes[0]->member().forget(name, [&](const auto& said) { outcome = said; });
    ASSERT_TRUE(world.run_until([&] { return outcome.has_value(); }, 2s));
    EXPECT_FALSE(*outcome) << name;
  }
}

TEST_F(Members, WhoEndsInGoodOrderIsMissedAtOnce) {
  start_all();
  push_all(*nodes[1]);
  bool left = false;
  nodes[2]->member().leave([&left] { left = true; });
  ASSERT_TRUE(world.run_until([&] { return left; }, 1s));
  nodes[2]->kill();
  const auto begin = world.now();
  const auto reply = drain(*nodes[0], "a");
  ASSERT_TRUE(reply && *reply);
  EXPECT_LT(world.now() - begin, 100ms) << "its lease is three seconds, the patience two";
  EXPECT_THAT((*reply)->unconfirmed, ElementsAre("ns3")) << "until it is back, or forgotten";
}

}  // namespace
}  // namespace sluice::cluster
