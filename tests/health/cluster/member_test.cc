#include "health/cluster/member.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/health/cluster/simulated.h"
#include "tests/health/fixture.h"

namespace sluice::cluster {
namespace {

using namespace std::chrono_literals;
using simulated::Engine;
using simulated::Node;
using simulated::World;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kPool = "pool.example";

class Members : public ::testing::Test {
 protected:
  explicit Members(std::size_t count = 3) {
    for (std::size_t i = 1; i <= count; ++i) {
      nodes.push_back(std::make_unique<Node>(world, engine, "ns" + std::to_string(i),
                                             health::testing::test_config()));
    }
    engine.changed = [this] {
      for (const auto& node : nodes) {
        if (node->runs()) node->kv().deliver();
      }
    };
  }

  void start_all() {
    for (const auto& node : nodes) node->start();
    ASSERT_TRUE(world.run_until([&] { return settled(); }, 10s));
  }
  bool settled() const {
    for (const auto& node : nodes) {
      if (!node->runs() || node->answers() == nullptr) return false;
      const health::ClusterView view = node->member().view();
      if (view.responders.size() != nodes.size()) return false;
      for (const auto& responder : view.responders) {
        if (!responder.alive || responder.behind > 0 || view.publication == 0) return false;
      }
    }
    return true;
  }

  void push(Node& node, const std::string& server, health::Health health = health::Health::Up,
            std::uint64_t sessions = 0) {
    health::Heartbeat heartbeat;
    heartbeat.instance = "boot-" + server;
    heartbeat.seq = static_cast<std::uint64_t>(world.now().time_since_epoch().count());
    for (const char* service : {"front-end", "call-park"}) {
      health::ServiceReport& report = heartbeat.services.try_emplace(service).first->second;
      report.health = health;
      report.instance = "unit-1";
      report.sessions = health::Sessions{{"calls", sessions}};
    }
    node.authority().heartbeat(server + ".pool.example", heartbeat, [](const auto&) {});
  }
  void push_all(Node& node) {
    for (const char* server : {"a", "b", "c"}) push(node, server);
  }

  enum class Where : std::uint8_t { Everywhere, Here };
  std::optional<health::Outcome<health::DrainReply>> drain(Node& node, const std::string& server,
                                                           Where where = Where::Everywhere) {
    auto outcome = std::make_shared<std::optional<health::Outcome<health::DrainReply>>>();
    health::DrainRequest request;
    request.server = server + ".pool.example";
    request.local_force = where == Where::Here;
    node.authority().drain(request, {"operator", "test"},
                           [outcome](const auto& reply) { *outcome = reply; });
    world.run_until([&] { return outcome->has_value(); }, 10s);
    return *outcome;
  }

