#include "dns/wire/cookie.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "config/base/address.h"
#include "dns/wire/writer.h"

namespace sluice::dns {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets unhex(std::string_view hex) {
  Octets octets;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    octets.push_back(
        static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(at, 2)), nullptr, 16)));
  }
  return octets;
}

std::string hex(std::span<const std::uint8_t> octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : octets) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 15];
  }
  return text;
}

CookieSecrets secrets(const std::vector<std::string>& keys) {
  CookieSecrets made;
  for (const std::string& key : keys)
    std::ranges::copy(unhex(key), made.keys[made.count++].begin());
  return made;
}

std::string made(const CookieSecrets& with, std::string_view cookie, std::string_view client,
                 std::uint32_t now) {
  std::array<std::uint8_t, kCookieOctets> octets{};
  write_cookie(octets.data(), with, unhex(cookie), base::IpAddress::parse(client)->octets(), now);
  return hex(octets);
}

CookieCheck checked(const CookieSecrets& with, std::string_view cookie, std::string_view client,
                    std::uint32_t now) {
  return check_cookie(with, unhex(cookie), base::IpAddress::parse(client)->octets(), now);
}

const CookieSecrets kShared = secrets({"e5e973e5a6b2a43f48e7dc849e37bfcf"});
constexpr const char* kClient = "198.51.100.100";
constexpr const char* kServerCookie = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
constexpr std::uint32_t kMadeAt = 1559731985;

TEST(Cookie, IsMadeAsInRfc9018AppendixA1) {
  EXPECT_EQ(made(kShared, "2464c4abcf10c957", kClient, kMadeAt), kServerCookie);
}

TEST(Cookie, IsRenewedAsInRfc9018AppendixA2) {
  const std::uint32_t later = kMadeAt + 40 * 60;
  EXPECT_EQ(checked(kShared, kServerCookie, kClient, later), CookieCheck::Renew);
  EXPECT_EQ(made(kShared, kServerCookie, kClient, later),
            "2464c4abcf10c957010000005cf7a871d4a564a1442aca77");
}

TEST(Cookie, HashesReservedOctetsAsReceivedAsInRfc9018AppendixA3) {
  constexpr const char* kReserved = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
  EXPECT_NE(checked(kShared, kReserved, "203.0.113.203", 1559727985), CookieCheck::Bad);
  EXPECT_EQ(made(kShared, kReserved, "203.0.113.203", 1559734700),
            "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e");
}

TEST(Cookie, OfAnOlderSecretIsRenewedAsInRfc9018AppendixA4) {
  constexpr const char* kOld = "22681ab97d52c298010000005cf7c57926556bd0934c72f8";
  constexpr const char* kAddress = "2001:db8:220:1:59de:d0f4:8769:82b8";
  const auto rolled =
      secrets({"445536bcd2513298075a5d379663c962", "dd3bdf9344b678b185a6f5cb60fca715"});
  EXPECT_EQ(checked(rolled, kOld, kAddress, 1559741961), CookieCheck::Renew);
  EXPECT_EQ(made(rolled, kOld, kAddress, 1559741961),
            "22681ab97d52c298010000005cf7c609a6bb79d16625507a");
  EXPECT_EQ(checked(secrets({"445536bcd2513298075a5d379663c962"}), kOld, kAddress, 1559741961),
            CookieCheck::Bad)
      << "the old secret is out of the list";
}

TEST(Cookie, LivesForAnHourAndIsFreshForHalfOfIt) {  // RFC 9018 section 4.3
  EXPECT_EQ(checked(kShared, kServerCookie, kClient, kMadeAt), CookieCheck::Fresh);
  EXPECT_EQ(checked(kShared, kServerCookie, kClient, kMadeAt + 1800), CookieCheck::Fresh);
  EXPECT_EQ(checked(kShared, kServerCookie, kClient, kMadeAt + 1801), CookieCheck::Renew);
  EXPECT_EQ(checked(kShared, kServerCookie, kClient, kMadeAt + 3600), CookieCheck::Renew);
  EXPECT_EQ(checked(kShared, kServerCookie, kClient, kMadeAt + 3601), CookieCheck::Bad);
  EXPECT_EQ(checked(kShared, kServerCookie, kClient, kMadeAt - 300), CookieCheck::Fresh);
  EXPECT_EQ(checked(kShared, kServerCookie, kClient, kMadeAt - 301), CookieCheck::Bad);
}

TEST(Cookie, KeepsItsTimeAcrossTheTurnOfTheTimestamp) {  // serial arithmetic, RFC 1982
  const std::string cookie = made(kShared, "2464c4abcf10c957", kClient, 0xFFFF'FFF0);
  EXPECT_EQ(checked(kShared, cookie, kClient, 0x10), CookieCheck::Fresh);
  EXPECT_EQ(checked(kShared, cookie, kClient, 0x10 + 3600), CookieCheck::Bad);
}

TEST(Cookie, IsBadInAnyOtherOctetOrForAnybodyElse) {
  for (std::size_t at = 0; at < kCookieOctets; ++at) {
    Octets changed = unhex(kServerCookie);
    changed[at] ^= 0x01;
    EXPECT_EQ(checked(kShared, hex(changed), kClient, kMadeAt), CookieCheck::Bad) << at;
  }
  EXPECT_EQ(checked(kShared, kServerCookie, "198.51.100.101", kMadeAt), CookieCheck::Bad);
  EXPECT_EQ(checked(kShared, kServerCookie, "2001:db8::1", kMadeAt), CookieCheck::Bad);
  EXPECT_EQ(checked(secrets({"00000000000000000000000000000000"}), kServerCookie, kClient, kMadeAt),
            CookieCheck::Bad);
}

TEST(Cookie, OfAnotherSizeIsSomebodyElses) {
  const Octets whole = unhex(kServerCookie);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(check_cookie(kShared, std::span(whole).first(size), {}, kMadeAt), CookieCheck::Bad);
  }
  Octets longer = whole;
  longer.push_back(0);
  EXPECT_EQ(checked(kShared, hex(longer), kClient, kMadeAt), CookieCheck::Bad);
}

}  // namespace
}  // namespace sluice::dns
