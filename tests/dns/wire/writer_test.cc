#include "dns/wire/writer.h"

#include <array>

#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

TEST(WireWriter, WritesNothingOfWhatDoesNotFit) {
  std::array<std::uint8_t, 8> room{};
  WireWriter writer(room);
  ASSERT_NE(writer.append(5), nullptr);
  EXPECT_EQ(writer.append(4), nullptr);
  EXPECT_EQ(writer.size(), 5U);
  EXPECT_TRUE(writer.fits(3));
  EXPECT_NE(writer.append(3), nullptr);
  EXPECT_EQ(writer.left(), 0U);
  EXPECT_EQ(writer.append(static_cast<std::size_t>(-1)), nullptr);
}

TEST(WireWriter, StoresAndLoadsNetworkOrder) {
  std::array<std::uint8_t, 4> room{};
  store_u32(room.data(), 0x01020304);
  EXPECT_EQ(room, (std::array<std::uint8_t, 4>{1, 2, 3, 4}));
  EXPECT_EQ(load_u16(room.data() + 1), 0x0203);
  EXPECT_EQ(load_u32(room.data()), 0x01020304U);
}

}  // namespace
}  // namespace sluice::dns
