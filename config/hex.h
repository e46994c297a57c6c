#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::config {

// `Octets` octets in hexadecimal digits of either case, two each, and nothing else.
template <std::size_t Octets>
constexpr std::optional<std::array<std::uint8_t, Octets>> parse_hex(std::string_view text) {
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return 16;
  };
  std::array<std::uint8_t, Octets> octets{};
  if (text.size() != 2 * Octets) return {};
  for (std::size_t i = 0; i < Octets; ++i) {
    const unsigned high = digit(text[2 * i]);
    const unsigned low = digit(text[2 * i + 1]);
    if (high > 15 || low > 15) return {};
    octets[i] = static_cast<std::uint8_t>(high << 4U | low);
  }
  return octets;
}

}  // namespace sluice::config
