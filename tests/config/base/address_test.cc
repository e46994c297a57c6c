#include "config/base/address.h"

#include <cstring>
#include <set>

#include "gtest/gtest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace sluice::base {
namespace {

using namespace std::string_view_literals;

TEST(IpAddress, ReadsWhatItWrites) {
  for (const char* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1",
                           "fd99::11", "2001:db8:0:1:1:1:1:1", "::ffff:192.0.2.1"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(IpAddress, WritesIPv6InItsShortestForm) {  // RFC 5952 section 4
  EXPECT_EQ(IpAddress::parse("2001:0DB8:0000:0000:0000:0000:0000:00AF")->to_string(),
            "2001:db8::af");
  EXPECT_EQ(IpAddress::parse("2001:0:0:1:0:0:0:1")->to_string(), "2001:0:0:1::1");
}

TEST(IpAddress, RefusesEverythingElse) {
  for (const std::string_view text :
       {""sv,           " "sv,         "1"sv,          "1.2.3"sv,      "1.2.3.4.5"sv, "1.2.3.256"sv,
        "01.2.3.4"sv,   "0x1.2.3.4"sv, "1.2.3.4 "sv,   " 1.2.3.4"sv,   "1.2.3.4\n"sv, "1.2.3.4\0"sv,
        "1.2.3.4\0x"sv, "-1.2.3.4"sv,  "[::1]"sv,      "::1%lo"sv,     ":::1"sv,      "1::2::3"sv,
        "12345::"sv,    "g::"sv,       "1.2.3.4@53"sv, "1.2.3.4/32"sv, "localhost"sv, "\0"sv}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string(1'000'000, '1')));
}

TEST(IpAddress, HasItsOctetsInNetworkOrder) {
  const auto v4 = *IpAddress::parse("192.0.2.1");
  ASSERT_EQ(v4.octets().size(), 4U);
  EXPECT_EQ(v4.octets()[0], 192);
  EXPECT_EQ(v4.octets()[3], 1);
  const auto v6 = *IpAddress::parse("2001:db8::1");
  ASSERT_EQ(v6.octets().size(), 16U);
  EXPECT_EQ(v6.octets()[0], 0x20);
  EXPECT_EQ(v6.octets()[15], 1);
}

TEST(IpAddress, KnowsLoopbackAndUnspecified) {
  for (const char* text : {"127.0.0.1", "127.255.255.255", "::1"}) {
    EXPECT_TRUE(IpAddress::parse(text)->is_loopback()) << text;
  }
  for (const char* text : {"126.255.255.255", "128.0.0.0", "0.0.0.0", "::", "::2", "1::1"}) {
    EXPECT_FALSE(IpAddress::parse(text)->is_loopback()) << text;
  }
  EXPECT_TRUE(IpAddress::parse("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_TRUE(IpAddress().is_unspecified());
  EXPECT_FALSE(IpAddress::parse("0.0.0.1")->is_unspecified());
  EXPECT_FALSE(IpAddress::parse("::1")->is_unspecified());
  for (const char* text : {"0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1"}) {
    EXPECT_FALSE(IpAddress::parse(text)->is_one_machine()) << text;
  }
  for (const char* text : {"127.0.0.1", "223.255.255.255", "::1", "fe80::1", "2001:db8::1"}) {
    EXPECT_TRUE(IpAddress::parse(text)->is_one_machine()) << text;
  }
}

TEST(IpAddress, TellsFamiliesApart) {
  EXPECT_NE(*IpAddress::parse("0.0.0.0"), *IpAddress::parse("::"));
  const std::set<IpAddress> sorted{*IpAddress::parse("::1"), *IpAddress::parse("10.0.0.2"),
                                   *IpAddress::parse("10.0.0.1"), *IpAddress::parse("10.0.0.1")};
  EXPECT_EQ(sorted.size(), 3U);
}

TEST(SocketAddress, ReadsWhatItWrites) {
  for (const char* text : {"127.0.0.1@5353", "::1@53", "0.0.0.0@0", "2001:db8::1@65535"}) {
    const auto address = SocketAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(SocketAddress, RefusesAmbiguousPorts) {
  for (const char* text :
       {"", "@", "127.0.0.1", "127.0.0.1@", "@53", "127.0.0.1:53", "[::1]:53", "127.0.0.1@053",
        "127.0.0.1@00", "127.0.0.1@65536", "127.0.0.1@655350", "127.0.0.1@-1", "127.0.0.1@+1",
        "127.0.0.1@ 53", "127.0.0.1@53 ", "127.0.0.1@0x35", "127.0.0.1@dns", "127.0.0.1@53@53"}) {
    EXPECT_FALSE(SocketAddress::parse(text)) << text;
  }
}

TEST(SocketAddress, CrossesTheSystemsFormUnchanged) {
  for (const char* text : {"192.0.2.1@5353", "2001:db8::1@53"}) {
    const auto address = *SocketAddress::parse(text);
    sockaddr_storage storage;
    std::memset(&storage, 0xff, sizeof storage);
    const socklen_t length = address.to(storage);
    EXPECT_EQ(length, address.address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const auto* raw = reinterpret_cast<const sockaddr*>(&storage);
    EXPECT_EQ(SocketAddress::from(raw), address);
  }
}

TEST(SocketAddress, IsNotMadeFromOtherFamilies) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_FALSE(SocketAddress::from(reinterpret_cast<const sockaddr*>(&local)));
}

TEST(Prefix, ContainsItsBlockAndNothingElse) {
  const auto v4 = *Prefix::parse("192.0.2.128/25");
  EXPECT_TRUE(v4.contains(*IpAddress::parse("192.0.2.128")));
  EXPECT_TRUE(v4.contains(*IpAddress::parse("192.0.2.255")));
  EXPECT_FALSE(v4.contains(*IpAddress::parse("192.0.2.127")));
  EXPECT_FALSE(v4.contains(*IpAddress::parse("192.0.3.128")));
  EXPECT_FALSE(v4.contains(*IpAddress::parse("::ffff:192.0.2.128")));
  const auto v6 = *Prefix::parse("2001:db8::/33");
  EXPECT_TRUE(v6.contains(*IpAddress::parse("2001:db8:7fff::1")));
  EXPECT_FALSE(v6.contains(*IpAddress::parse("2001:db8:8000::1")));
  EXPECT_FALSE(v6.contains(*IpAddress::parse("32.1.13.184")));
}

TEST(Prefix, OfLengthZeroContainsItsFamily) {
  EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("255.1.2.3")));
  EXPECT_FALSE(Prefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("::")));
  EXPECT_TRUE(Prefix::parse("::/0")->contains(*IpAddress::parse("ffff::")));
}

TEST(Prefix, IsTheAddressItselfWithoutALength) {
  EXPECT_EQ(Prefix::parse("192.0.2.1"), Prefix::parse("192.0.2.1/32"));
  EXPECT_EQ(Prefix::parse("::1")->to_string(), "::1/128");
  EXPECT_TRUE(Prefix::parse("::1")->contains(*IpAddress::parse("::1")));
  EXPECT_FALSE(Prefix::parse("::1")->contains(*IpAddress::parse("::")));
}

TEST(Prefix, ContainsExactlyWhatSharesItsBits) {
  for (unsigned length = 0; length <= 32; ++length) {
    const auto prefix = Prefix::parse("0.0.0.0/" + std::to_string(length));
    ASSERT_TRUE(prefix);
    for (unsigned bit = 0; bit < 32; ++bit) {  // bit 0 is the first of the address
      std::array<std::uint8_t, 4> octets{};
      octets[bit / 8] = static_cast<std::uint8_t>(0x80U >> (bit % 8));
      EXPECT_EQ(prefix->contains(IpAddress::v4(octets)), bit >= length) << length << ' ' << bit;
    }
  }
}

TEST(Prefix, RefusesBitsBeyondItsLengthAndBadLengths) {
  for (const char* text : {"192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/024",
                           "192.0.2.0/-1", "2001:db8::/129", "2001:db8::1/64", "1.0.0.0/0",
                           "128.0.0.0/0", "/24", "", "192.0.2.0/24/24"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::base
