#include "health/api/address_block.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

base::IpAddress ip(const char* text) {
  return *base::IpAddress::parse(text);
}

TEST(AddressBlock, IsAnIPv4AddressOrThe64OfAnIPv6One) {
  EXPECT_EQ(address_block(ip("192.0.2.7")), ip("192.0.2.7"));
  EXPECT_EQ(address_block(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
  EXPECT_NE(address_block(ip("2001:db8:1:3::1")), address_block(ip("2001:db8:1:2::1")));
  EXPECT_NE(address_block(ip("::")), address_block(ip("0.0.0.0")));
}

TEST(ConnectionCounts, AreOfEachAddressAlone) {
  ConnectionCounts counts;
  EXPECT_TRUE(counts.enter(ip("192.0.2.1"), 2));
  EXPECT_TRUE(counts.enter(ip("192.0.2.1"), 2));
  EXPECT_FALSE(counts.enter(ip("192.0.2.1"), 2));
  EXPECT_FALSE(counts.enter(ip("192.0.2.1"), 2)) << "who was not let in does not count";
  EXPECT_TRUE(counts.enter(ip("192.0.2.2"), 2));
  counts.leave(ip("192.0.2.1"));
  EXPECT_TRUE(counts.enter(ip("192.0.2.1"), 2));
  EXPECT_FALSE(counts.enter(ip("192.0.2.9"), 0));
}

TEST(ConnectionCounts, TakeA64ForOneAddress) {
  ConnectionCounts counts;
  EXPECT_TRUE(counts.enter(ip("2001:db8::1"), 2));
  EXPECT_TRUE(counts.enter(ip("2001:db8::2"), 2));
  EXPECT_FALSE(counts.enter(ip("2001:db8::3"), 2));
  EXPECT_TRUE(counts.enter(ip("2001:db8:0:1::1"), 2));
  counts.leave(ip("2001:db8::ffff"));
  EXPECT_TRUE(counts.enter(ip("2001:db8::3"), 2));
}

}  // namespace
}  // namespace sluice::health
