#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace sluice::config {

// The first octet that does not belong in a text file: not UTF-8 (RFC 3629), or a control character
// other than tab, line feed and carriage return.
struct BadOctet {
  std::size_t offset = 0;
  int line = 0;  // counts from 1
};
std::optional<BadOctet> find_bad_octet(std::string_view text) noexcept;

}  // namespace sluice::config
