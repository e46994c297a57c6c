#include "config/base/address.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace sluice::base {
namespace {

// A decimal number as people write it: digits alone, no leading zero (which some read as octal).
std::optional<unsigned> parse_decimal(std::string_view text, unsigned max) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return {};
  unsigned value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size() || value > max) return {};
  return value;
}

// "192.0.2.1": four of those with dots between. There may be a million of them in a list.
std::optional<std::array<std::uint8_t, 4>> parse_four(std::string_view text) {
  std::array<std::uint8_t, 4> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    unsigned value = 0;
    std::size_t digits = 0;
    while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') {
      value = 10 * value + static_cast<unsigned>(text[digits++] - '0');
    }
    const bool leading_zero = digits > 1 && text.front() == '0';
    if (digits == 0 || digits > 3 || leading_zero || value > 255) return {};
    octets[i] = static_cast<std::uint8_t>(value);
    text.remove_prefix(digits);
    if (i + 1 == octets.size()) break;
    if (!text.starts_with('.')) return {};
    text.remove_prefix(1);
  }
  if (!text.empty()) return {};
  return octets;
}

// Whether the bits from `length` on are all zero.
bool is_zero_from(std::span<const std::uint8_t> octets, unsigned length) {
  for (std::size_t i = length / 8; i < octets.size(); ++i) {
    const unsigned kept = i == length / 8 ? length % 8 : 0;
    if ((octets[i] & (0xffU >> kept)) != 0) return false;
  }
  return true;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (const auto four = parse_four(text)) return v4(*four);
  // inet_pton() reads C strings: what has a NUL in it would be judged by its head alone.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return {};
  const std::string copy(text);
  std::array<std::uint8_t, 16> sixteen{};
  if (inet_pton(AF_INET6, copy.c_str(), sixteen.data()) == 1) return v6(sixteen);
  return {};
}

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> octets) noexcept {
  IpAddress address;
  std::copy(octets.begin(), octets.end(), address.octets_.begin());
  return address;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> octets) noexcept {
  IpAddress address;
  address.v4_ = false;
  address.octets_ = octets;
  return address;
}

bool IpAddress::is_loopback() const noexcept {
  if (v4_) return octets_[0] == 127;
  return std::all_of(octets_.begin(), octets_.end() - 1, [](auto octet) { return octet == 0; }) &&
         octets_.back() == 1;
}

bool IpAddress::is_unspecified() const noexcept {
  return is_zero_from(octets(), 0);
}

bool IpAddress::is_one_machine() const noexcept {
  // 224.0.0.0 and above; ff00::/8.
  return !is_unspecified() && (v4_ ? octets_[0] < 224 : octets_[0] != 0xff);
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v4_ ? AF_INET : AF_INET6, octets_.data(), text.data(), text.size());
  return text.data();
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) return {};
  const auto address = IpAddress::parse(text.substr(0, at));
  const auto port = parse_decimal(text.substr(at + 1), 65535);
  if (!address || !port) return {};
  return SocketAddress{*address, static_cast<std::uint16_t>(*port)};
}

std::optional<SocketAddress> SocketAddress::from(const sockaddr* address) noexcept {
  // Copied, not cast: what recvmmsg() fills need not be an object of the narrower type.
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &v4.sin_addr, octets.size());
    return SocketAddress{IpAddress::v4(octets), ntohs(v4.sin_port)};
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    return SocketAddress{IpAddress::v6(octets), ntohs(v6.sin6_port)};
  }
  return {};
}

std::span<const std::uint8_t> address_octets(const sockaddr* address) noexcept {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(address);
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET) return {octets + offsetof(sockaddr_in, sin_addr), 4};
  if (address->sa_family == AF_INET6) return {octets + offsetof(sockaddr_in6, sin6_addr), 16};
  return {};
}

socklen_t SocketAddress::to(sockaddr_storage& storage) const noexcept {
  storage = {};
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.octets().data(), sizeof v4.sin_addr);
    std::memcpy(&storage, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, address.octets().data(), sizeof v6.sin6_addr);
  std::memcpy(&storage, &v6, sizeof v6);
  return sizeof v6;
}

std::string SocketAddress::to_string() const {
  return address.to_string() + '@' + std::to_string(port);
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return {};
  const unsigned whole = address->is_v4() ? 32 : 128;
  auto length = std::optional<unsigned>(whole);
  if (slash != std::string_view::npos) length = parse_decimal(text.substr(slash + 1), whole);
  if (!length || !is_zero_from(address->octets(), *length)) return {};
  Prefix prefix;
  prefix.address_ = *address;
  prefix.length_ = static_cast<std::uint8_t>(*length);
  return prefix;
}

bool Prefix::contains(const IpAddress& address) const noexcept {
  if (address.is_v4() != address_.is_v4()) return false;
  const auto ours = address_.octets();
  const auto theirs = address.octets();
  const std::size_t octets = length_ / 8;
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(octets),
                  theirs.begin())) {
    return false;
  }
  const unsigned bits = length_ % 8;
  return bits == 0 || (ours[octets] ^ theirs[octets]) >> (8 - bits) == 0;
}

std::string Prefix::to_string() const {
  return address_.to_string() + '/' + std::to_string(length_);
}

}  // namespace sluice::base
