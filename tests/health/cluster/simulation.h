#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/health/cluster/simulated.h"
#include "tests/health/fixture.h"

// Random histories of several responders, and what must be true in all of them.
namespace sluice::cluster::simulated {

// One history, played by its seed: operators, agents, and a network, processes and disks that fail.
class History {
 public:
  explicit History(std::uint64_t seed, std::size_t count = 3) : seed_(seed), world_(seed) {
    for (std::size_t i = 1; i <= count; ++i) {
      nodes_.push_back(std::make_unique<Node>(world_, engine_, "ns" + std::to_string(i),
                                              health::testing::test_config()));
      nodes_.back()->answering = [this](Node& node) { look_at(node); };
    }
    engine_.changed = [this] {
      note_confirmed();
      for (const auto& node : nodes_) {
        if (node->runs()) node->kv().deliver();
      }
    };
  }

  // Returns what was violated; empty: nothing was.
  const std::vector<std::string>& play(unsigned steps) {
    for (const auto& node : nodes_) node->start();
    world_.run_for(1s);
    for (const char* server : kServers) agents_[server].at = pick();
    agents_push();
    for (unsigned step = 0; step < steps && violations_.empty(); ++step) {
      act();
      world_.run_for(std::chrono::milliseconds(world_.random(400)));
    }
    heal();
    return violations_;
  }
  std::string log() const {
    std::string text = "seed " + std::to_string(seed_) + "\n";
    for (const std::string& line : log_) text += line + "\n";
    return text;
  }
  // That something was tested: acknowledged drains, and how many of them everybody confirmed.
  unsigned acknowledged = 0;
  unsigned partly = 0;
  unsigned refused = 0;
  unsigned unavailable = 0;

 private:
  static constexpr const char* kServers[] = {"a", "b", "c"};
  static constexpr const char* kOwner = "pool.example";

  // A drain that was acknowledged and not resumed since: who confirmed it names the server no more.
  struct Promise {
    std::set<std::string> by;  // responders
    bool lifting = false;      // a resume was asked for, whatever came of it
  };
  struct Agent {
    std::size_t at = 0;
    bool silent = false;
    std::uint64_t seq = 0;
  };

