#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::bench {

// Durations in nanoseconds, kept to 1/64 of their value: no allocation while measuring, and no
// sample is thrown away.
class Latencies {
 public:
  void add(std::uint64_t nanoseconds) noexcept {
    ++counts_[place_of(nanoseconds)];
    ++total_;
  }

  // The value that `share` (0..1) of the samples don't exceed; 0 when there is none.
  std::uint64_t quantile(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t place = 0; place < counts_.size(); ++place) {
      seen += counts_[place];
      if (seen > 0 && seen >= wanted) return value_of(place);
    }
    return 0;
  }

 private:
  static constexpr unsigned kBits = 6;

  // Values below 64 have a place each, and each power of two above has 64 of them.
  static std::size_t place_of(std::uint64_t value) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(value | 1));
    if (width <= kBits) return value;
    const unsigned shift = width - kBits - 1;
    return (static_cast<std::size_t>(shift + 1) << kBits) + ((value >> shift) - (1U << kBits));
  }
  static std::uint64_t value_of(std::size_t place) noexcept {
    const std::size_t group = place >> kBits;
    if (group == 0) return place;
    return ((place & ((1U << kBits) - 1)) + (1U << kBits)) << (group - 1);
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(64 << kBits);
  std::uint64_t total_ = 0;
};

}  // namespace sluice::bench
