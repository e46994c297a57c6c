#include <cstdint>
#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "health/cluster/member.h"
#include "tests/health/cluster/members.h"

namespace sluice::cluster {
namespace {

TEST_F(Members, AnEmptiedPrefixIsRefusedAndAlarms) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  ASSERT_TRUE(drain(*nodes[0], "a"));
  engine.wipe();
  world.run_for(5s);
  for (const auto& node : nodes) {
    EXPECT_THAT(node->member().view().alarm, ::testing::HasSubstr("emptied"));
    EXPECT_FALSE(node->names(kPool, "a.pool.example"));
    EXPECT_TRUE(node->names(kPool, "b.pool.example"));
    const auto refused = drain(*node, "b");
    ASSERT_TRUE(refused && !*refused);
  }
  // Nor does a restart take it for a first start.
  nodes[1]->start();
  world.run_for(10s);
  EXPECT_FALSE(nodes[1]->names(kPool, "a.pool.example"));
  EXPECT_THAT(nodes[1]->member().view().alarm, ::testing::HasSubstr("emptied"));
  EXPECT_TRUE(engine.list("cluster").entries.empty());
}

TEST_F(Members, WhatWasCompactedIsListedAnew) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  nodes[2]->kv().half_open = true;
  ASSERT_TRUE(drain(*nodes[0], "a"));
  engine.compact();
  nodes[2]->reachable(true);
  EXPECT_TRUE(world.run_until([&] { return !nodes[2]->names(kPool, "a.pool.example"); }, 5s));
}

TEST_F(Members, AHalfOpenWatchIsFoundByTheCanary) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  nodes[2]->kv().half_open = true;  // renew_watch() makes it whole
  const auto begin = world.now();
  ASSERT_TRUE(drain(*nodes[0], "a"));
  EXPECT_TRUE(world.run_until([&] { return !nodes[2]->names(kPool, "a.pool.example"); }, 5s));
  EXPECT_LT(world.now() - begin, 4s);
  EXPECT_FALSE(nodes[2]->member().stale());
}

TEST_F(Members, AnAgentThatMovesIsNeitherARestartNorAFlap) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  const std::uint64_t generation = nodes[0]->answers()->generation;
  for (int i = 0; i < 20; ++i) {
    push_all(*nodes[static_cast<std::size_t>(i) % nodes.size()]);
    world.run_for(1s);
  }
  for (const auto& node : nodes) {
    EXPECT_EQ(node->answers()->generation, generation);
    EXPECT_EQ(node->authority().server("a.pool.example")->lease, health::LeaseState::Current);
  }
}

TEST_F(Members, TheAgentsOfAResponderThatDiesHaveALeaseToShowUpElsewhere) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  nodes[0]->kill();
  world.run_for(5s);
  push_all(*nodes[1]);
  world.run_for(3s);
  EXPECT_TRUE(nodes[2]->names(kPool, "a.pool.example"));
  EXPECT_EQ(nodes[2]->authority().server("a.pool.example")->lease, health::LeaseState::Current);
}

// Semantics.md section 3, rule 5: whoever decides doubts itself, though it is another responder
// that the agents push to.
TEST_F(Members, AMassLossAtAnotherResponderIsDoubted) {
  start_all();
  push_all(*nodes[0]);
  ASSERT_TRUE(*drain(*nodes[1], "c"));  // it decides now
  for (int i = 0; i < 5; ++i) {
    for (const char* server : {"a", "b", "c"}) {
      push(*nodes[2], server);
      world.run_for(300ms);
    }
  }
  world.run_for(30s);
  for (const auto& node : nodes) {
    EXPECT_TRUE(node->names(kPool, "a.pool.example")) << node->name();
    EXPECT_TRUE(node->names(kPool, "b.pool.example")) << node->name();
    EXPECT_EQ(node->authority().server("a.pool.example")->lease, health::LeaseState::Guarded)
        << node->name();
  }
}

TEST_F(Members, OneSilentAgentOfAnotherResponderIsOut) {
  start_all();
  for (int i = 0; i < 12; ++i) {
    push(*nodes[2], "a");
    if (i < 2) push(*nodes[2], "b");
    push(*nodes[2], "c");
    world.run_for(1s);
  }
  for (const auto& node : nodes) {
    EXPECT_TRUE(node->names(kPool, "a.pool.example")) << node->name();
    EXPECT_FALSE(node->names(kPool, "b.pool.example")) << node->name();
  }
}

TEST_F(Members, SessionsThatAnotherResponderHeardOfStandAgainstTheVerdict) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  ASSERT_TRUE(drain(*nodes[1], "a"));
  for (int second = 0; second < 40; ++second) {
    for (const char* server : {"b", "c"}) push(*nodes[0], server);
    push(*nodes[0], "a", health::Health::Up, 3);
    world.run_for(1s);
  }
  const auto verdict = [&] {
    return *nodes[2]->authority().verdict("a.pool.example", std::nullopt);
  };
  EXPECT_FALSE(verdict().safe_to_stop);
  EXPECT_THAT(verdict().reasons,
              ::testing::Each(::testing::Field(&health::Reason::code, "sessions")));
  push(*nodes[0], "a", health::Health::Up, 0);
  world.run_for(1500ms);
  EXPECT_TRUE(verdict().safe_to_stop);
}

}  // namespace
}  // namespace sluice::cluster
