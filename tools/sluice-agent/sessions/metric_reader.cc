#include "tools/sluice-agent/sessions/metric_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "config/base/ascii.h"
#include "tools/sluice-agent/log.h"
#include "tools/sluice-agent/sessions/count.h"

namespace sluice::agent {
namespace {

constexpr std::string_view kMetricBlanks = " \t";

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
// As strconv.ParseFloat of Go reads it, which the format refers to; what is too large for a double
// is infinite.
std::optional<double> parse_value(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return {};
  }
  // from_chars also takes "nan(...)".
  if (text.find('(') != std::string_view::npos) return {};
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return {};
  if (error == std::errc::result_out_of_range) return HUGE_VAL;
  return value;
}

bool is_timestamp(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), base::is_digit);
}

}  // namespace

// One line, from left to right. What does not match takes nothing.
class MetricReader::Cursor {
 public:
  explicit Cursor(std::string_view line) : left_(line) {}

  bool at_end() const noexcept { return left_.empty(); }
  bool take(char c) {
    if (left_.empty() || left_.front() != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  // Whether there were any.
  bool skip_blanks() {
    const auto count = std::min(left_.find_first_not_of(kMetricBlanks), left_.size());
    left_.remove_prefix(count);
    return count > 0;
  }
  // Of a metric, which may have colons, or of a label. Empty: there is none.
  std::string_view name(bool colons) {
    std::size_t size = 0;
    while (size < left_.size() &&
           (is_letter(left_[size]) || (size > 0 && base::is_digit(left_[size])) ||
            (colons && left_[size] == ':'))) {
      ++size;
    }
    return front(size);
  }
  std::string_view word() {
    return front(std::min(left_.find_first_of(kMetricBlanks), left_.size()));
  }
  // What stands between quotes, the first of which is taken already.
  bool quoted(std::string& out) {
    out.clear();
    while (!left_.empty()) {
      const char c = left_.front();
      left_.remove_prefix(1);
      if (c == '"') return true;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (take('n')) {
        out += '\n';
      } else if (take('"')) {
        out += '"';
      } else if (take('\\')) {
        out += '\\';
      } else {
        return false;
      }
    }
    return false;
  }

 private:
  std::string_view front(std::size_t size) {
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::string_view left_;
};

MetricReader::MetricReader(std::string metric, const std::map<std::string, std::string>& labels)
    : metric_(std::move(metric)) {
  for (const auto& [name, value] : labels) labels_.push_back({name, value, {}});
}

void MetricReader::feed(std::string_view octets) {
  while (!failure_ && !octets.empty()) {
    const auto end = octets.find('\n');
    const std::string_view piece = octets.substr(0, end);
    if (rest_.size() + piece.size() > kMaxLine) return fail("is too long");
    if (end == std::string_view::npos) {
      rest_.append(piece);
      return;
    }
    octets.remove_prefix(end + 1);
    if (rest_.empty()) {
      take_line(piece);
    } else {
      rest_.append(piece);
      take_line(rest_);
      rest_.clear();
    }
    ++line_;
  }
}

void MetricReader::fail(std::string what) {
  if (!failure_) failure_ = "line " + std::to_string(line_) + " of the page " + std::move(what);
}

void MetricReader::take_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  Cursor cursor(line);
  cursor.skip_blanks();
  if (cursor.at_end() || cursor.take('#')) return;
  const std::string_view metric = cursor.name(true);
  if (metric.empty()) return fail("does not start with the name of a metric");
  for (Wanted& label : labels_) label.found.reset();
  bool apart = cursor.skip_blanks();
  if (cursor.take('{')) {
    if (const char* wrong = take_labels(cursor)) return fail(wrong);
    cursor.skip_blanks();
    apart = true;
  }
  const std::string_view value = cursor.word();
  if (!apart || !parse_value(value)) return fail("has no number as its value");
  cursor.skip_blanks();
  if (!cursor.at_end() && !is_timestamp(cursor.word())) {
    return fail("has something else than a timestamp behind its value");
  }
  cursor.skip_blanks();
  if (!cursor.at_end()) return fail("has more than a timestamp behind its value");
  const auto fits = [](const Wanted& label) { return label.found.value_or("") == label.value; };
  if (metric == metric_ && std::all_of(labels_.begin(), labels_.end(), fits)) add(value);
}

// NAME="VALUE", ... and the closing brace; what is wrong, or null.
const char* MetricReader::take_labels(Cursor& cursor) {
  while (true) {
    cursor.skip_blanks();
    if (cursor.take('}')) return nullptr;
    const std::string_view name = cursor.name(false);
    if (name.empty()) return "has no name of a label where one should be";
    cursor.skip_blanks();
    if (!cursor.take('=')) return "has a label without a value";
    cursor.skip_blanks();
    if (!cursor.take('"') || !cursor.quoted(unescaped_)) {
      return "has a label whose value is not quoted as it should be";
    }
    const auto wanted = std::find_if(labels_.begin(), labels_.end(),
                                     [&](const Wanted& label) { return label.name == name; });
    if (wanted != labels_.end()) {
      if (wanted->found) return "has a label twice";
      wanted->found = unescaped_;
    }
    cursor.skip_blanks();
    if (cursor.take(',')) continue;
    return cursor.take('}') ? nullptr : "has labels that do not end";
  }
}

void MetricReader::add(std::string_view text) {
  ++matches_;
  const double value = *parse_value(text);
  // Written so that NaN fails, too.
  if (!(value >= 0 && value <= static_cast<double>(kMaxCount)) || std::floor(value) != value) {
    return fail("has " + printable(text, 60) + " where a whole number should be");
  }
  sum_ += static_cast<std::uint64_t>(value);
  if (sum_ > kMaxCount) fail("makes the sum larger than can be told");
}

base::Checked<std::uint64_t> MetricReader::finish() {
  if (!rest_.empty()) fail("does not end: it may be cut off");
  if (failure_) return base::failure(*failure_);
  if (matches_ > 0) return sum_;
  std::string with;
  for (const Wanted& label : labels_) {
    with += (with.empty() ? " with " : ", ") + label.name + "=\"" + label.value + "\"";
  }
  return base::failure("the page has no " + metric_ + printable(with));
}

}  // namespace sluice::agent
