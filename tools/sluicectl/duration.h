#pragma once

#include <string>
#include <string_view>

#include "config/base/clock.h"
#include "config/base/result.h"

namespace sluice::ctl {

// DURATION as interfaces.md has it: "90s", "15m", "2h", "1h30m"; days ("1d") and "min" for minutes
// as in the configuration. Units go from large to small, each at most once; a bare number is an
// error, since nobody can tell minutes from seconds. At most 366 days: longer is a slip of the
// finger. The error is a sentence.
base::Result<base::Duration, std::string> parse_duration(std::string_view text);

// Rounded up to whole seconds, negative is zero. The form that parse_duration() reads: "28s",
// "1m30s", "2h".
std::string compact(base::Duration duration);

// The same for sentences: "28 s", "1 min 30 s", "2 h".
std::string spoken(base::Duration duration);

}  // namespace sluice::ctl
