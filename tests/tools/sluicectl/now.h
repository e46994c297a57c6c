#pragma once

#include <chrono>

#include "config/base/clock.h"

namespace sluice::ctl {

// When the tests of what operators read take place: 2025-11-20T10:00:00Z.
inline constexpr base::WallTime kNow{std::chrono::seconds(1'763'632'800)};

}  // namespace sluice::ctl
