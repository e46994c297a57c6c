#include "config/base/foreign_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace sluice::base {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t octets = 1;
  bool valid = false;
};

// RFC 3629: neither longer than need be, nor a surrogate, nor beyond U+10FFFF.
Character first_character(std::string_view text) noexcept {
  const auto octet = [&](std::size_t at) -> std::uint32_t {
    return static_cast<unsigned char>(text[at]);
  };
  const std::uint32_t first = octet(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t octets = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < octets) return {first, 1, false};
  std::uint32_t code = first & (0xffU >> (octets + 1));
  for (std::size_t at = 1; at < octets; ++at) {
    if ((octet(at) & 0xc0) != 0x80) return {first, 1, false};
    code = (code << 6) | (octet(at) & 0x3f);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool valid = code >= kLeast[octets] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  if (!valid) return {first, 1, false};
  return {code, octets, true};
}

bool is_plain(std::uint32_t code) noexcept {
  constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 8> kOthers{{
      {0x00, 0x1f},
      {0x7f, 0x9f},
      {0x061c, 0x061c},  // ARABIC LETTER MARK
      {0x200e, 0x200f},  // LEFT-TO-RIGHT MARK and its like
      {0x2028, 0x202e},  // LINE SEPARATOR, PARAGRAPH SEPARATOR, embeddings and overrides
      {0x2066, 0x2069},  // isolates
      {0xfeff, 0xfeff},  // a byte order mark within a text hides what it stands in
      {0xfff9, 0xfffb},  // interlinear annotations
  }};
  return std::ranges::none_of(
      kOthers, [&](const auto& range) { return code >= range.first && code <= range.second; });
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.valid && is_plain(character.code)) {
      out += text.substr(0, character.octets);
    } else {
      std::array<char, 12> hex{};
      const bool octet = !character.valid || character.code < 0x80;
      std::snprintf(hex.data(), hex.size(), octet ? "\\x%02x" : "\\u%04x",
                    static_cast<unsigned>(character.code));
      out += hex.data();
    }
    text.remove_prefix(character.octets);
  }
  return out;
}

bool is_plain_line(std::string_view text) noexcept {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.valid || !is_plain(character.code)) return false;
    text.remove_prefix(character.octets);
  }
  return true;
}

}  // namespace sluice::base
