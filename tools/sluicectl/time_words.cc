#include "tools/sluicectl/time_words.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>

#include "config/base/duration.h"
#include "health/rfc3339.h"

namespace sluice::ctl {
namespace {

using std::chrono::system_clock;

struct TimeOfDay {
  int hour = 0;
  int minute = 0;
};

std::optional<TimeOfDay> parse_time_of_day(std::string_view text) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 5 || text[2] != ':') return {};
  if (!digit(0) || !digit(1) || !digit(3) || !digit(4)) return {};
  const auto number = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const TimeOfDay time{number(0), number(3)};
  if (time.hour > 23 || time.minute > 59) return {};
  return time;
}

std::tm local(std::time_t time) {
  std::tm fields{};
  localtime_r(&time, &fields);
  return fields;
}

bool same(const std::tm& left, const std::tm& right) {
  return left.tm_year == right.tm_year && left.tm_mon == right.tm_mon &&
         left.tm_mday == right.tm_mday && left.tm_hour == right.tm_hour &&
         left.tm_min == right.tm_min;
}

// The moments at which clocks show these fields: one; two where they go back, none where they skip
// them. Whatever the zone does, it is at one of the offsets of the day before and the day after.
struct Moments {
  std::optional<std::time_t> first;
  std::optional<std::time_t> second;
  std::time_t latest = 0;  // where they skip them: behind the gap
};
Moments moments_of(std::tm fields) {
  constexpr std::time_t kDay = 86'400;
  const std::time_t as_utc = timegm(&fields);  // normalises the 32nd, too
  Moments found;
  for (const std::time_t offset :
       {local(as_utc - kDay).tm_gmtoff, local(as_utc + kDay).tm_gmtoff}) {
    const std::time_t moment = as_utc - offset;
    found.latest = std::max(found.latest, moment);
    if (!same(local(moment), fields)) continue;
    if (!found.first) {
      found.first = moment;
    } else if (*found.first != moment) {
      found.second = moment;
    }
  }
  // The offset before the change is the larger one where clocks go back: its moment is the earlier.
  return found;
}

base::Result<std::string, std::string> next_time_of_day(const TimeOfDay& time, base::WallTime now) {
  const std::time_t after = system_clock::to_time_t(now);
  std::tm today = local(after);
  today.tm_hour = time.hour;
  today.tm_min = time.minute;
  today.tm_sec = 0;
  for (int day = 0; day < 2; ++day, ++today.tm_mday) {
    const Moments moments = moments_of(today);
    if (!moments.first && moments.latest > after) break;
    for (const auto& moment : {moments.first, moments.second}) {
      if (!moment || *moment <= after) continue;
      return health::to_rfc3339(
          std::chrono::time_point_cast<base::Duration>(system_clock::from_time_t(*moment)));
    }
  }
  return base::Unexpected<std::string>{
      "the clocks skip the next time of that name; RFC 3339 says what you mean"};
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

}  // namespace

std::optional<std::string> no_time(std::string_view typed) {
  const bool later = typed.starts_with('+') && base::parse_duration(typed.substr(1));
  if (later || parse_time_of_day(typed) || health::parse_rfc3339(typed)) return {};
  std::string mistake = quoted(typed) + " is no time: 22:00, +2h or 2026-11-20T22:00:00Z";
  if (base::parse_duration(typed)) mistake += " (from now on: +" + std::string(typed) + ")";
  return mistake;
}

base::Result<std::string, std::string> api_time(std::string_view typed, base::WallTime now) {
  if (auto mistake = no_time(typed)) return base::Unexpected{*std::move(mistake)};
  if (typed.starts_with('+')) return std::string(typed.substr(1));
  if (const auto time = parse_time_of_day(typed)) return next_time_of_day(*time, now);
  if (auto past = no_future(typed, now)) return base::Unexpected{*std::move(past)};
  return std::string(typed);
}

std::optional<std::string> no_future(std::string_view typed, base::WallTime now) {
  const auto moment = health::parse_rfc3339(typed);
  if (!moment || *moment > now) return {};
  return quoted(typed) + " is past";
}

base::Result<std::string, std::string> api_expiry(std::string_view typed) {
  if (base::parse_duration(typed) == base::Duration::zero()) {
    return base::Unexpected{quoted(typed) + " is no time at all"};
  }
  if (base::parse_duration(typed) || health::parse_rfc3339(typed)) return std::string(typed);
  return base::Unexpected{quoted(typed) +
                          " is no duration: 90s, 15m, 2h, 1h30m, or a time of RFC 3339"};
}

}  // namespace sluice::ctl
