#include "tools/sluicectl/timestamp.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <ctime>

namespace sluice::ctl {
namespace {

// Takes fixed columns from the front of a text; once something does not fit, it stays failed.
class Columns {
 public:
  explicit Columns(std::string_view text) : text_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    if (text_.size() < count) ok_ = false;
    if (!ok_) return 0;
    for (const char octet : text_.substr(0, count)) {
      if (octet < '0' || octet > '9') ok_ = false;
      value = value * 10 + (octet - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  // One of the octets; which one.
  char any_of(std::string_view octets) {
    if (text_.empty() || octets.find(text_.front()) == std::string_view::npos) ok_ = false;
    if (!ok_) return '\0';
    const char octet = text_.front();
    text_.remove_prefix(1);
    return octet;
  }
  // ".5" is 500 ms; more than three digits are cut.
  std::chrono::milliseconds fraction() {
    int value = 0;
    int weight = 100;
    if (text_.empty() || text_.front() != '.') return {};
    text_.remove_prefix(1);
    value = digits(1) * weight;
    while (ok_ && !text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
      weight /= 10;
      value += digits(1) * weight;
    }
    return std::chrono::milliseconds(value);
  }
  bool ok() const { return ok_; }
  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
  bool ok_ = true;
};

std::chrono::minutes read_offset(Columns& columns) {
  const char sign = columns.any_of("Zz+-");
  if (sign != '+' && sign != '-') return {};
  std::chrono::minutes size = std::chrono::hours(columns.digits(2));
  columns.any_of(":");
  size += std::chrono::minutes(columns.digits(2));
  return sign == '-' ? -size : size;
}

std::tm local(base::WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm fields{};
  localtime_r(&seconds, &fields);
  return fields;
}

}  // namespace

std::optional<base::WallTime> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  Columns columns(text);
  const year_month_day date = [&] {
    const int y = columns.digits(4);
    columns.any_of("-");
    const int m = columns.digits(2);
    columns.any_of("-");
    const int d = columns.digits(2);
    return year(y) / month(static_cast<unsigned>(m)) / day(static_cast<unsigned>(d));
  }();
  columns.any_of("Tt ");
  const int h = columns.digits(2);
  columns.any_of(":");
  const int m = columns.digits(2);
  columns.any_of(":");
  const int s = columns.digits(2);
  const milliseconds fraction = columns.fraction();
  const minutes offset = read_offset(columns);
  if (!columns.ok() || !columns.at_end() || !date.ok() || h > 23 || m > 59 || s > 60) return {};
  return base::WallTime(sys_days(date)) + hours(h) + minutes(m) + seconds(s) + fraction - offset;
}

std::string local_time(base::WallTime time, base::WallTime now) {
  const std::tm fields = local(time);
  const std::tm today = local(now);
  const bool same_day = fields.tm_year == today.tm_year && fields.tm_yday == today.tm_yday;
  std::array<char, 64> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &fields);
  return {text.data(), size};
}

}  // namespace sluice::ctl
