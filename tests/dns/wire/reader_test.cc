#include "dns/wire/reader.h"

#include <array>

#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

constexpr std::array<std::uint8_t, 7> kOctets = {1, 2, 3, 4, 5, 6, 7};

TEST(WireReader, ReadsNetworkOrder) {
  WireReader reader(kOctets);
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.u32(), 0x04050607U);
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
}

TEST(WireReader, YieldsZeroPastTheEndAndFailsForGood) {
  WireReader reader(kOctets);
  reader.skip(6);
  EXPECT_EQ(reader.u16(), 0);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0) << "the octet that is left can't be had any more";
  EXPECT_TRUE(reader.octets(1).empty());
  EXPECT_TRUE(reader.rest().empty());
  EXPECT_EQ(reader.offset(), 6U);
}

TEST(WireReader, RefusesCountsThatWouldOverflow) {
  WireReader reader(kOctets);
  reader.skip(3);
  EXPECT_TRUE(reader.octets(static_cast<std::size_t>(-1)).empty());
  EXPECT_FALSE(reader.ok());
}

TEST(WireReader, AnEmptyMessageIsAtItsEnd) {
  WireReader reader({});
  EXPECT_TRUE(reader.at_end());
  EXPECT_TRUE(reader.octets(0).empty());
  EXPECT_TRUE(reader.ok());
}

}  // namespace
}  // namespace sluice::dns
