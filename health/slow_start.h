#pragma once

#include <algorithm>

#include "config/base/clock.h"

// The weight of a server that came back: a tenth of the whole at once, a tenth more with each ninth
// of the pool's `slow_start`, the whole from its end on. Pure.
namespace sluice::health {

constexpr unsigned kWholeWeight = 10;  // tenths

constexpr unsigned tenths_after(base::Duration elapsed, base::Duration slow_start) noexcept {
  if (elapsed >= slow_start) return kWholeWeight;
  const auto ninths = 9 * std::max(elapsed, base::Duration(0)) / slow_start;
  return 1 + static_cast<unsigned>(ninths);
}

// How long after its return the weight grows beyond `tenths`, 1..9.
constexpr base::Duration step_after(unsigned tenths, base::Duration slow_start) noexcept {
  return (slow_start * tenths + base::Duration(8)) / 9;  // not a tick too early
}

}  // namespace sluice::health
