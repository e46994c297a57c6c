#include "config/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <tuple>
#include <utility>

#include "config/base/ascii.h"
#include "config/base/duration.h"
#include "config/base/size.h"

namespace sluice::config {
namespace {

// What fits a terminal's line beside file, line and path.
constexpr std::size_t kShownOctets = 60;

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), base::is_digit);
}

// What a scalar that is no whole decimal number in range lacks: "a whole number, ".
std::string_view number_wanted(std::string_view text, bool plain) {
  if (!plain) return "a number without quotes, ";
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (all_digits(digits) && digits.size() > 1 && digits.front() == '0') {
    return "a decimal number without leading zeros, ";
  }
  if (all_digits(digits)) return "";  // it is only out of range
  if (digits.starts_with("0x") || digits.starts_with("0o") || digits.starts_with("0b")) {
    return "a decimal number, ";
  }
  const auto point = digits.find_first_not_of("0123456789");
  const bool fraction = point != 0 && point != std::string_view::npos && digits[point] == '.';
  return fraction ? "a whole number, " : "a number, ";
}

}  // namespace

void Findings::add(int line, std::string path, std::string message) {
  errors_.push_back({{file_, line}, std::move(path), std::move(message)});
}

std::vector<base::Error> Findings::take() {
  std::ranges::stable_sort(errors_, {}, [&](const base::Error& error) {
    return std::tuple(error.where.file != file_, std::string_view(error.where.file),
                      error.where.line);
  });
  return std::move(errors_);
}

std::string Value::path() const {
  if (parent_ == nullptr) return {};
  std::string path = parent_->path();
  if (key_.data() == nullptr) return path + '[' + std::to_string(index_) + ']';
  if (!path.empty()) path += '.';
  return path + printable(key_);
}

std::optional<std::string_view> Value::text() const {
  if (kind() != Document::Kind::Scalar) {
    reject("must be text, is " + shown());
    return {};
  }
  const std::string_view text = document_->text(id_);
  if (text.empty() || text.find('\0') != std::string_view::npos) {
    reject(text.empty() ? "must not be empty" : "must be text without NUL");
    return {};
  }
  return text;
}

std::optional<std::uint64_t> Value::number(std::uint64_t min, std::uint64_t max,
                                           std::string_view instead) const {
  const bool scalar = kind() == Document::Kind::Scalar;
  const std::string_view text = scalar ? document_->text(id_) : "";
  const bool plain = style() == Document::Style::Plain;
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool decimal = all_digits(text) && (text.size() == 1 || text.front() != '0');
  if (scalar && plain && decimal && status == std::errc() && value >= min && value <= max) {
    return value;
  }
  std::string message = "must be " + std::string(instead);
  message += scalar ? number_wanted(text, plain) : "a number, ";
  reject(message + std::to_string(min) + ".." + std::to_string(max) + ", is " + shown());
  return {};
}

std::optional<base::Duration> Value::duration(base::Duration min, base::Duration max) const {
  const std::string range = base::to_text(min) + ".." + base::to_text(max);
  const bool scalar = kind() == Document::Kind::Scalar;
  const std::string_view text = scalar ? document_->text(id_) : "";
  const auto duration = base::parse_duration(text);
  if (duration && *duration >= min && *duration <= max) return duration;
  std::string wanted = "must be ";
  if (all_digits(text)) {
    wanted = "needs a unit (such as " + printable(text) + "s), ";
  } else if (!duration) {
    wanted = "must be a duration such as 90s, 15m or 1h30m, ";
  }
  reject(wanted + range + ", is " + shown());
  return {};
}

std::optional<std::uint64_t> Value::size(std::uint64_t min, std::uint64_t max,
                                         std::string_view instead) const {
  const bool scalar = kind() == Document::Kind::Scalar;
  const auto octets = base::parse_size(scalar ? document_->text(id_) : "");
  if (octets && *octets >= min && *octets <= max) return octets;
  reject("must be " + std::string(instead) + (octets ? "" : "a size such as 512MiB or 2GiB, ") +
         base::size_text(min) + ".." + base::size_text(max) + ", is " + shown());
  return {};
}

