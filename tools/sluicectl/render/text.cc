#include "tools/sluicectl/render/text.h"

#include <algorithm>
#include <clocale>
#include <cwchar>

#include <locale.h>

namespace sluice::ctl {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kEllipsis = "\u2026";

struct Character {
  char32_t code;
  std::size_t octets;
};

// The first character; octets that are not UTF-8 (RFC 3629) are U+FFFD, one at a time.
Character first_character(std::string_view text) {
  const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = octet(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {kReplacement, 1};
  char32_t code = lead & (0x7FU >> size);
  for (std::size_t at = 1; at < size; ++at) {
    if ((octet(at) & 0xC0U) != 0x80U) return {kReplacement, 1};
    code = (code << 6) | (octet(at) & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {kReplacement, 1};
  return {code, size};
}

bool harmless(char32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return false;  // C0, DEL, C1
  if (code == 0x2028 || code == 0x2029) return false;              // line separators
  // Marks, embeddings, overrides and isolates of the reading direction (UAX #9).
  return code != 0x200E && code != 0x200F && code != 0x061C && (code < 0x202A || code > 0x202E) &&
         (code < 0x2066 || code > 0x2069);
}

// The C library's table of widths, whatever locale the user has: names and titles are UTF-8.
class Utf8Locale {
 public:
  Utf8Locale() : before_(uselocale(utf8())) {}
  ~Utf8Locale() { uselocale(before_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  static locale_t utf8() {
    static const locale_t made = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return made;  // (locale_t)0, where it does not exist, leaves the locale as it is
  }
  locale_t before_;
};

std::size_t width_of(char32_t code) {
  const int width = wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.code == U'\n' || character.code == U'\t') {
      safe += ' ';
    } else if (character.code == kReplacement || !harmless(character.code)) {
      safe += "\uFFFD";
    } else {
      safe += text.substr(0, character.octets);
    }
    text.remove_prefix(character.octets);
  }
  return safe;
}

std::size_t display_width(std::string_view text) {
  const Utf8Locale utf8;
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    columns += width_of(character.code);
    text.remove_prefix(character.octets);
  }
  return columns;
}

std::string fit(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  const Utf8Locale utf8;
  std::size_t used = 1;  // the ellipsis
  std::size_t kept = 0;
  while (kept < text.size()) {
    const Character character = first_character(text.substr(kept));
    used += width_of(character.code);
    if (used > columns) break;
    kept += character.octets;
  }
  return std::string(text.substr(0, kept)).append(kEllipsis);
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  return wrapped(text, columns, indent, indent + 2);
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent,
                    std::size_t hanging) {
  std::string lines;
  std::string line(indent, ' ');
  bool begun = false;  // the line has a word
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, blank);
    text.remove_prefix(std::min(blank + 1, text.size()));
    if (begun && columns != 0 && display_width(line) + 1 + display_width(word) > columns) {
      lines += line + '\n';
      line.assign(hanging, ' ');
      begun = false;
    }
    if (begun) line += ' ';
    line += word;
    begun = true;
  }
  return lines + line + '\n';
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += between;
    text += part;
  }
  return text;
}

}  // namespace sluice::ctl
