#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/health/cluster/simulated.h"
#include "tests/health/fixture.h"

// Three responders of one pool, on a simulated engine.
namespace sluice::cluster {

using namespace std::chrono_literals;
using simulated::Engine;
using simulated::Node;
using simulated::World;

inline constexpr const char* kPool = "pool.example";

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

}  // namespace sluice::cluster