  World world{1};
  Engine engine{world};
  std::vector<std::unique_ptr<Node>> nodes;
};

TEST_F(Members, BecomeOneClusterThatAnswersAlike) {
  start_all();
  for (const auto& node : nodes) {
    EXPECT_TRUE(node->names(kPool, "a.pool.example"));
    EXPECT_EQ(node->answers()->generation, nodes[0]->answers()->generation);
    EXPECT_EQ(node->answers()->renewed, nodes[0]->answers()->renewed);
  }
}

TEST_F(Members, ADrainIsAcknowledgedWhenNobodyNamesTheServer) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    SCOPED_TRACE(i);
    const std::string server(1, static_cast<char>('a' + i));
    if (i == 2) {
      const auto refused = drain(*nodes[i], server);
      ASSERT_TRUE(refused && !*refused);
      EXPECT_EQ(refused->error().rule, "floor");
      continue;
    }
    const auto begin = world.now();
    const auto reply = drain(*nodes[i], server);
    ASSERT_TRUE(reply && *reply) << (reply ? reply->error().detail : "none");
    EXPECT_LT(world.now() - begin, 20ms);
    EXPECT_THAT((*reply)->confirmed_by, ElementsAre("ns1", "ns2", "ns3"));
    EXPECT_THAT((*reply)->unconfirmed, IsEmpty());
    for (const auto& node : nodes) {
      EXPECT_FALSE(node->names(kPool, server + ".pool.example")) << node->name();
    }
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

TEST_F(Members, OfTwoWhoRaceForTheLastTwoOneWins) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  ASSERT_TRUE(drain(*nodes[0], "a"));
  int won = 0;
  int refused = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    health::DrainRequest request;
    request.server = std::string(i == 0 ? "b" : "c") + ".pool.example";
    nodes[i]->authority().drain(request, {"operator", "test"}, [&](const auto& reply) {
      if (reply) {
        ++won;
      } else {
        EXPECT_EQ(reply.error().rule, "floor") << reply.error().detail;
        ++refused;
      }
    });
  }
  ASSERT_TRUE(world.run_until([&] { return won + refused == 2; }, 10s));
  EXPECT_EQ(won, 1);
  EXPECT_EQ(refused, 1);
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

TEST_F(Members, AnAuditThatIsRefusedIsSaidOnceAndComesLater) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  const auto said = [&] {
    return std::ranges::count(nodes[0]->notices,
                              "the audit can't be written: permission denied; history lacks it");
  };
  const std::size_t before = engine.list("audit/").entries.size();
  nodes[0]->kv().no_audit = true;
  ASSERT_TRUE(drain(*nodes[0], "a"));
  world.run_for(5s);
  EXPECT_EQ(said(), 1);
  EXPECT_EQ(engine.list("audit/").entries.size(), before);
  nodes[0]->kv().no_audit = false;
  world.run_for(5s);
  EXPECT_GT(engine.list("audit/").entries.size(), before);
  nodes[0]->kv().no_audit = true;
  ASSERT_TRUE(drain(*nodes[0], "b"));
  world.run_for(5s);
  EXPECT_EQ(said(), 2);
}

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

// Planned at a responder whose clock is a minute ahead: its minute counts, at the others too.
TEST_F(Members, APlanIsByTheClockOfTheResponderThatTookIt) {
  start_all();
  push_all(*nodes[0]);
  nodes[1]->skew(60s);
  world.run_for(3s);
  std::optional<health::Outcome<health::ScheduleView>> planned;
  health::PlanRequest request;
  request.drain.server = "a.pool.example";
  const auto wall =
      std::chrono::duration_cast<base::Duration>(world.now().time_since_epoch()) + 480'000h + 60s;
  request.at = base::WallTime(wall) + 20s;
  nodes[1]->authority().plan(request, {"operator", "test"},
                             [&](const auto& outcome) { planned = outcome; });
  ASSERT_TRUE(world.run_until([&] { return planned.has_value(); }, 5s));
  ASSERT_TRUE(*planned) << planned->error().detail;
  const auto begin = world.now();
  nodes[1]->kill();  // another one decides when its time has come
  for (int i = 0; i < 300 && nodes[2]->names(kPool, "a.pool.example"); ++i) {
    if (i % 10 == 0) push_all(*nodes[0]);
    world.run_for(100ms);
  }
  EXPECT_FALSE(nodes[2]->names(kPool, "a.pool.example"));
  EXPECT_LT(world.now() - begin, 19s) << "its horizon_margin before";
  EXPECT_GT(world.now() - begin, 17s);
}

// The answer of a decider that was cut off a moment ago and has not noticed.
TEST_F(Members, NothingIsAcknowledgedFromMemoryAlone) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  ASSERT_TRUE(*drain(*nodes[0], "a"));
  nodes[0]->kv().reachable = false;
  bool resumed = false;
  nodes[1]->authority().resume("a.pool.example", std::nullopt, {"operator", "test"},
                               [&](const auto&) { resumed = true; });
  ASSERT_TRUE(world.run_until([&] { return resumed; }, 10s));
  const auto again = drain(*nodes[0], "a");
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again) << "it is not held any more";
}

