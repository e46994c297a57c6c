#pragma once

#include <cstdint>

namespace sluice::dns {

// The random numbers of one answer: splitmix64 (Steele, Lea and Flood 2014), a few instructions a
// number and 64 bits of state. They spread load and are no secret: who sees many answers may
// foresee the next one.
//
// Each answer has a sequence of its own, number `index` of those that belong to `seed`; so nothing
// is drawn, and nothing changes, for an answer that needs no chance.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t index) noexcept : state_(mix(seed + index * kStep)) {}

  std::uint64_t next() noexcept { return mix(state_ += kStep); }

  // 0..bound - 1. The upper half of a product: the likeliest number is so by bound / 2^64 only.
  // REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>((Wide{next()} * bound) >> 64);
  }

 private:
  __extension__ using Wide = unsigned __int128;  // not in ISO C++; both our compilers have it

  static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio, odd

  static std::uint64_t mix(std::uint64_t value) noexcept {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
  }

  std::uint64_t state_;
};

}  // namespace sluice::dns
