#include <cstdint>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "health/cluster/member.h"
#include "tests/health/cluster/members.h"

namespace sluice::cluster {
namespace {

using ::testing::ElementsAre;

TEST_F(Members, WhoStartsWithoutTheEngineAnswersItsCopyAndSaysSo) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  const auto reply = drain(*nodes[0], "a");
  ASSERT_TRUE(reply && *reply);
  const std::uint64_t generation = nodes[2]->answers()->generation;
  nodes[2]->start();
  nodes[2]->reachable(false);
  ASSERT_TRUE(world.run_until([&] { return nodes[2]->runs() && nodes[2]->answers(); }, 10s));
  EXPECT_TRUE(nodes[2]->member().stale());
  EXPECT_FALSE(nodes[2]->names(kPool, "a.pool.example"));
  EXPECT_TRUE(nodes[2]->names(kPool, "b.pool.example"));
  EXPECT_EQ(nodes[2]->answers()->generation, generation);
  const auto refused = drain(*nodes[2], "b");
  ASSERT_TRUE(refused && !*refused);
  EXPECT_EQ(refused->error().kind, health::Refusal::Kind::Unavailable);
}

TEST_F(Members, NobodyIsLostSinceAResponderCannotSee) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  for (const auto& node : nodes) node->kv().reachable = false;
  world.run_for(60s);  // ten leases without a push
  for (const auto& node : nodes) {
    EXPECT_TRUE(node->member().stale());
    for (const char* server : {"a", "b", "c"}) {
      EXPECT_TRUE(node->names(kPool, std::string(server) + ".pool.example")) << node->name();
    }
  }
}

TEST_F(Members, AHoldForOneResponderAloneIsToldTheOthersOnceItCan) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  const std::uint64_t generation = nodes[2]->answers()->generation;
  nodes[2]->reachable(false);
  world.run_for(5s);
  const auto reply = drain(*nodes[2], "a", Where::Here);
  ASSERT_TRUE(reply && *reply) << (reply ? reply->error().detail : "none");
  EXPECT_THAT((*reply)->confirmed_by, ElementsAre("ns3"));
  EXPECT_THAT((*reply)->unconfirmed, ElementsAre("ns1", "ns2"));
  EXPECT_FALSE(nodes[2]->names(kPool, "a.pool.example"));
  EXPECT_TRUE(nodes[0]->names(kPool, "a.pool.example"));
  const auto held = nodes[2]->authority().server("a.pool.example");
  EXPECT_TRUE(held->services.front().holds.front().local);
  EXPECT_FALSE(nodes[2]->authority().verdict("a.pool.example", std::nullopt)->safe_to_stop);
  EXPECT_GT(nodes[2]->answers()->generation, generation + 1) << "others may use the next ones";
  // Across a restart, too.
  nodes[2]->start();
  nodes[2]->reachable(false);
  ASSERT_TRUE(world.run_until([&] { return nodes[2]->runs() && nodes[2]->answers(); }, 10s));
  EXPECT_FALSE(nodes[2]->names(kPool, "a.pool.example"));
  const auto set = nodes[2]->topology()->answer_set(kPool);
  EXPECT_GT(nodes[2]->answers()->answer_sets[*set].generation, generation + 1)
      << "the serial that it answered must not go back";

  nodes[2]->reachable(true);
  ASSERT_TRUE(world.run_until([&] { return !nodes[0]->names(kPool, "a.pool.example"); }, 10s));
  ASSERT_TRUE(world.run_until([&] { return settled(); }, 10s));
  EXPECT_FALSE(nodes[1]->names(kPool, "a.pool.example"));
  EXPECT_FALSE(nodes[2]->names(kPool, "a.pool.example"));
  for (const auto& node : nodes) {
    EXPECT_EQ(node->answers()->generation, nodes[0]->answers()->generation);
    const auto server = node->authority().server("a.pool.example");
    ASSERT_FALSE(server->services.front().holds.empty());
    EXPECT_FALSE(server->services.front().holds.front().local);
    EXPECT_TRUE(server->services.front().holds.front().forced);
  }
}

TEST_F(Members, AHoldForOneResponderAloneKeepsTheFloor) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  nodes[2]->reachable(false);
  world.run_for(5s);
  ASSERT_TRUE(*drain(*nodes[2], "a", Where::Here));
  ASSERT_TRUE(*drain(*nodes[2], "b", Where::Here));
  const auto refused = drain(*nodes[2], "c", Where::Here);
  ASSERT_TRUE(refused && !*refused);
  EXPECT_EQ(refused->error().rule, "floor");
}

}  // namespace
}  // namespace sluice::cluster
