#include "tools/sluicectl/render/duration_words.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "config/base/duration.h"

namespace sluice::ctl {
namespace {

std::chrono::seconds whole_seconds(base::Duration duration) {
  return std::max(std::chrono::ceil<std::chrono::seconds>(duration), std::chrono::seconds(0));
}

struct Unit {
  std::string_view name;
  std::int64_t seconds;
};
constexpr std::array kUnits{Unit{"d", 86'400}, Unit{"h", 3'600}, Unit{"min", 60}, Unit{"s", 1}};

}  // namespace

std::string compact(base::Duration duration) {
  return base::to_text(whole_seconds(duration));
}

std::string spoken(base::Duration duration) {
  std::int64_t left = whole_seconds(duration).count();
  std::string text;
  for (const Unit& unit : kUnits) {
    const std::int64_t count = left / unit.seconds;
    left %= unit.seconds;
    if (count == 0) continue;
    if (!text.empty()) text += ' ';
    text.append(std::to_string(count)).append(" ").append(unit.name);
  }
  return text.empty() ? "0 s" : text;
}

}  // namespace sluice::ctl
