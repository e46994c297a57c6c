#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/base/clock.h"

namespace sluice::ctl {

// RFC 3339, section 5.6: "2026-11-20T10:00:30Z", fractions and offsets included. A leap second
// (":60") counts as the second after.
std::optional<base::WallTime> parse_timestamp(std::string_view text);

// In the user's time zone: "10:00:30", with the date before it when that is not today's.
std::string local_time(base::WallTime time, base::WallTime now);

}  // namespace sluice::ctl
