#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "config/base/clock.h"
#include "config/model.h"
#include "health/view.h"

// How long an agent's last push stays true, and when the authority doubts itself rather than its
// servers (semantics.md section 3, rule 5). Pure.
namespace sluice::health {

struct Lease {
  std::optional<base::MonoTime> last_push;  // since the authority's start
  bool current = false;
  // Set in a mass loss, cleared by the next push, by force-down, or when the time is over. While it
  // is set the end of the lease leaves the last known health in force.
  std::optional<base::MonoTime> guarded_until;

  bool guarded() const noexcept { return !current && guarded_until.has_value(); }
};

LeaseState state_of(const Lease& lease) noexcept;

// True when `part` of `whole` is more than `percent`.
bool more_than(std::size_t part, std::size_t whole, unsigned percent) noexcept;

// The judgement when a lease of a pool ends at `now`.
struct Loss {
  std::vector<std::size_t> lost;   // current before, last push older than two heartbeats
  std::size_t current_before = 0;  // those whose lease is ending among them
  bool mass = false;
};
Loss judge_loss(std::span<const Lease> pool, const config::Health& settings, base::MonoTime now);

// Whether a pool still answers by what was known before the authority started.
struct Grace {
  base::MonoTime started;
  std::size_t servers = 0;
  std::size_t unheard = 0;
};
bool in_grace(const Grace& grace, const config::Health& settings, base::MonoTime now) noexcept;

}  // namespace sluice::health
