#include "health/etcd/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::etcd {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<std::uint8_t>(kDigits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> kValues = make_values();

std::uint32_t octet(std::string_view octets, std::size_t at) {
  return at < octets.size() ? static_cast<std::uint8_t>(octets[at]) : 0U;
}

}  // namespace

std::string to_base64(std::string_view octets) {
  std::string text;
  text.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < octets.size(); at += 3) {
    const std::uint32_t group =
        octet(octets, at) << 16 | octet(octets, at + 1) << 8 | octet(octets, at + 2);
    text += kDigits[group >> 18];
    text += kDigits[group >> 12 & 63];
    text += at + 1 < octets.size() ? kDigits[group >> 6 & 63] : '=';
    text += at + 2 < octets.size() ? kDigits[group & 63] : '=';
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return {};
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::size_t digits = text.size() - padding;
  std::string octets;
  octets.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::uint8_t value = at < digits ? kValues[static_cast<std::uint8_t>(text[at])] : 0;
    if (value == kNone) return {};
    group = group << 6 | value;
    if (at % 4 != 3) continue;
    for (const int shift : {16, 8, 0}) octets += static_cast<char>(group >> shift & 0xff);
    group = 0;
  }
  octets.resize(octets.size() - padding);
  return octets;
}

}  // namespace sluice::etcd
