// DNS cookies: only what we made verifies, for the client and the time that it was made for. The
// input is a time, what is done to a good cookie, and a cookie of its own.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/wire/cookie.h"
#include "dns/wire/writer.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sluice::dns;
using sluice::fuzz::require;
using Octets = std::span<const std::uint8_t>;
using Cookie = std::array<std::uint8_t, kCookieOctets>;

constexpr std::size_t kTimestampAt = 12;  // RFC 9018 section 4
constexpr std::array<std::uint8_t, 4> kClient{192, 0, 2, 1};
constexpr std::array<std::uint8_t, 4> kOther{192, 0, 2, 2};
constexpr std::array<std::uint8_t, 16> kClient6{0x20, 1, 0xd, 0xb8, 192, 0, 2, 1};

CookieSecrets secrets(std::uint8_t count) {
  CookieSecrets secrets;
  for (std::size_t key = 0; key < CookieSecrets::kMost; ++key) {
    for (std::size_t octet = 0; octet < secrets.keys[key].size(); ++octet) {
      secrets.keys[key][octet] = static_cast<std::uint8_t>(17 * key + octet);
    }
  }
  secrets.count = count;
  return secrets;
}

CookieSecrets only(const CookieSecrets& all, std::size_t key) {
  CookieSecrets one;
  one.keys[0] = all.keys[key];
  one.count = 1;
  return one;
}

Cookie made(const CookieSecrets& secrets, Octets cookie, Octets client, std::uint32_t time) {
  Cookie octets{};
  write_cookie(octets.data(), secrets, cookie, client, time);
  return octets;
}

// What passes is, octet for octet, what one of the secrets makes for that client and that time.
void require_made_by_us(const CookieSecrets& all, Octets cookie, Octets client, std::uint32_t now) {
  const CookieCheck check = check_cookie(all, cookie, client, now);
  if (check == CookieCheck::Bad) return;
  require(cookie.size() == kCookieOctets);
  const std::uint32_t time = load_u32(cookie.data() + kTimestampAt);
  const auto age = static_cast<std::int32_t>(now - time);
  require(age >= -300 && age <= 3'600);  // RFC 9018 section 4.3
  std::size_t makers = 0;
  for (std::size_t key = 0; key < all.count; ++key) {
    if (!std::ranges::equal(made(only(all, key), cookie, client, time), cookie)) continue;
    ++makers;
    require(key == 0 || check == CookieCheck::Renew);
  }
  require(makers == 1);
}

// One that we made is good in its hour for its client, and no other client's; with other octets it
// is as good as what we would have made.
void require_whole(const CookieSecrets& all, std::size_t key, std::uint32_t now, std::uint32_t age,
                   Octets changes) {
  const Cookie good = made(only(all, key), std::array<std::uint8_t, 8>{1, 2, 3}, kClient, now);
  const std::uint32_t later = now + age;
  const auto seconds = static_cast<std::int32_t>(age);
  const bool timely = seconds >= -300 && seconds <= 3'600;
  const CookieCheck check = check_cookie(all, good, kClient, later);
  require((check != CookieCheck::Bad) == timely);
  if (timely) require((check == CookieCheck::Fresh) == (key == 0 && seconds <= 1'800));
  require(check_cookie(all, good, kOther, later) == CookieCheck::Bad);
  require(check_cookie(all, good, kClient6, later) == CookieCheck::Bad);
  require(check_cookie(all, Octets(good).first(kCookieOctets - 1), kClient, later) ==
          CookieCheck::Bad);
  Cookie changed = good;
  for (std::size_t at = 0; at < changes.size(); ++at) changed[at % changed.size()] ^= changes[at];
  // The changes may amount to one that another of the secrets makes, or to one of another time.
  require_made_by_us(all, changed, kClient, later);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 10;  // two times, the number of secrets, that of the maker
  if (size < kHead) return 0;
  const std::uint32_t now = load_u32(data);
  const std::uint32_t age = load_u32(data + 4);
  const CookieSecrets all = secrets(static_cast<std::uint8_t>(1 + data[8] % CookieSecrets::kMost));
  const Octets rest(data + kHead, size - kHead);
  require_whole(all, data[9] % all.count, now, age, rest);
  require_made_by_us(all, rest, kClient, now);
  require_made_by_us(all, rest, kClient6, now);
  return 0;
}
