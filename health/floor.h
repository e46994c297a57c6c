#pragma once

#include <optional>
#include <string>

#include "health/refusal.h"

// Semantics.md section 3, rule 1. Pure.
namespace sluice::health {

// What a drain would do to one answer set. Counted are members that are in by rules 2 to 5.
struct FloorCheck {
  std::string answer_set;  // an owner name that would be affected
  unsigned accepting = 0;
  unsigned would_leave = 0;
  unsigned min_accepting = 0;
};

// Only who would lower the number can be refused: a server that is out already may be drained.
constexpr bool breaks_floor(const FloorCheck& check) noexcept {
  return check.would_leave < check.accepting && check.would_leave < check.min_accepting;
}

Refusal floor_refusal(const FloorCheck& check);

}  // namespace sluice::health
