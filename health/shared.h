#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/base/clock.h"
#include "config/base/flat_map.h"
#include "health/heartbeat.h"
#include "health/packed_sessions.h"
#include "health/snapshot.h"
#include "health/store.h"

// What the responders of one cluster have in common (health/cluster/README.md), in the authority's
// words: names, not numbers, since each responder numbers its own configuration. Plain values.
namespace sluice::health {

// The members for one service of a pool, as one responder decided them for all.
struct SharedSet {
  std::string service;
  std::uint64_t generation = 0;  // the one that brought them
  Fallback fallback = Fallback::None;
  base::WallTime since;
  std::vector<std::string> servers;  // FQDNs
  // Of some of them: so many tenths of the configured weight, 1..9.
  std::vector<std::pair<std::string, std::uint8_t>> slow_starts;

  friend bool operator==(const SharedSet&, const SharedSet&) = default;
};

struct SharedPool {
  std::string pool;
  std::vector<SharedSet> sets;
  // Servers whose last known health stands (mass-loss guard), and until when.
  std::map<std::string, base::WallTime> guarded;

  friend bool operator==(const SharedPool&, const SharedPool&) = default;
};

// A server whose host record was hidden (--hide-host), or is shown again.
struct SharedHost {
  std::string server;
  bool hidden = false;
  std::uint64_t generation = 0;  // the one that brought it

  friend bool operator==(const SharedHost&, const SharedHost&) = default;
};

// What an agent last said of one service.
struct ReportedService {
  Health health = Health::Up;
  std::optional<std::string> instance;  // boot id "/" unit instance
  std::optional<Sessions> sessions;     // none: not known
  // They were counted when, by its responder's clock, the last cache had forgotten the service.
  bool counted_since_horizon = false;
  // Of those that the agent saw, the newest came when caches had forgotten the service.
  bool connected_since_horizon = false;
  std::optional<HookOutcome> hook;

  friend bool operator==(const ReportedService&, const ReportedService&) = default;
};

// What the responder that an agent pushes to tells the others: transitions, not heartbeats.
struct AgentReport {
  std::string server;     // FQDN
  std::string responder;  // who says so
  std::string run;        // of that responder
  std::string boot;       // of the agent's host
  std::uint64_t seq = 0;  // of the push that it tells of
  bool current = false;   // the lease
  bool silent = false;    // no push for two heartbeats: what counts for a mass loss
  base::FlatMap<std::string, ReportedService> services;

  friend bool operator==(const AgentReport&, const AgentReport&) = default;
};

// What one transaction of the responder that decides has changed.
struct SharedEdition {
  std::uint64_t publication = 0;  // grows with every change of an answer, weights and TTLs included
  std::uint64_t generation = 0;
  std::uint64_t renewed = 0;    // the generation that brought every zone a new serial last
  std::vector<Change> changes;  // holds, forces, schedules
  std::vector<SharedPool> pools;
  std::vector<SharedHost> hosts;
};

// All of it at one moment.
struct SharedState {
  std::uint64_t publication = 0;
  std::uint64_t generation = 0;
  std::uint64_t renewed = 0;
  // What this responder did alone, of its own copy: the holds that are marked so, and the highest
  // generation that it answered by.
  std::uint64_t generation_alone = 0;
  StoredState stored;  // holds, forces, schedules, serial bases; no health: agents have it
  std::vector<SharedPool> pools;
  std::vector<SharedHost> hosts;
  std::vector<AgentReport> agents;
};

}  // namespace sluice::health
