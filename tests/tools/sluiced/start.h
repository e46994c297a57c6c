#pragma once

#include <chrono>

#include "config/base/clock.h"

namespace sluice {

// When a test begins: long after the machine's start, as a daemon's life does.
inline constexpr base::MonoTime kStart{std::chrono::hours(100)};

}  // namespace sluice
