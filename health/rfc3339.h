#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/base/clock.h"

// Points in time as people and JSON write them (RFC 3339). Pure.
namespace sluice::health {

// In UTC: "2026-11-20T10:00:30Z", with ".250" before the Z only when it is not a whole second.
// Times outside of the years 0000..9999, which the format cannot say, become its first or last.
std::string to_rfc3339(base::WallTime time);

// A date-time of RFC 3339 section 5.6, with any offset; digits below the millisecond are cut off.
// Nothing for anything else: no blank in place of the T, no missing offset, no 31 November, and no
// leap second (the system's clock has none).
std::optional<base::WallTime> parse_rfc3339(std::string_view text);

}  // namespace sluice::health
