#include "tools/sluicectl/duration.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sluice::ctl {
namespace {

using std::chrono::seconds;

constexpr seconds kLongest = std::chrono::hours(24 * 366);

struct Unit {
  std::string_view name;
  std::string_view spoken;
  std::int64_t seconds;
};
// From large to small. "min" is read as "m" is.
constexpr std::array kUnits{Unit{"d", "d", 86'400}, Unit{"h", "h", 3'600}, Unit{"m", "min", 60},
                            Unit{"s", "s", 1}};

base::Unexpected<std::string> wrong(std::string_view text) {
  return base::Unexpected{"'" + std::string(text) + "' is no duration: 90s, 15m, 2h or 1h30m"};
}

std::size_t unit_at(std::string_view name) {
  if (name == "min") name = "m";
  const auto* unit = std::ranges::find(kUnits, name, &Unit::name);
  return static_cast<std::size_t>(unit - kUnits.begin());
}

std::string write(base::Duration duration, std::string_view Unit::*name, std::string_view gap,
                  std::string_view between) {
  auto left = std::max(std::chrono::ceil<seconds>(duration), seconds(0)).count();
  if (left == 0) return "0" + std::string(gap) + "s";
  std::string text;
  for (const Unit& unit : kUnits) {
    const auto count = left / unit.seconds;
    if (count == 0) continue;
    left %= unit.seconds;
    if (!text.empty()) text += between;
    text += std::to_string(count);
    text += gap;
    text += unit.*name;
  }
  return text;
}

}  // namespace

base::Result<base::Duration, std::string> parse_duration(std::string_view text) {
  if (text.empty()) return wrong(text);
  seconds total{0};
  std::size_t next_unit = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::uint32_t count = 0;
    const auto [after, failed] = std::from_chars(at, end, count);
    if (failed != std::errc{}) return wrong(text);
    const char* unit_end =
        std::find_if(after, end, [](char octet) { return octet >= '0' && octet <= '9'; });
    const std::size_t unit = unit_at({after, static_cast<std::size_t>(unit_end - after)});
    if (unit < next_unit || unit == kUnits.size()) return wrong(text);
    next_unit = unit + 1;
    // No overflow: a count of 2^32-1 days is 2^49 seconds.
    total += seconds(count * kUnits[unit].seconds);
    at = unit_end;
  }
  if (total > kLongest) return base::Unexpected{"'" + std::string(text) + "' is over 366 days"};
  return base::Duration(total);
}

std::string compact(base::Duration duration) {
  return write(duration, &Unit::name, "", "");
}

std::string spoken(base::Duration duration) {
  return write(duration, &Unit::spoken, " ", " ");
}

}  // namespace sluice::ctl
