#include "config/list_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "config/base/ascii.h"
#include "config/names.h"
#include "config/value.h"

namespace sluice::config {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// What ends a line's fields, and what none of them may have.
constexpr std::array<bool, 256> kStops = [] {
  std::array<bool, 256> table{};
  for (const char c : {';', '(', ')', '"', '\\'}) table[static_cast<std::uint8_t>(c)] = true;
  return table;
}();

// The next word of a line, which loses it; empty: there is none.
std::string_view take_word(std::string_view& line) {
  std::size_t begin = 0;
  while (begin < line.size() && is_blank(line[begin])) ++begin;
  std::size_t end = begin;
  while (end < line.size() && !is_blank(line[end])) ++end;
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

// Of each octet its lower case, if it may stand in a name; else 0.
constexpr std::array<char, 256> kInNames = [] {
  std::array<char, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) {
    table[static_cast<std::uint8_t>(c)] = c;
    table[static_cast<std::uint8_t>(c - 'a' + 'A')] = c;
  }
  for (char c = '0'; c <= '9'; ++c) table[static_cast<std::uint8_t>(c)] = c;
  for (const char c : {'-', '_', '.'}) table[static_cast<std::uint8_t>(c)] = c;
  return table;
}();

// Appends the name in lower case. False: something is wrong with it, names.h knows what.
bool append_lower(std::string_view text, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + text.size());
  char* next = out.data() + before;
  std::size_t label = 0;
  char last = '.';
  for (const char c : text) {
    const char lower = kInNames[static_cast<std::uint8_t>(c)];
    const bool ends = lower == '.';
    if (lower == 0 || (ends && (label == 0 || last == '-')) || (lower == '-' && label == 0)) {
      return false;
    }
    label = ends ? 0 : label + 1;
    if (label > kMaxLabel) return false;
    *next++ = lower;
    last = lower;
  }
  return label > 0 && last != '-';
}

bool same_word(std::string_view word, std::string_view upper) {
  return std::equal(word.begin(), word.end(), upper.begin(), upper.end(), [](char a, char b) {
    return a == b || (b >= 'A' && b <= 'Z' && a == b - 'A' + 'a');
  });
}

// Seconds, or with the units that zone files know: "30", "1h30m".
std::optional<std::uint64_t> seconds_of(std::string_view text) {
  constexpr std::array kUnits = {std::pair{'s', 1U}, std::pair{'m', 60U}, std::pair{'h', 3'600U},
                                 std::pair{'d', 86'400U}, std::pair{'w', 604'800U}};
  std::uint64_t total = 0;
  while (!text.empty()) {
    std::uint32_t count = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (status != std::errc()) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::uint64_t unit = 1;
    if (!text.empty()) {
      const char letter = static_cast<char>(text.front() | 0x20);
      const auto* known = std::ranges::find(kUnits, letter, &std::pair<char, unsigned>::first);
      if (known == kUnits.end()) return {};
      unit = known->second;
      text.remove_prefix(1);
    }
    total += count * unit;
  }
  return total;
}

constexpr const char* kOneLine =
    "has one of ( ) \" \\, which a list can't have: one record stands in one line";

std::string read_address(std::string_view type, std::string_view text, base::IpAddress& out) {
  const bool v4 = same_word(type, "A");
  if (!v4 && !same_word(type, "AAAA")) {
    return "is a record of type " + printable(type) +
           ": a list has A and AAAA records alone, others belong into zones:";
  }
  const char* wanted =
      v4 ? "an IPv4 address such as 192.0.2.1" : "an IPv6 address such as 2001:db8::1";
  if (text.empty()) return std::string("must end with ") + wanted;
  const auto address = base::IpAddress::parse(text);
  if (!address || address->is_v4() != v4) {
    return std::string("must be ") + wanted + ", is " + printable(text);
  }
  if (!address->is_one_machine()) {
    return "must be the address of one machine, is " + address->to_string();
  }
  out = *address;
  return {};
}

}  // namespace

ListFile::Step ListFile::next() {
  Step step;
  while (!rest_.empty()) {
    std::string_view line = take_line();
    std::size_t end = 0;
    while (end < line.size() && !kStops[static_cast<std::uint8_t>(line[end])]) ++end;
    const bool foreign = end < line.size() && line[end] != ';';
    line = line.substr(0, end);
    if (foreign) {
      step.mistake = kOneLine;
    } else if (line.starts_with('$')) {
      step.mistake = read_directive(line);
    } else {
      step.mistake = read_record(line, step.record);
    }
    step.line = line_;
    if (step.record || !step.mistake.empty()) return step;
  }
  return step;
}

