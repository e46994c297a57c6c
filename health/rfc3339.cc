#include "health/rfc3339.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace sluice::health {
namespace {

using base::Duration;
using base::WallTime;

constexpr WallTime kFirst{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}.time_since_epoch()};
constexpr WallTime kLast{
    std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1}.time_since_epoch() - Duration(1)};

// Takes the text apart from the left; once something is missing it stays failed.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!next_is_digit()) return fail();
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  bool next_is_digit() const {
    return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
  }
  // One of `allowed`, or 0.
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      fail();
      return 0;
    }
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }
  bool next_is(char wanted) const { return !rest_.empty() && rest_.front() == wanted; }
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

Duration read_fraction(Cursor& cursor) {
  if (!cursor.next_is('.')) return Duration(0);
  cursor.one_of(".");
  int milliseconds = 0;
  int scale = 100;
  do {
    milliseconds += cursor.digits(1) * scale;
    scale /= 10;
  } while (cursor.next_is_digit());
  return Duration(milliseconds);
}

// What has to be taken off the local time to get UTC, or nothing.
std::optional<Duration> read_offset(Cursor& cursor) {
  const char sign = cursor.one_of("Zz+-");
  if (sign == 0) return {};
  if (sign == 'Z' || sign == 'z') return Duration(0);
  const int hours = cursor.digits(2);
  cursor.one_of(":");
  const int minutes = cursor.digits(2);
  if (!cursor.ok() || hours > 23 || minutes > 59) return {};
  const Duration offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return sign == '-' ? -offset : offset;
}

}  // namespace

std::string to_rfc3339(WallTime time) {
  time = std::clamp(time, kFirst, kLast);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 40> text{};
  int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  std::string result(text.data(), static_cast<std::size_t>(size));
  if (clock.subseconds().count() != 0) {
    size = std::snprintf(text.data(), text.size(), ".%03d",
                         static_cast<int>(clock.subseconds().count()));
    result.append(text.data(), static_cast<std::size_t>(size));
  }
  return result + "Z";
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  Cursor cursor(text);
  const int year = cursor.digits(4);
  cursor.one_of("-");
  const int month = cursor.digits(2);
  cursor.one_of("-");
  const int day = cursor.digits(2);
  cursor.one_of("Tt");
  const int hour = cursor.digits(2);
  cursor.one_of(":");
  const int minute = cursor.digits(2);
  cursor.one_of(":");
  const int second = cursor.digits(2);
  const Duration fraction = read_fraction(cursor);
  const std::optional<Duration> offset = read_offset(cursor);
  if (!cursor.ok() || !cursor.at_end() || !offset) return {};
  const std::chrono::year_month_day date(std::chrono::year{year},
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return {};
  return WallTime(std::chrono::sys_days(date).time_since_epoch()) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second) + fraction - *offset;
}

}  // namespace sluice::health
