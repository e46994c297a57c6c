#pragma once

#include <chrono>
#include <ctime>

#include "config/base/clock.h"

namespace sluice::base {

// For what C reads and writes by the calendar, of any time there is: std::chrono's own way leads
// over nanoseconds, which end in the year 2262. Certificates last until 9999 (RFC 5280 section
// 4.1.2.5), and who answers us may say anything.
inline std::time_t to_time_t(WallTime time) noexcept {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace sluice::base
