#pragma once

#include <cstdint>
#include <string_view>

#include "config/base/error.h"

namespace sluice::agent {

// The largest number of sessions that can be told: JSON carries whole numbers exactly up to it.
inline constexpr std::uint64_t kMaxCount = (std::uint64_t{1} << 53U) - 1;

// One whole number 0..kMaxCount with nothing but blanks around it. The error says what stands
// there instead: "nothing", "\"many\", not one whole number".
base::Checked<std::uint64_t> parse_count(std::string_view text);

}  // namespace sluice::agent
