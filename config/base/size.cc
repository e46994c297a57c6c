#include "config/base/size.h"

#include <array>
#include <charconv>

namespace sluice::base {
namespace {

struct SizeUnit {
  std::string_view name;
  unsigned shift;
};

constexpr std::array kSizeUnits{SizeUnit{"GiB", 30}, SizeUnit{"MiB", 20}, SizeUnit{"KiB", 10},
                                SizeUnit{"", 0}};

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (status != std::errc()) return {};
  const std::string_view name(end, text.data() + text.size());
  for (const SizeUnit& unit : kSizeUnits) {
    if (unit.name != name) continue;
    if (count > UINT64_MAX >> unit.shift) return {};
    return count << unit.shift;
  }
  return {};
}

std::string size_text(std::uint64_t octets) {
  for (const SizeUnit& unit : kSizeUnits) {
    const std::uint64_t whole = octets >> unit.shift;
    if (whole > 0 && whole << unit.shift == octets) {
      return std::to_string(whole) + std::string(unit.name);
    }
  }
  return "0";
}

}  // namespace sluice::base
