#include "dns/zone/generate.h"

#include <array>
#include <charconv>
#include <limits>

namespace sluice::dns {

namespace {

constexpr std::uint32_t kMaxNumber = 0x7FFFFFFF;
constexpr unsigned kMaxWidth = 255;  // no name is longer

// What stands between "${" and "}".
struct Format {
  std::int64_t offset = 0;
  unsigned width = 0;
  char base = 'd';
};

template <class T>
bool take_number(std::string_view& text, T& number) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char c) noexcept {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Format> parse_format(std::string_view text) noexcept {
  Format format;
  static_cast<void>(take(text, '+'));
  if (!take_number(text, format.offset)) return std::nullopt;
  if (take(text, ',') && !take_number(text, format.width)) return std::nullopt;
  if (take(text, ',')) {
    if (text.empty()) return std::nullopt;
    format.base = text.front();
    text.remove_prefix(1);
  }
  const bool known = std::string_view("doxXnN").find(format.base) != std::string_view::npos;
  if (!text.empty() || !known || format.width > kMaxWidth) return std::nullopt;
  return format;
}

char digit(std::uint32_t value, bool upper) noexcept {
  return (upper ? "0123456789ABCDEF" : "0123456789abcdef")[value & 0xF];
}

// "4.3.2.1" for 0x1234; a width counts the dots too.
std::string nibbles(std::uint32_t value, unsigned width, bool upper) {
  std::string text(1, digit(value, upper));
  for (value >>= 4; value != 0 || text.size() < width; value >>= 4) {
    text += '.';
    if (value == 0 && text.size() >= width) break;
    text += digit(value, upper);
  }
  return text;
}

std::string formatted(std::uint32_t value, const Format& format) {
  const bool upper = format.base == 'X' || format.base == 'N';
  if (format.base == 'n' || format.base == 'N') return nibbles(value, format.width, upper);
  const int base = format.base == 'd' ? 10 : format.base == 'o' ? 8 : 16;
  std::array<char, 16> digits{};  // 11 octal ones at most
  const auto end = std::to_chars(digits.begin(), digits.end(), value, base).ptr;
  std::string text(digits.begin(), end);
  if (upper) {
    for (char& c : text) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (text.size() < format.width) text.insert(0, format.width - text.size(), '0');
  return text;
}

}  // namespace

std::optional<GenerateRange> parse_range(std::string_view text) noexcept {
  GenerateRange range;
  if (!take_number(text, range.first) || !take(text, '-') || !take_number(text, range.last)) {
    return std::nullopt;
  }
  if (take(text, '/') && !take_number(text, range.step)) return std::nullopt;
  const bool sound = range.first <= range.last && range.last <= kMaxNumber && range.step > 0;
  if (!text.empty() || !sound) return std::nullopt;
  return range;
}

base::Result<std::string, std::string> substitute(std::string_view token, std::uint32_t number) {
  std::string text;
  for (std::size_t at = 0; at < token.size(); ++at) {
    if (token[at] == '\\' && at + 1 < token.size()) {
      text += token.substr(at++, 2);  // whoever reads the token resolves it
    } else if (token[at] != '$') {
      text += token[at];
    } else if (token.substr(at).starts_with("$$")) {
      text += "\\$";
      ++at;
    } else if (token.substr(at).starts_with("${")) {
      const std::size_t end = token.find('}', at);
      const auto format = end == std::string_view::npos
                              ? std::nullopt
                              : parse_format(token.substr(at + 2, end - at - 2));
      const std::int64_t value = std::int64_t{number} + (format ? format->offset : 0);
      if (!format || value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
        return base::Unexpected{
            std::string("\"${\" must be ${OFFSET}, ${OFFSET,WIDTH} or ${OFFSET,WIDTH,BASE} with "
                        "BASE d, o, x, X, n or N, and lead to no negative number")};
      }
      text += formatted(static_cast<std::uint32_t>(value), *format);
      at = end;
    } else {
      text += std::to_string(number);
    }
  }
  return text;
}

}  // namespace sluice::dns
