#pragma once

#include <chrono>
#include <cstdint>

#include "config/base/clock.h"
#include "config/model.h"

// When the last cache forgets a server (semantics.md section 1, "cache horizon"). Pure.
namespace sluice::health {

// When an answer that was sent until `period_end` with this TTL has left every cache that honours
// TTLs. `not_after`: the TTL was capped, so that nothing was to be kept beyond (semantics.md
// section 7), but by resolvers that keep everything for `resolver_min_ttl`.
constexpr base::MonoTime horizon_of(base::MonoTime period_end, std::chrono::seconds ttl,
                                    const config::Health& settings,
                                    base::MonoTime not_after = base::MonoTime::max()) noexcept {
  base::MonoTime kept_until = period_end + ttl;
  if (not_after < kept_until) kept_until = not_after;
  const base::MonoTime least = period_end + settings.resolver_min_ttl;
  if (kept_until < least) kept_until = least;
  return kept_until + settings.horizon_margin;
}

// Whether answers name something (a service on a server, or a server's host record), and until when
// caches may. What was named before the authority started is not known: a Naming starts with the
// horizon of somebody who was named until then.
struct Naming {
  // The publication that took it out, until every worker serves it; 0: none. In one word with
  // `named`: there may be a million of these.
  std::uint64_t leaving : 63 = 0;
  bool named : 1 = false;  // in the newest publication
  base::MonoTime horizon;  // over all periods that have ended

  bool out() const noexcept { return !named && leaving == 0; }
  bool past(base::MonoTime now) const noexcept { return out() && horizon <= now; }

  void enter() noexcept { named = true; }
  void leave(std::uint64_t publication) noexcept {
    named = false;
    left_by(publication);
  }
  void left_by(std::uint64_t publication) noexcept {
    leaving = publication & (~std::uint64_t{0} >> 1);
  }
  // Every worker serves `publication`: the period that it ended is over.
  void confirm(std::uint64_t publication, base::MonoTime end) noexcept {
    if (end > horizon) horizon = end;
    if (leaving == publication) leaving = 0;
  }
};

}  // namespace sluice::health
