#pragma once

#include <string>

#include "config/base/clock.h"

namespace sluice::ctl {

// Countdowns: rounded up to whole seconds, so that none says zero too early; negative is zero.

// For tables, as durations are typed: "28s", "1m30s", "2h".
std::string compact(base::Duration duration);

// For sentences: "28 s", "1 min 30 s", "2 h".
std::string spoken(base::Duration duration);

}  // namespace sluice::ctl
