#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "health/authority_state.h"

namespace sluice::health {

// What this responder, cut off from the others (health/cluster), does for itself alone: it takes
// servers out, and tells the others once they can be reached.
class Authority::State::Alone {
 public:
  explicit Alone(State& state) : state_(state) {}

  // From here on orders are for this responder alone, or no more.
  void act(bool on);
  bool acts() const noexcept { return acts_; }

  // The highest generation that was answered that way; the others' go on above it.
  std::uint64_t generation() const noexcept { return generation_; }
  void answered(std::uint64_t generation) noexcept {
    generation_ = std::max(generation_, generation);
  }

  // Whether a hold of this responder's own keeps it out of answers that others would give.
  bool held(ServerId server, std::string_view service) const;
  // The hold that such a drain placed, if it stands.
  const Hold* hold_of(const DrainRequest& request) const;
  // The floor that this drain would break.
  std::optional<FloorCheck> broken_floor(const Target& target) const;
  Edition compose(const std::vector<ServicePoolId>& dirty) const;

  // Makes its holds everybody's, with the turn.
  void adopt();
  // Those of which that came to nothing are its own again.
  void keep_what_was_not_adopted();

 private:
  State& state_;
  bool acts_ = false;
  std::uint64_t generation_ = 0;
  std::map<HoldKey, Hold> adopting_;  // on their way to the others
};

}  // namespace sluice::health
