#include "config/base/duration.h"

#include <array>
#include <charconv>
#include <cstdint>

#include "config/base/ascii.h"

namespace sluice::base {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

// From large to small; of two names for one unit the first is the one that is written.
constexpr std::array kUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                            Unit{"min", 60'000},   Unit{"s", 1'000},     Unit{"ms", 1}};

// 100 years: far beyond anything that is meant, far below what overflows in sums of times.
constexpr std::int64_t kMax = 100LL * 365 * 86'400'000;

std::string_view take_while(std::string_view& text, bool (*wanted)(char)) {
  std::size_t length = 0;
  while (length < text.size() && wanted(text[length])) ++length;
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

constexpr bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return {};
  std::int64_t total = 0;
  std::int64_t smallest = kMax;  // of the units seen; each must be smaller than the one before
  while (!text.empty()) {
    const std::string_view digits = take_while(text, is_digit);
    std::int64_t count = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (status != std::errc()) return {};
    const std::string_view name = take_while(text, is_letter);
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits) {
      if (candidate.name == name) unit = &candidate;
    }
    if (unit == nullptr || unit->milliseconds >= smallest) return {};
    if (count > (kMax - total) / unit->milliseconds) return {};
    smallest = unit->milliseconds;
    total += count * unit->milliseconds;
  }
  return Duration(total);
}

std::string to_text(Duration duration) {
  std::string text;
  std::int64_t rest = duration.count();
  for (const Unit& unit : kUnits) {
    if (rest < unit.milliseconds) continue;
    text += std::to_string(rest / unit.milliseconds);
    text += unit.name;
    rest %= unit.milliseconds;
  }
  return text.empty() ? "0s" : text;
}

}  // namespace sluice::base
