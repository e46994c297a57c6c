#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "health/heartbeat.h"
#include "health/view.h"

// May it be taken offline? Semantics.md section 6. Pure.
namespace sluice::health {

// What the verdict looks at, for one service on one server.
struct VerdictInput {
  std::string service;
  bool held = false;
  bool durable = true;                    // the holds that cover it are on disk
  bool balanced_by_dns = true;            // the pool's dns_load_balancing
  bool named = false;                     // answers name it; of a held one: by serve_held
  std::vector<std::string> unconfirmed;   // responders that may still name it
  std::optional<base::WallTime> horizon;  // set while it is not past
  std::optional<Sessions> sessions;       // empty: not known
  std::string unknown_because;            // when not known
  // Why its agent's on_hold has failed: the server itself may still take new connections.
  std::optional<std::string> hook_failed;
  // How long after the horizon the newest connection came, and how long ago; set when it did.
  std::optional<std::chrono::milliseconds> new_connection_ago;
};

// Of one service, or of a server: of all its services. Reasons are in the order of semantics.md.
Verdict verdict_of(std::span<const VerdictInput> services, base::WallTime now);

}  // namespace sluice::health
