#include "health/api/uri.h"

namespace sluice::health {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text) {
  if (text.find('%') == std::string_view::npos) return std::string(text);
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return {};
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return {};
    const int octet = high * 16 + low;
    if (octet < 0x20 || octet == 0x7f) return {};
    decoded += static_cast<char>(octet);
    i += 2;
  }
  return decoded;
}

// Calls `take` with each part of `text` between separators, until it refuses one.
template <class Take>
bool each_part(std::string_view text, char separator, Take take) {
  while (true) {
    const std::size_t end = text.find(separator);
    if (!take(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool add_parameter(Target& target, std::string_view part) {
  const std::size_t equals = part.find('=');
  auto name = decode(part.substr(0, equals));
  auto value =
      equals == std::string_view::npos ? std::optional("") : decode(part.substr(equals + 1));
  if (!name || !value || target.parameter(*name) != nullptr) return false;
  target.query.emplace_back(std::move(*name), std::move(*value));
  return true;
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
  if (!text.starts_with('/')) return {};
  const std::size_t question = text.find('?');
  Target target;
  const bool path = each_part(text.substr(1, question - 1), '/', [&](std::string_view part) {
    auto segment = decode(part);
    if (!segment) return false;
    target.segments.push_back(std::move(*segment));
    return true;
  });
  if (!path) return {};
  if (question == std::string_view::npos || question + 1 == text.size()) return target;
  const bool query = each_part(text.substr(question + 1), '&',
                               [&](std::string_view part) { return add_parameter(target, part); });
  if (!query) return {};
  return target;
}

}  // namespace sluice::health
