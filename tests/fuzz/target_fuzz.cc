// The target of a request -> segments and parameters, or nothing. What is accepted, escaped octet
// by octet, means the same; nothing in it moves a cursor or ends a line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "health/api/uri.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sluice;
using health::Target;

bool is_clean(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

std::string escaped(std::string_view text) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string octets;
  for (const char c : text) {
    octets += '%';
    octets += kDigits[static_cast<unsigned char>(c) >> 4];
    octets += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return octets;
}

std::string written(const Target& target) {
  std::string text;
  for (const std::string& segment : target.segments) text += '/' + escaped(segment);
  char before = '?';
  for (const auto& [name, value] : target.query) {
    text += before + escaped(name) + '=' + escaped(value);
    before = '&';
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // The request parser lets visible ASCII through, and nothing else.
  if (!std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; })) return 0;
  const auto target = health::parse_target(text);
  if (!target) return 0;
  fuzz::require(!target->segments.empty());
  for (const std::string& segment : target->segments) fuzz::require(is_clean(segment));
  for (const auto& [name, value] : target->query) {
    fuzz::require(is_clean(name) && is_clean(value));
    fuzz::require(target->parameter(name) != nullptr && *target->parameter(name) == value);
  }
  const auto again = health::parse_target(written(*target));
  fuzz::require(again.has_value());
  fuzz::require(again->segments == target->segments && again->query == target->query);
  return 0;
}
