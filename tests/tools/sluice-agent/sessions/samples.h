#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "config/base/clock.h"

// When the tests of counters take their samples, and of which port.
namespace sluice::agent::samples {

inline base::MonoTime at(int second) {
  return base::MonoTime(std::chrono::seconds(second));
}
inline constexpr base::MonoTime kNow{std::chrono::seconds(1)};

inline constexpr std::array<std::uint16_t, 1> kSip{5060};

}  // namespace sluice::agent::samples
