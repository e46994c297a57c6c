#include "config/utf8.h"

#include <cstdint>

namespace sluice::config {
namespace {

// Octets of the character at the front of `text`, or 0 when it is none (RFC 3629 section 4:
// shortest form, no surrogates, nothing above U+10FFFF).
std::size_t character_size(std::string_view text) noexcept {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = octet(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
  if (first == 0xe0) low = 0xa0;
  if (first == 0xed) high = 0x9f;
  if (first == 0xf0) low = 0x90;
  if (first == 0xf4) high = 0x8f;
  if (octet(1) < low || octet(1) > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (octet(i) < 0x80 || octet(i) > 0xbf) return 0;
  }
  return size;
}

bool is_control(char c) noexcept {
  const auto octet = static_cast<std::uint8_t>(c);
  return (octet < 0x20 && c != '\t' && c != '\n' && c != '\r') || octet == 0x7f;
}

}  // namespace

std::optional<BadOctet> find_bad_octet(std::string_view text) noexcept {
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text.substr(at));
    if (size == 0 || is_control(text[at])) return BadOctet{at, line};
    if (text[at] == '\n') ++line;
    at += size;
  }
  return {};
}

}  // namespace sluice::config
