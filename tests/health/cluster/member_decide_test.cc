#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "health/cluster/member.h"
#include "tests/health/cluster/members.h"

namespace sluice::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

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