std::optional<unsigned> Value::percentage(unsigned min, unsigned max) const {
  const bool scalar = kind() == Document::Kind::Scalar;
  const std::string_view text = scalar ? document_->text(id_) : "";
  const std::string_view digits = text.substr(0, text.find('%'));
  unsigned value = 0;
  const auto status = std::from_chars(digits.data(), digits.data() + digits.size(), value).ec;
  if (all_digits(digits) && digits.size() + 1 == text.size() && status == std::errc() &&
      (digits.size() == 1 || digits.front() != '0') && value >= min && value <= max) {
    return value;
  }
  reject("must be a percentage, " + std::to_string(min) + "%.." + std::to_string(max) + "%, is " +
         shown());
  return {};
}

std::optional<bool> Value::flag() const {
  // YAML 1.2's two words; yes, no, on and off are text there, and refused rather than guessed.
  if (kind() == Document::Kind::Scalar && style() == Document::Style::Plain) {
    if (document_->text(id_) == "true") return true;
    if (document_->text(id_) == "false") return false;
  }
  reject("must be true or false, is " + shown());
  return {};
}

std::optional<std::size_t> Value::word(std::initializer_list<std::string_view> words,
                                       std::initializer_list<std::string_view> later) const {
  const bool scalar = kind() == Document::Kind::Scalar;
  const std::string_view text = scalar ? document_->text(id_) : "";
  const auto* const found = std::find(words.begin(), words.end(), text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  if (scalar && std::find(later.begin(), later.end(), text) != later.end()) {
    reject(std::string(text) + " is not supported by this version yet; use " + alternatives(words));
  } else {
    reject("must be " + alternatives(words) + ", is " + shown());
  }
  return {};
}

std::optional<base::IpAddress> Value::address() const {
  const bool scalar = kind() == Document::Kind::Scalar;
  const auto address = base::IpAddress::parse(scalar ? document_->text(id_) : "");
  if (!address) reject("must be an address such as 192.0.2.1 or 2001:db8::1, is " + shown());
  return address;
}

std::optional<base::SocketAddress> Value::socket_address() const {
  const bool scalar = kind() == Document::Kind::Scalar;
  const auto address = base::SocketAddress::parse(scalar ? document_->text(id_) : "");
  if (!address) reject("must be ADDRESS@PORT such as 127.0.0.1@53 or ::1@53, is " + shown());
  return address;
}

std::optional<base::Prefix> Value::prefix() const {
  const bool scalar = kind() == Document::Kind::Scalar;
  const auto prefix = base::Prefix::parse(scalar ? document_->text(id_) : "");
  if (!prefix) {
    reject("must be an address block such as 192.0.2.0/24 or 2001:db8::/32, is " + shown());
  }
  return prefix;
}

bool Value::is_list() const {
  if (kind() == Document::Kind::Sequence || kind() == Document::Kind::Null) return true;
  reject("must be a list, is " + shown());
  return false;
}

bool Value::is(std::string_view word) const {
  return kind() == Document::Kind::Scalar && document_->text(id_) == word;
}

std::string Value::shown() const {
  switch (kind()) {
    case Document::Kind::Null:
      return "empty";
    case Document::Kind::Sequence:
      return "a list";
    case Document::Kind::Mapping:
      return "a mapping";
    case Document::Kind::Scalar:
      break;
  }
  const std::string text = printable(document_->text(id_));
  return style() == Document::Style::Plain ? text : '"' + text + '"';
}

std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    if (shown.size() >= kShownOctets) {
      // Not in the middle of a UTF-8 character.
      while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xc0U) == 0x80U) {
        shown.pop_back();
      }
      if (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0x80U) != 0) {
        shown.pop_back();
      }
      return shown + "...";
    }
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet != 0x7f) {
      shown += c;
      continue;
    }
    std::array<char, 5> escaped{};
    static_cast<void>(std::snprintf(escaped.data(), escaped.size(), "\\x%02x", octet));
    shown += escaped.data();
  }
  return shown;
}

std::string alternatives(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const auto* word = words.begin(); word != words.end(); ++word) {
    if (word != words.begin()) text += word + 1 == words.end() ? " or " : ", ";
    text += *word;
  }
  return text;
}

}  // namespace sluice::config