// Each takes the turn from the other, at any moment of what that one decides.
TEST_F(Members, OfTwoOperatorsAtTwoRespondersEachGetsAllReplies) {
  start_all();
  push_all(*nodes[0]);
  world.run_for(100ms);
  constexpr int kRounds = 200;
  const std::array<std::string, 2> servers{"a.pool.example", "b.pool.example"};
  const health::Actor who{"operator", "test"};
  std::array<int, 2> rounds{};
  std::array<std::function<void()>, 2> begin;
  for (std::size_t i = 0; i < 2; ++i) {
    begin[i] = [&, i] {
      const auto resumed = [&, i](const health::Outcome<health::ResumeReply>& reply) {
        ASSERT_TRUE(reply) << reply.error().detail;
        EXPECT_THAT(reply->unconfirmed, IsEmpty());
        for (const auto& node : nodes) EXPECT_TRUE(node->names(kPool, servers[i])) << node->name();
        if (++rounds[i] < kRounds) world.after(0ns, begin[i]);
      };
      const auto drained = [&, i, resumed](const health::Outcome<health::DrainReply>& reply) {
        ASSERT_TRUE(reply) << reply.error().detail;
        EXPECT_THAT(reply->unconfirmed, IsEmpty());
        for (const auto& node : nodes) EXPECT_FALSE(node->names(kPool, servers[i])) << node->name();
        nodes[i]->authority().resume(servers[i], std::nullopt, who, resumed);
      };
      health::DrainRequest request;
      request.server = servers[i];
      nodes[i]->authority().drain(request, who, drained);
    };
    begin[i]();
  }
  EXPECT_TRUE(world.run_until([&] { return rounds[0] == kRounds && rounds[1] == kRounds; }, 300s))
      << rounds[0] << " and " << rounds[1] << " of " << kRounds;
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

// Each with one order after the other at a responder of its own: nobody is told to ask again, be
// one of the responders next to etcd like the others or on another continent.
class Operators : public Members, public ::testing::WithParamInterface<std::chrono::milliseconds> {
 protected:
  struct Operator {
    std::size_t number;
    unsigned orders = 0;
    unsigned unavailable = 0;
    bool held = false;
  };
  void press(Operator& one) {
    if (one.orders == kOrders) return;
    ++one.orders;
    const std::string server = std::string(1, static_cast<char>('a' + one.number));
    const auto next = [this, &one](const auto& reply) {
      if (reply) {
        one.held = !one.held;
      } else if (reply.error().kind == health::Refusal::Kind::Unavailable) {
        ++one.unavailable;
      }
      world.after(0ms, [this, &one] { press(one); });
    };
    health::Authority& authority = nodes[one.number]->authority();
    if (one.held) {
      authority.resume(server + ".pool.example", std::nullopt, {"operator", "test"}, next);
    } else {
      health::DrainRequest request;
      request.server = server + ".pool.example";
      authority.drain(request, {"operator", "test"}, next);
    }
  }

  static constexpr unsigned kOrders = 200;
};

TEST_P(Operators, WhoPressWithoutAPauseAreAllServed) {
  for (const auto& node : nodes) node->start();
  ASSERT_TRUE(world.run_until([&] { return settled(); }, 10s));
  push_all(*nodes[0]);
  world.run_for(100ms);
  nodes[0]->kv().least_delay = GetParam() / 2;  // the others are next to etcd
  std::vector<Operator> operators{{0}, {1}, {2}};
  for (Operator& each : operators) press(each);
  const auto begin = world.now();
  ASSERT_TRUE(world.run_until(
      [&] {
        return std::ranges::all_of(operators,
                                   [](const Operator& each) { return each.orders == kOrders; });
      },
      20min));
  for (const Operator& each : operators) EXPECT_EQ(each.unavailable, 0U) << each.number;
  RecordProperty("seconds",
                 std::to_string(std::chrono::duration<double>(world.now() - begin).count()));
}
INSTANTIATE_TEST_SUITE_P(RoundTrips, Operators, ::testing::Values(2ms, 20ms, 100ms));

}  // namespace
}  // namespace sluice::cluster
