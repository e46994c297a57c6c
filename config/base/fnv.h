#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::base {

// FNV-1a of 64 bits: the same in every build, so that it may go to disk. Each octet is a bijection
// of the state: one changed octet alone never goes unnoticed. Not for what an attacker chooses.
class Fnv1a {
 public:
  void add(unsigned char octet) noexcept { state_ = (state_ ^ octet) * 0x100000001b3; }
  void add(std::string_view octets) noexcept {
    for (const char octet : octets) add(static_cast<unsigned char>(octet));
  }
  std::uint64_t value() const noexcept { return state_; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325;
};

}  // namespace sluice::base
