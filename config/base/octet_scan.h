#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

// Looks for octets of a kind, eight at a time.
namespace sluice::base {

static_assert(std::endian::native == std::endian::little, "the first octet is the lowest");

inline constexpr std::uint64_t kEachOctet = 0x0101010101010101;
inline constexpr std::uint64_t kHighBits = 0x8080808080808080;

// The high bit of the first octet of `word` that is below `limit` (1..128); what is set above that
// may be wrong.
constexpr std::uint64_t octet_below(std::uint64_t word, std::uint8_t limit) noexcept {
  return (word - kEachOctet * limit) & ~word & kHighBits;
}
// Likewise of the first that is `octet`.
constexpr std::uint64_t octet_equal(std::uint64_t word, std::uint8_t octet) noexcept {
  return octet_below(word ^ (kEachOctet * octet), 1);
}

// The place of the first octet for which `hits(word)` has its high bit; the size if there is none.
// 'a' must be no hit.
template <class Hits>
std::size_t first_octet(std::string_view text, Hits hits) noexcept {
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t hit = hits(word);
    if (hit != 0) return at + static_cast<std::size_t>(std::countr_zero(hit)) / 8;
  }
  std::uint64_t word = kEachOctet * 'a';
  if (at < text.size()) std::memcpy(&word, text.data() + at, text.size() - at);
  const std::uint64_t hit = hits(word);
  return hit == 0 ? text.size() : at + static_cast<std::size_t>(std::countr_zero(hit)) / 8;
}

// Octets at the start of `text` that stand in a JSON text as they are: printable ASCII but the
// quotation mark and the backslash (RFC 8259 section 7).
inline std::size_t plain_json_octets(std::string_view text) noexcept {
  return first_octet(text, [](std::uint64_t word) {
    return octet_below(word, 0x20) | octet_equal(word, '"') | octet_equal(word, '\\') |
           octet_equal(word, 0x7f) | (word & kHighBits);
  });
}

}  // namespace sluice::base
