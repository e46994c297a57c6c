#include "dns/zone/presentation.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <vector>

#include "config/base/ascii.h"
#include "dns/ldns.h"

namespace sluice::dns {

namespace {

constexpr std::size_t kShownOctets = 60;

std::uint32_t unit_seconds(char unit) noexcept {
  switch (unit | 0x20) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3'600;
    case 'd':
      return 86'400;
    case 'w':
      return 604'800;
    default:
      return 0;
  }
}

// Whether the text ends with a dot that is not escaped.
bool is_absolute(std::string_view text) noexcept {
  if (!text.ends_with('.')) return false;
  std::size_t backslashes = 0;
  while (backslashes + 1 < text.size() && text[text.size() - 2 - backslashes] == '\\') {
    ++backslashes;
  }
  return backslashes % 2 == 0;
}

// Whether ldns reads all of it as we do: it takes a quote for a letter, and a NUL for the end.
bool is_plain(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"' || text[at] == '\0') return false;
    if (text[at] == '\\') ++at;
  }
  return true;
}

std::optional<Name> to_name(std::span<const std::uint8_t> wire) {
  WireReader reader(wire);
  const auto name = Name::read(reader);
  if (!name || !reader.at_end()) return std::nullopt;
  return *name;
}

// The character that an escape at `at` stands for; `at` moves to its last octet. Nothing: \256, or
// a backslash at the end.
std::optional<char> read_escape(std::string_view text, std::size_t& at) noexcept {
  if (at + 1 >= text.size()) return std::nullopt;
  if (!base::is_digit(text[at + 1])) return text[++at];
  if (at + 3 >= text.size() || !base::is_digit(text[at + 2]) || !base::is_digit(text[at + 3])) {
    return std::nullopt;
  }
  const int value = 100 * (text[at + 1] - '0') + 10 * (text[at + 2] - '0') + (text[at + 3] - '0');
  if (value > 255) return std::nullopt;
  at += 3;
  return static_cast<char>(value);
}

}  // namespace

bool same_word(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(a) == lower(b);
  });
}

std::optional<std::uint64_t> parse_ttl(std::string_view text) noexcept {
  std::uint64_t total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::invalid_argument) return std::nullopt;
    if (error != std::errc() || value > kMaxTtl) value = std::uint64_t{kMaxTtl} + 1;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::uint32_t unit = 1;
    if (!text.empty()) {
      unit = unit_seconds(text.front());
      if (unit == 0) return std::nullopt;
      text.remove_prefix(1);
    }
    total = std::min(total + value * unit, std::uint64_t{kMaxTtl} + 1);
  }
  return total;
}

bool is_class(std::string_view text) noexcept {
  constexpr std::string_view kClasses[] = {"IN", "CH", "HS", "CS", "NONE", "ANY"};
  if (std::ranges::any_of(kClasses, [&](auto name) { return same_word(text, name); })) return true;
  return text.size() > 5 && same_word(text.substr(0, 5), "CLASS") &&
         std::ranges::all_of(text.substr(5), base::is_digit);
}

std::optional<Name> parse_name(std::string_view text, const Name& origin) {
  if (text == "@") return origin;
  if (!is_plain(text)) return std::nullopt;
  const LdnsRdf parsed(ldns_dname_new_frm_str(std::string(text).c_str()));
  if (!parsed) return std::nullopt;
  const std::span<const std::uint8_t> wire(ldns_rdf_data(parsed.get()),
                                           ldns_rdf_size(parsed.get()));
  if (is_absolute(text)) return to_name(wire);
  std::vector<std::uint8_t> whole(wire.begin(), wire.end() - 1);  // less the root
  whole.insert(whole.end(), origin.wire().begin(), origin.wire().end());
  return to_name(whole);
}

std::optional<std::string> unquoted(std::string_view token) {
  if (token.size() >= 2 && token.starts_with('"') && token.ends_with('"')) {
    token = token.substr(1, token.size() - 2);
  }
  std::string text;
  for (std::size_t at = 0; at < token.size(); ++at) {
    if (token[at] == '"') return std::nullopt;
    if (token[at] != '\\') {
      text += token[at];
      continue;
    }
    const auto escaped = read_escape(token, at);
    if (!escaped) return std::nullopt;
    text += *escaped;
  }
  return text;
}

std::string shown(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (result.size() >= kShownOctets) return result + "...";
    if (c >= 0x20 && c < 0x7F) {
      result += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    result += '\\';
    for (const int digit : {octet / 100, octet / 10 % 10, octet % 10}) {
      result += static_cast<char>('0' + digit);
    }
  }
  return result;
}

}  // namespace sluice::dns
