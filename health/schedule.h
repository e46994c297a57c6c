#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/model.h"

// Drains that are planned, and holds that end by themselves (semantics.md section 7). Pure.
namespace sluice::health {

using ScheduleId = std::uint64_t;  // never used twice, across restarts too

// What happens when a hold's time is over.
enum class Then : std::uint8_t { Lift, Alarm };
const char* to_string(Then then) noexcept;

// When a hold ends by itself.
struct Expiry {
  ScheduleId id = 0;
  base::WallTime at;
  Then then = Then::Lift;
  bool alarmed = false;    // Then::Alarm, and its time has come
  std::string clock = {};  // of the responder by which `at` is meant; empty: this one's

  friend bool operator==(const Expiry&, const Expiry&) = default;
};

// A drain that is planned: from `at` on no cache names the server any more, so it leaves the
// answers before.
struct PlannedDrain {
  ScheduleId id = 0;
  std::string server;   // FQDN
  std::string service;  // empty: the whole server
  base::WallTime at;
  std::string by;
  std::string reason;
  std::optional<config::Startup> startup;  // empty: each service's default
  bool hide_host = false;
  bool force = false;
  std::optional<base::WallTime> expires;  // of the hold
  Then then = Then::Lift;
  base::WallTime created;
  // Since then every answer that names it has a TTL that ends before `at`; empty: not known.
  std::optional<base::Moment> capped_since;
  std::string clock = {};  // of the responder by which the times are meant; empty: this one's

  friend bool operator==(const PlannedDrain&, const PlannedDrain&) = default;
};

// Answers that name the server may stay in caches until then, and no longer.
constexpr base::WallTime not_after(const PlannedDrain& plan,
                                   const config::Health& settings) noexcept {
  return plan.at - settings.horizon_margin;
}

// When the server leaves the answers: caches keep what was sent last for `resolver_min_ttl`.
constexpr base::WallTime leaves_at(const PlannedDrain& plan,
                                   const config::Health& settings) noexcept {
  return not_after(plan, settings) - settings.resolver_min_ttl;
}

}  // namespace sluice::health
