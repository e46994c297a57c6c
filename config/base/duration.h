#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/base/clock.h"

namespace sluice::base {

// DURATION as operators type it, in files, on command lines and in the API: whole numbers with a
// unit, the larger unit first: "90s", "15m" or "15min", "2h", "1h30m", "500ms", "1d". A number
// without a unit, a fraction, a sign, a space or more than 100 years is none.
std::optional<Duration> parse_duration(std::string_view text);

// In the same form, the fewest units that are exact: "1h30m", "0s". Not for negative durations.
std::string to_text(Duration duration);

}  // namespace sluice::base
