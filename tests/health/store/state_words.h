#pragma once

#include <optional>
#include <sstream>
#include <string>

#include "health/store.h"

namespace sluice::health::testing {

inline void write_moment(std::ostream& out, const base::Moment& at) {
  out << '@' << at.wall.time_since_epoch().count() << '@' << at.mono.time_since_epoch().count()
      << '@' << at.boot;
}

inline void write_hold(std::ostream& out, const Hold& hold) {
  out << hold.key.server << ' ' << hold.key.service << ' ' << static_cast<int>(hold.key.origin)
      << ' ' << hold.by << ' ' << hold.reason << ' ' << hold.since.time_since_epoch().count() << ' '
      << (hold.startup ? static_cast<int>(*hold.startup) : -1) << hold.forced << hold.hide_host;
  if (hold.expiry) {
    out << " until " << hold.expiry->id << ' ' << hold.expiry->at.time_since_epoch().count() << ' '
        << static_cast<int>(hold.expiry->then) << hold.expiry->alarmed;
  }
  for (const auto& [service, instance] : hold.instances) out << ' ' << service << '=' << instance;
  for (const auto& service : hold.released) out << " -" << service;
  for (const auto& [service, at] : hold.horizons) {
    out << ' ' << service;
    write_moment(out, at);
  }
  out << '\n';
}

inline void write_plan(std::ostream& out, const PlannedDrain& plan) {
  out << plan.id << ' ' << plan.server << ' ' << plan.service << ' '
      << plan.at.time_since_epoch().count() << ' ' << plan.by << ' ' << plan.reason << ' '
      << (plan.startup ? static_cast<int>(*plan.startup) : -1) << plan.hide_host << plan.force
      << ' ' << (plan.expires ? plan.expires->time_since_epoch().count() : -1) << ' '
      << static_cast<int>(plan.then) << ' ' << plan.created.time_since_epoch().count();
  if (plan.capped_since) write_moment(out, *plan.capped_since);
  out << '\n';
}

// All that a state says, but the reserved numbers: those may skip some.
inline std::string words(const StoredState& state) {
  std::ostringstream out;
  for (const Hold& hold : state.holds) write_hold(out, hold);
  for (const PutHealth& row : state.health) {
    out << row.server << ' ' << row.service << ' ' << static_cast<int>(row.health) << '\n';
  }
  for (const PutForce& row : state.forces) {
    out << row.server << ' ' << row.service << ' ' << static_cast<int>(*row.health) << ' ' << row.by
        << ' ' << row.since.time_since_epoch().count() << '\n';
  }
  for (const PlannedDrain& plan : state.schedules) write_plan(out, plan);
  for (const PutPoolTtl& row : state.pool_ttls) {
    out << row.pool << ' ' << row.ttl.count();
    write_moment(out, row.kept_until);
    out << '\n';
  }
  for (const auto& [zone, base] : state.serial_bases) out << zone << ' ' << base << '\n';
  return out.str();
}

}  // namespace sluice::health::testing
