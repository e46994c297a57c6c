// The plain form of a heartbeat, read in one pass without a document in between.

#include <utility>

#include "config/base/octet_scan.h"
#include "health/heartbeat.h"
#include "health/strict_json.h"

namespace sluice::health {
namespace {

// Reads on while the octets are plain; from the first that are not, it fails for good, so that a
// reader reads a whole structure and asks ok() once.
class PlainReader {
 public:
  explicit PlainReader(std::string_view octets) : left_(octets) {}

  bool ok() const noexcept { return ok_; }
  bool at_end() {
    skip_blanks();
    return left_.empty();
  }

  // Calls `member(name)` for each member of an object; it must read the value.
  template <class Member>
  void object(Member&& member) {
    take('{');
    if (next_is('}')) return take('}');
    while (ok_) {
      const std::string_view name = text();
      take(':');
      if (ok_) member(name);
      if (!next_is(',')) break;
      take(',');
    }
    take('}');
  }

  // Printable ASCII without escapes; not empty.
  std::string_view text() {
    take('"');
    const std::size_t size = base::plain_json_octets(left_);
    const std::string_view value = left_.substr(0, size);
    left_.remove_prefix(size);
    ok_ = ok_ && size > 0 && size <= kMaxJsonText && left_.starts_with('"');
    if (ok_) left_.remove_prefix(1);
    return value;
  }

  // A whole number of at most `most` digits.
  std::uint64_t number(std::size_t most) {
    skip_blanks();
    const std::string_view value = digits(most);
    ok_ = ok_ && (value.size() == 1 || value.front() != '0') && !goes_on_as_number();
    return value_of(value);
  }

  // Seconds with at most three digits after the point.
  std::chrono::milliseconds seconds() {
    skip_blanks();
    const std::string_view whole = digits(9);  // below the 10^9 that are allowed
    std::uint64_t milliseconds = value_of(whole) * 1'000;
    ok_ = ok_ && (whole.size() == 1 || whole.front() != '0');
    if (ok_ && left_.starts_with('.')) {
      left_.remove_prefix(1);
      const std::string_view part = digits(3);
      milliseconds += value_of(part) * (part.size() == 1 ? 100 : part.size() == 2 ? 10 : 1);
    }
    ok_ = ok_ && !goes_on_as_number();
    return std::chrono::milliseconds(milliseconds);
  }

  void fail() noexcept { ok_ = false; }

 private:
  static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
  static std::uint64_t value_of(std::string_view digits) noexcept {
    std::uint64_t value = 0;
    for (const char c : digits) value = value * 10 + static_cast<std::uint64_t>(c - '0');
    return value;
  }

  void skip_blanks() noexcept {
    while (!left_.empty() && (left_.front() == ' ' || left_.front() == '\n' ||
                              left_.front() == '\r' || left_.front() == '\t')) {
      left_.remove_prefix(1);
    }
  }
  bool next_is(char c) noexcept {
    skip_blanks();
    return ok_ && left_.starts_with(c);
  }
  void take(char c) noexcept {
    ok_ = next_is(c);
    if (ok_) left_.remove_prefix(1);
  }
  std::string_view digits(std::size_t most) noexcept {
    std::size_t size = 0;
    while (size < left_.size() && size <= most && is_digit(left_[size])) ++size;
    ok_ = ok_ && size > 0 && size <= most;
    const std::string_view value = ok_ ? left_.substr(0, size) : std::string_view("0");
    if (ok_) left_.remove_prefix(size);
    return value;
  }
  bool goes_on_as_number() const noexcept {
    return !left_.empty() && (is_digit(left_.front()) || left_.front() == '.' ||
                              left_.front() == 'e' || left_.front() == 'E');
  }

  std::string_view left_;
  bool ok_ = true;
};

Health read_health(PlainReader& reader) {
  const std::string_view word = reader.text();
  if (word == "up") return Health::Up;
  if (word == "down") return Health::Down;
  if (word != "stopped") reader.fail();
  return Health::Stopped;
}

// More members than any agent has are read in full, where they come sorted: in no order, each would
// move those behind it (FlatMap), and an agent's token would be enough to keep the thread for long.
constexpr std::size_t kMostMembers = 64;

Sessions read_sessions(PlainReader& reader) {
  // As many digits as are within kMaxJsonInteger whatever they are.
  constexpr std::size_t kDigits = 15;
  // Longer names are a mistake, which the full reader explains.
  constexpr std::size_t kNameOctets = 255;
  Sessions sessions;
  reader.object([&](std::string_view name) {
    const std::uint64_t count = reader.number(kDigits);
    const bool fresh = sessions.try_emplace(std::string(name), count).second;
    const bool right = fresh && name.size() <= kNameOctets;
    if (!right || sessions.size() > kMostMembers) reader.fail();
  });
  return sessions;
}

ServiceReport read_service(PlainReader& reader) {
  ServiceReport report;
  bool has_health = false;
  reader.object([&](std::string_view name) {
    if (name == "health" && !has_health) {
      has_health = true;
      report.health = read_health(reader);
    } else if (name == "instance" && !report.instance) {
      report.instance = reader.text();
    } else if (name == "sessions" && !report.sessions) {
      report.sessions = read_sessions(reader);
    } else if (name == "last_new_connection" && !report.last_new_connection) {
      report.last_new_connection = reader.seconds();
    } else {
      reader.fail();
    }
  });
  if (!has_health) reader.fail();
  return report;
}

}  // namespace

std::optional<Heartbeat> parse_plain_heartbeat(std::string_view octets) {
  constexpr std::size_t kSeqDigits = 19;     // fit into 64 bits whatever they are
  constexpr std::size_t kUsualServices = 6;  // below a kilobyte, which malloc has at hand
  PlainReader reader(octets);
  Heartbeat heartbeat;
  bool has_seq = false;
  bool has_services = false;
  reader.object([&](std::string_view name) {
    if (name == "instance" && heartbeat.instance.empty()) {
      heartbeat.instance = reader.text();
    } else if (name == "seq" && !has_seq) {
      has_seq = true;
      heartbeat.seq = reader.number(kSeqDigits);
    } else if (name == "services" && !has_services) {
      has_services = true;
      heartbeat.services.reserve(kUsualServices);
      reader.object([&](std::string_view service) {
        const auto [place, fresh] = heartbeat.services.try_emplace(std::string(service));
        if (!fresh || heartbeat.services.size() > kMostMembers) return reader.fail();
        place->second = read_service(reader);
      });
    } else {
      reader.fail();
    }
  });
  if (!reader.ok() || !reader.at_end() || heartbeat.instance.empty() || !has_seq || !has_services) {
    return std::nullopt;
  }
  return heartbeat;
}

}  // namespace sluice::health
