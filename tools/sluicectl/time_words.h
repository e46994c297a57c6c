#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/base/clock.h"
#include "config/base/result.h"

// Times as operators type them, for the API, which takes a DURATION or RFC 3339. The error is a
// sentence without the option's name.
namespace sluice::ctl {

// TIME: RFC 3339 stays as it is; HH:MM is the next one of the user's time zone, which on the day on
// which the clocks go back may be the second of its name, and is refused where the clocks skip it;
// +DURATION loses its sign. What is past by our clock is refused.
base::Result<std::string, std::string> api_time(std::string_view typed, base::WallTime now);

// What is wrong with its form; nothing: it is a TIME.
std::optional<std::string> no_time(std::string_view typed);

// What is wrong with a moment of RFC 3339 that must lie ahead; nothing: it does, or is no such one.
std::optional<std::string> no_future(std::string_view typed, base::WallTime now);

// Of --expires: DURATION above zero or RFC 3339, as it is.
base::Result<std::string, std::string> api_expiry(std::string_view typed);

}  // namespace sluice::ctl
