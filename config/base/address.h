#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace sluice::base {

// Where name servers listen (RFC 1035 section 4.2).
inline constexpr std::uint16_t kDnsPort = 53;

// An IPv4 or IPv6 address. Octets in network order; an IPv4 address uses the first four.
// Zones ("%eth0") are not part of it.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0

  // "192.0.2.1" or "2001:db8::1"; nothing else (no brackets, no port, no octal).
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress v4(std::array<std::uint8_t, 4> octets) noexcept;
  static IpAddress v6(std::array<std::uint8_t, 16> octets) noexcept;

  bool is_v4() const noexcept { return v4_; }
  bool is_loopback() const noexcept;     // 127.0.0.0/8, ::1
  bool is_unspecified() const noexcept;  // 0.0.0.0, ::
  // Can be reached as one: not unspecified, multicast, reserved or broadcast (RFC 1112, RFC 919,
  // RFC 4291 section 2.7).
  bool is_one_machine() const noexcept;
  std::span<const std::uint8_t> octets() const noexcept { return {octets_.data(), v4_ ? 4U : 16U}; }
  std::string to_string() const;  // RFC 5952 for IPv6

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool v4_ = true;
  std::array<std::uint8_t, 16> octets_{};
};

// Where a socket listens or connects to. Text form ADDRESS@PORT, for IPv6 too ("::1@53").
struct SocketAddress {
  IpAddress address;
  std::uint16_t port = 0;

  // Port 0 (let the kernel choose) is accepted here; who does not want it says so.
  static std::optional<SocketAddress> parse(std::string_view text);
  // Families other than AF_INET and AF_INET6 yield nothing.
  static std::optional<SocketAddress> from(const sockaddr* address) noexcept;

  // Fills `storage` and returns the length that bind() and connect() want.
  socklen_t to(sockaddr_storage& storage) const noexcept;
  std::string to_string() const;

  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

// The octets of the address in a sockaddr_in or sockaddr_in6, where they stand; none for null and
// for other families.
std::span<const std::uint8_t> address_octets(const sockaddr* address) noexcept;

// An address block: "192.0.2.0/24", "2001:db8::/32"; a bare address is its own block. Bits beyond
// the length must be zero.
class Prefix {
 public:
  static std::optional<Prefix> parse(std::string_view text);

  bool contains(const IpAddress& address) const noexcept;
  std::string to_string() const;

  friend bool operator==(const Prefix&, const Prefix&) = default;

 private:
  IpAddress address_;
  std::uint8_t length_ = 0;  // 0..32 or 0..128
};

}  // namespace sluice::base
