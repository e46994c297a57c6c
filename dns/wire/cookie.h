#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/wire/siphash.h"

// DNS Cookies: the interoperable server cookie (RFC 9018 section 4), so that all responders that
// share a secret, of whatever make, take each other's.
namespace sluice::dns {

inline constexpr std::size_t kClientCookieOctets = 8;   // RFC 7873 section 4
inline constexpr std::size_t kServerCookieOctets = 16;  // RFC 9018 section 4
inline constexpr std::size_t kCookieOctets = kClientCookieOctets + kServerCookieOctets;
// Others' server cookies may have 8 to 32 octets (RFC 7873 section 4).
inline constexpr std::size_t kMinServerCookieOctets = 8;
inline constexpr std::size_t kMaxServerCookieOctets = 32;

// The first secret makes server cookies; each of them verifies. During a rotation the next and the
// last one stand behind it (RFC 9018 section 5).
struct CookieSecrets {
  static constexpr std::size_t kMost = 4;
  std::array<SipKey, kMost> keys{};
  std::uint8_t count = 0;  // at least 1 where cookies are served
};

enum class CookieCheck : std::uint8_t {
  Bad,    // not ours, of another client, or its time is over
  Renew,  // good, but of an older secret or half an hour old: give a new one
  Fresh,  // good, and may be given back as it is
};

// `cookie`: the option as received, client cookie first; `client`: the octets of its address, 4 or
// 16; `now`: seconds since 1970, modulo 2^32 (serial arithmetic, RFC 9018 section 4.3).
CookieCheck check_cookie(const CookieSecrets& secrets, std::span<const std::uint8_t> cookie,
                         std::span<const std::uint8_t> client, std::uint32_t now) noexcept;

// Writes client cookie and a new server cookie, kCookieOctets in all. `cookie`, `client`, `now` as
// above; of `cookie` the client's part alone is used.
void write_cookie(std::uint8_t* at, const CookieSecrets& secrets,
                  std::span<const std::uint8_t> cookie, std::span<const std::uint8_t> client,
                  std::uint32_t now) noexcept;

}  // namespace sluice::dns
