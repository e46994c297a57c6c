#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/result.h"

// BIND's $GENERATE: one line that stands for many ("$GENERATE 1-254 host$ A 192.0.2.$").
namespace sluice::dns {

struct GenerateRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // below 2^31, as is all of it
  std::uint32_t step = 1;

  std::uint64_t count() const noexcept { return (std::uint64_t{last} - first) / step + 1; }
};

// "1-254" or "0-100/10".
std::optional<GenerateRange> parse_range(std::string_view text) noexcept;

// `token` with each "$" replaced by the number, and each "${offset,width,base}" by number + offset,
// zero-padded to `width` characters, in base d, o, x, X, or n, N (hexadecimal nibbles from the
// lowest on, with dots between them: for ip6.arpa). "\$" and "$$" are a dollar sign.
base::Result<std::string, std::string> substitute(std::string_view token, std::uint32_t number);

}  // namespace sluice::dns