  static std::string fqdn(const std::string& server) { return server + ".pool.example"; }
  std::size_t pick() { return static_cast<std::size_t>(world_.random(nodes_.size())); }
  void note(std::string text) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
        world_.now().time_since_epoch() - std::chrono::hours(100));
    log_.push_back(std::to_string(ms.count()) + " ms " + std::move(text));
  }
  void violated(const std::string& text) {
    note("VIOLATED: " + text);
    violations_.push_back(text);
  }

  // Every answer of a responder that begins now.
  void look_at(Node& node) {
    const health::MembershipSnapshot& snapshot = *node.answers();
    const std::uint64_t generation = snapshot.generation;
    if (std::getenv("SLUICE_TRACE")) {
      std::string all;
      for (const char* server : kServers) {
        if (node.names(kOwner, fqdn(server))) all += server;
      }
      note(node.name() + " answers " + all + " in generation " + std::to_string(generation));
    }
    // Nothing older ever replaces what it has confirmed, across restarts too.
    if (generation < confirmed_[node.name()]) {
      violated(node.name() + " went back from generation " +
               std::to_string(confirmed_[node.name()]) + " to " + std::to_string(generation));
    }
    // Responders of one generation answer alike.
    std::string members;
    for (const char* server : kServers) {
      if (node.names(kOwner, fqdn(server))) members += server;
    }
    const auto [known, fresh] = members_.emplace(generation, members);
    if (!fresh && known->second != members && generation > 0) {
      violated(node.name() + " answers " + members + " in generation " +
               std::to_string(generation) + ", another one " + known->second);
      for (const Change& entry : engine_.list("").entries) {
        if (entry.key.starts_with("audit/")) continue;
        note(std::to_string(entry.revision) + " " + entry.key + " " + *entry.value);
      }
    }
    for (const auto& [server, promise] : promises_) {
      if (!promise.lifting && promise.by.contains(node.name()) &&
          node.names(kOwner, fqdn(server))) {
        violated(node.name() + " names " + server + " after it had confirmed its drain");
      }
    }
  }

  void note_confirmed() {
    for (const Change& entry : engine_.list("edition").entries) {
      const auto edition = read_record(entry);
      const auto& record = std::get<EditionRecord>(*edition);
      generations_[record.publication] = record.generation;
    }
    for (const Change& entry : engine_.list("served/").entries) {
      const auto served = read_record(entry);
      const auto& record = std::get<ServedRecord>(*served);
      std::uint64_t& confirmed = confirmed_[record.name];
      confirmed = std::max(confirmed, generations_[record.publication]);
    }
  }

  void agents_push() {
    for (auto& [server, agent] : agents_) {
      if (agent.silent) continue;
      // It stays where it is answered, and goes on to the next otherwise.
      for (std::size_t tries = 0; tries < nodes_.size(); ++tries) {
        Node& node = *nodes_[agent.at];
        if (node.runs() && !unreachable_.contains(node.name())) {
          push(node, server, agent);
          break;
        }
        agent.at = (agent.at + 1) % nodes_.size();
      }
    }
    world_.after(500ms, [this] { agents_push(); });
  }
  void push(Node& node, const std::string& server, Agent& agent) {
    health::Heartbeat heartbeat;
    heartbeat.instance = "boot-" + server;
    heartbeat.seq = ++agent.seq;
    for (const char* service : {"front-end", "call-park"}) {
      health::ServiceReport& report = heartbeat.services.try_emplace(service).first->second;
      report.health = down_.contains(server) ? health::Health::Down : health::Health::Up;
      report.instance = "unit-1";
      report.sessions = health::Sessions{};
    }
    node.authority().heartbeat(fqdn(server), heartbeat, [](const auto&) {});
  }

  void act() {
    const std::uint64_t what = world_.random(100);
    Node& node = *nodes_[pick()];
    const std::string server = kServers[world_.random(3)];
    if (what < 30) return drain(node, server);
    if (what < 50) return resume(node, server);
    if (what < 60) return cut(node);
    if (what < 70) return mend(node);
    if (what < 76) return kill(node);
    if (what < 84) return start(node);
    if (what < 87) {
      if (!down_.erase(server)) down_.insert(server);
      return note(server + (down_.contains(server) ? " is down" : " is up"));
    }
    if (what < 90) {
      agents_[server].silent = !agents_[server].silent;
      return note("the agent of " + server + (agents_[server].silent ? " is silent" : " pushes"));
    }
    if (what < 92) {
      engine_.compact();
      return note("compacted");
    }
    if (what < 94 && node.runs()) {
      node.kv().half_open = true;
      return note(node.name() + " has a half open watch");
    }
    if (what < 96) {
      node.skew(std::chrono::seconds(world_.random(120)) - 60s);
      return note("the clock of " + node.name() + " jumps");
    }
    if (what < 98) {
      node.disk().fails = !node.disk().fails;
      return note(node.name() + (node.disk().fails ? " has a full disk" : " has room again"));
    }
    const std::size_t other = pick();
    agents_[server].at = other;
    note("the agent of " + server + " moves to " + nodes_[other]->name());
  }

  void drain(Node& node, const std::string& server) {
    if (!node.runs()) return;
    note("drain " + server + " at " + node.name());
    health::DrainRequest request;
    request.server = fqdn(server);
    request.force = world_.chance(30);
    const unsigned asked = ++orders_[server];
    const bool alone = resuming_[server].empty();
    node.authority().drain(
        request, {"operator", "test"}, [this, server, asked, alone, &node](const auto& reply) {
          if (!reply) {
            if (reply.error().kind == health::Refusal::Kind::Rule) ++refused;
            if (reply.error().kind == health::Refusal::Kind::Unavailable) ++unavailable;
            return note("drain " + server + ": " + reply.error().detail);
          }
          ++acknowledged;
          if (!reply->unconfirmed.empty()) ++partly;
          std::string by;
          for (const std::string& name : reply->confirmed_by) by += " " + name;
          note("drain " + server + " at " + node.name() + ": acknowledged, by" + by);
          // A resume under way at the same time may come after it.
          if (orders_[server] != asked || !alone) return;
          Promise& promise = promises_[server];
          promise.lifting = false;
          promise.by.insert(reply->confirmed_by.begin(), reply->confirmed_by.end());
          for (const auto& each : nodes_) {
            if (promise.by.contains(each->name()) && each->answers() != nullptr &&
                each->names(kOwner, fqdn(server))) {
              violated(each->name() + " confirmed the drain of " + server + " and names it");
            }
          }
        });
  }
  void resume(Node& node, const std::string& server) {
    if (!node.runs()) return;
    note("resume " + server + " at " + node.name());
    ++orders_[server];
    promises_[server].lifting = true;
    promises_[server].by.clear();
    resuming_[server].insert({node.name(), orders_[server]});
    node.authority().resume(
        fqdn(server), std::nullopt, {"operator", "test"},
        [this, server, which = std::pair(node.name(), orders_[server])](const auto& reply) {
          resuming_[server].erase(which);
          note("resume " + server + ": " + (reply ? "done" : reply.error().detail));
        });
  }
  void cut(Node& node) {
    if (!node.runs()) return;
    node.kv().reachable = false;
    note(node.name() + " is cut off");
  }
  void mend(Node& node) {
    if (!node.runs()) return;
    node.kv().reachable = true;
    node.kv().deliver();
    note(node.name() + " is reachable");
  }
  void kill(Node& node) {
    node.kill();
    for (auto& [server, waiting] : resuming_) {
      std::erase_if(waiting, [&](const auto& each) { return each.first == node.name(); });
    }
    note(node.name() + " is killed");
  }
  void start(Node& node) {
    if (node.runs()) return;
    node.start();
    if (world_.chance(30)) {
      node.reachable(false);
      note(node.name() + " starts, cut off");
    } else {
      note(node.name() + " starts");
    }
  }

  // Everything works again: soon all agree, with each other and with what was promised.
  void heal() {
    note("all heals");
    for (const auto& node : nodes_) {
      node->disk().fails = false;
      node->skew(0s);
      if (!node->runs()) node->start();
      node->reachable(true);
    }
    for (auto& [server, agent] : agents_) agent.silent = false;
    down_.clear();
    const bool agree = world_.run_until([this] { return agreed(); }, 60s);
    if (!agree) {
      std::string text = "no agreement a minute after all healed:";
      for (const auto& node : nodes_) {
        text += " " + node->name();
        if (!node->runs()) {
          text += " does not run";
          continue;
        }
        const health::ClusterView view = node->member().view();
        text += " generation " + std::to_string(view.generation) + " publication " +
                std::to_string(view.publication) + (view.stale_since ? " stale" : "") + " " +
                view.alarm + " members ";
        for (const char* server : kServers) {
          if (node->names(kOwner, fqdn(server))) text += server;
        }
        for (const auto& responder : view.responders) {
          text += " [" + responder.name + " " + std::to_string(responder.publication) +
                  (responder.alive ? " alive]" : " lost]");
        }
      }
      violated(text);
    }
  }
  bool agreed() const {
    std::optional<std::uint64_t> generation;
    for (const auto& node : nodes_) {
      if (!node->runs() || node->answers() == nullptr || node->member().stale()) return false;
      if (generation && node->answers()->generation != *generation) return false;
      generation = node->answers()->generation;
      const health::ClusterView view = node->member().view();
      for (const auto& responder : view.responders) {
        if (!responder.alive || responder.behind > 0) return false;
      }
    }
    // Who is promised to be out is; everybody else is in.
    for (const char* server : kServers) {
      const auto promise = promises_.find(server);
      const bool out =
          promise != promises_.end() && !promise->second.lifting && !promise->second.by.empty();
      if (out && nodes_[0]->names(kOwner, fqdn(server))) return false;
    }
    return true;
  }

  std::uint64_t seed_;
  World world_;
  Engine engine_{world_};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::string, Agent> agents_;
  std::set<std::string> down_;
  std::set<std::string> unreachable_;
  std::map<std::string, Promise> promises_;
  std::map<std::string, unsigned> orders_;
  std::map<std::string, std::set<std::pair<std::string, unsigned>>> resuming_;  // not replied to
  std::map<std::uint64_t, std::uint64_t> generations_;                          // by publication
  std::map<std::string, std::uint64_t> confirmed_;  // generations, by responder
  std::map<std::uint64_t, std::string> members_;
  std::vector<std::string> violations_;
  std::vector<std::string> log_;
};

}  // namespace sluice::cluster::simulated
