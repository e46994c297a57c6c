#include "dns/wire/cookie.h"

#include <algorithm>
#include <cassert>

#include "dns/wire/writer.h"

namespace sluice::dns {

namespace {

constexpr std::uint8_t kVersion = 1;
// Where the parts of the option stand: client cookie, version, three reserved octets, timestamp,
// hash.
constexpr std::size_t kVersionAt = kClientCookieOctets;
constexpr std::size_t kTimestampAt = kVersionAt + 4;
constexpr std::size_t kHashAt = kTimestampAt + 4;
constexpr std::size_t kHashOctets = 8;
constexpr std::size_t kAddressOctets = 16;  // of the longer kind

// Seconds (RFC 9018 section 4.3).
constexpr std::int32_t kLifetime = 3'600;
constexpr std::int32_t kRenewAfter = 1'800;
constexpr std::int32_t kMostAhead = 300;  // the clocks of several responders differ

// The hash covers all before it and the client's address (RFC 9018 section 4.4).
std::uint64_t hash_of(const SipKey& key, std::span<const std::uint8_t> before_hash,
                      std::span<const std::uint8_t> client) noexcept {
  assert(before_hash.size() == kHashAt && client.size() <= kAddressOctets);
  std::array<std::uint8_t, kHashAt + kAddressOctets> input;
  std::ranges::copy(before_hash, input.begin());
  std::ranges::copy(client, input.begin() + kHashAt);
  return siphash(key, std::span(input).first(kHashAt + client.size()));
}

// Without a branch on how many octets are right: a guesser must learn nothing from the time.
bool equal(const std::uint8_t* left, const std::uint8_t* right) noexcept {
  unsigned difference = 0;
  for (std::size_t index = 0; index < kHashOctets; ++index) {
    difference |= static_cast<unsigned>(left[index] ^ right[index]);
  }
  return difference == 0;
}

}  // namespace

CookieCheck check_cookie(const CookieSecrets& secrets, std::span<const std::uint8_t> cookie,
                         std::span<const std::uint8_t> client, std::uint32_t now) noexcept {
  if (cookie.size() != kCookieOctets || cookie[kVersionAt] != kVersion) return CookieCheck::Bad;
  const auto age = static_cast<std::int32_t>(now - load_u32(cookie.data() + kTimestampAt));
  if (age > kLifetime || age < -kMostAhead) return CookieCheck::Bad;
  for (std::size_t index = 0; index < secrets.count; ++index) {
    std::array<std::uint8_t, kHashOctets> expected;
    store_siphash(expected.data(), hash_of(secrets.keys[index], cookie.first(kHashAt), client));
    if (!equal(expected.data(), cookie.data() + kHashAt)) continue;
    return index == 0 && age <= kRenewAfter ? CookieCheck::Fresh : CookieCheck::Renew;
  }
  return CookieCheck::Bad;
}

void write_cookie(std::uint8_t* at, const CookieSecrets& secrets,
                  std::span<const std::uint8_t> cookie, std::span<const std::uint8_t> client,
                  std::uint32_t now) noexcept {
  assert(secrets.count > 0 && cookie.size() >= kClientCookieOctets);
  std::copy_n(cookie.begin(), kClientCookieOctets, at);
  store_u32(at + kVersionAt, std::uint32_t{kVersion} << 24);  // with the reserved octets
  store_u32(at + kTimestampAt, now);
  store_siphash(at + kHashAt, hash_of(secrets.keys[0], {at, kHashAt}, client));
}

}  // namespace sluice::dns
