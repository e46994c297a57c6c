#include "health/api/metrics_page.h"

#include <algorithm>
#include <array>

namespace sluice::health {
namespace {

void append_escaped(std::string& text, std::string_view value) {
  for (;;) {
    // Three searches for one octet each are a few nanoseconds, one for any of three takes as much
    // for each octet.
    const std::size_t plain =
        std::min({value.find('\\'), value.find('"'), value.find('\n'), value.size()});
    text.append(value.substr(0, plain));
    if (plain == value.size()) return;
    text += '\\';
    text += value[plain] == '\n' ? 'n' : value[plain];
    value.remove_prefix(plain + 1);
  }
}

// The shortest decimal number that reads back as this double, never with an exponent.
std::string_view decimal(std::array<char, 400>& room, double value) {
  const auto end =
      std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::fixed);
  return {room.data(), end.ptr};
}

}  // namespace

std::string label_value(std::string_view text) {
  std::string escaped;
  append_escaped(escaped, text);
  return escaped;
}

void MetricsPage::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name).append(" ").append(help);
  text_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void MetricsPage::append_labels(Labels labels) {
  char before = '{';
  for (const auto& [name, value] : labels) {
    text_ += before;
    text_.append(name).append("=\"");
    append_escaped(text_, value);
    text_ += '"';
    before = ',';
  }
  if (labels.size() != 0) text_ += '}';
}

void MetricsPage::append_value(double value) {
  std::array<char, 400> room{};
  text_.append(" ").append(decimal(room, value)).append("\n");
}

void MetricsPage::append_value(std::uint64_t value) {
  std::array<char, 24> room{};
  const auto end = std::to_chars(room.data(), room.data() + room.size(), value);
  text_.append(" ").append(room.data(), end.ptr).append("\n");
}

void MetricsPage::histogram(std::string_view name, std::string_view help,
                            const Histogram& durations) {
  family(name, "histogram", help);
  const std::string bucket = std::string(name) + "_bucket";
  const std::string sum = std::string(name) + "_sum";
  const std::string total = std::string(name) + "_count";
  constexpr double kMicrosecondsPerSecond = 1e6;
  std::uint64_t count = 0;
  std::array<char, 400> room{};
  name_ = bucket;
  for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i) {
    count += durations.bucket(i);
    sample({{"le", decimal(room, Histogram::kBounds.at(i) / kMicrosecondsPerSecond)}}, count);
  }
  count += durations.bucket(Histogram::kBounds.size());
  sample({{"le", "+Inf"}}, count);
  name_ = sum;
  sample({}, durations.sum_seconds());
  // Of the same reading as the buckets, so that +Inf and the count agree.
  name_ = total;
  sample({}, count);
  name_ = name;
}

}  // namespace sluice::health
