#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::fuzz {

// Where a network cuts a stream of octets, from one octet of input: whatever a reader makes of the
// stream must not depend on it.
class Cuts {
 public:
  // 0: not at all; 1: after each octet; others: pieces of many lengths, the same ones each time.
  explicit Cuts(std::uint8_t manner) : manner_(manner), state_(manner) {}

  // Takes the next piece off `octets`; not empty unless `octets` is.
  std::string_view take(std::string_view& octets) {
    const std::size_t size = std::min(octets.size(), next());
    const std::string_view piece = octets.substr(0, size);
    octets.remove_prefix(size);
    return piece;
  }

 private:
  std::size_t next() {
    if (manner_ == 0) return SIZE_MAX;
    if (manner_ == 1) return 1;
    // Any generator will do; this is that of POSIX' example for rand().
    state_ = state_ * 1'103'515'245U + 12'345U;
    return 1 + (state_ >> 16) % (2U << (manner_ % 8));
  }

  std::uint8_t manner_;
  std::uint32_t state_;
};

}  // namespace sluice::fuzz