std::string_view ListFile::take_line() {
  const auto end = rest_.find('\n');
  const std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  ++line_;
  return line;
}

ListFile::Fault ListFile::read_directive(std::string_view line) {
  const std::string_view directive = take_word(line);
  const std::string_view value = take_word(line);
  const bool alone = take_word(line).empty();
  if (same_word(directive, "$TTL")) {
    if (value.empty() || !alone) return "must be $TTL SECONDS";
    return check_ttl(value);
  }
  if (!same_word(directive, "$ORIGIN")) {
    return "has " + printable(directive) + ": a list knows $ORIGIN and $TTL alone";
  }
  std::string origin;
  Fault fault = value.empty() || !alone ? "must be $ORIGIN NAME." : absolute(value, origin);
  if (!fault.empty()) {
    rest_ = {};  // every relative name below would be another one
    return fault;
  }
  origin_ = std::move(origin);
  spelt_ = {};
  return {};
}

ListFile::Fault ListFile::read_record(std::string_view line, std::optional<ListRecord>& out) {
  std::string_view fields = line;
  const bool named = !line.empty() && !is_blank(line.front());
  bool same = true;
  Fault owner_fault = named ? take_owner(fields, same) : Fault();
  std::string_view word = take_word(fields);
  if (word.empty() && !named) return {};  // an empty line
  if (!owner_fault.empty()) return owner_fault;
  if (owner_lost_) return {};
  if (!owner_known_) return "must begin with the name of a server: there is none before it";
  // TTL and class, in either order (RFC 1035 section 5.1).
  for (int field = 0; field < 2 && !word.empty(); ++field) {
    if (base::is_digit(word.front())) {
      if (Fault fault = check_ttl(word); !fault.empty()) return fault;
    } else if (same_word(word, "CH") || same_word(word, "HS") || same_word(word, "CS")) {
      return "must be of class IN, is of " + printable(word);
    } else if (!same_word(word, "IN")) {
      break;
    }
    word = take_word(fields);
  }
  if (word.empty()) return "must be NAME A ADDRESS or NAME AAAA ADDRESS";
  ListRecord record;
  if (Fault fault = read_address(word, take_word(fields), record.address); !fault.empty()) {
    return fault;
  }
  if (const auto more = take_word(fields); !more.empty()) {
    return "has more behind the address: " + printable(more);
  }
  record.owner = owner_;
  record.same_owner = same;
  record.line = line_;
  out = record;
  return {};
}

// REQUIRES: the line begins with one.
ListFile::Fault ListFile::take_owner(std::string_view& line, bool& same) {
  const std::string_view word = take_word(line);
  same = owner_known_ && !owner_lost_ && word == spelt_;
  if (same) return {};
  Fault fault = absolute(word, owner_);
  owner_known_ = true;
  owner_lost_ = !fault.empty();
  spelt_ = word;
  return fault;
}

ListFile::Fault ListFile::check_ttl(std::string_view text) const {
  const auto seconds = seconds_of(text);
  if (!seconds) return "must be a TTL in seconds, is " + printable(text);
  if (*seconds == static_cast<std::uint64_t>(ttl_.count())) return {};
  return "has the TTL " + printable(text) + ", but the pools' ttl is " +
         std::to_string(ttl_.count()) + "s: leave it out here, or make them agree";
}

ListFile::Fault ListFile::absolute(std::string_view text, std::string& out) const {
  const bool relative = !text.ends_with('.');
  if (relative && origin_.empty()) {
    return "has the relative name " + printable(text) +
           ": end it with a dot, or put $ORIGIN NAME. before it";
  }
  out.clear();
  bool good = true;
  if (text != "@") {
    good = append_lower(relative ? text : text.substr(0, text.size() - 1), out);
    if (!good) out = text;
    if (relative) out += '.';
  }
  if (relative) out += origin_;
  // A name that ends with a digit may be an address.
  if (good && out.size() <= kMaxName && !base::is_digit(out.back())) return {};
  const auto checked = check_dns_name(out);
  return checked ? Fault() : checked.error();
}

}  // namespace sluice::config
