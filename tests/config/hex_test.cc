#include "config/hex.h"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(ParseHex, ReadsEachDigitOfEitherCase) {
  EXPECT_EQ(parse_hex<3>("00aFF9"), (std::array<std::uint8_t, 3>{0x00, 0xaf, 0xf9}));
  EXPECT_EQ(parse_hex<0>(""), (std::array<std::uint8_t, 0>{}));
}

TEST(ParseHex, RejectsOtherLengthsAndLetters) {
  for (const char* text :
       {"", "0", "00", "00000", "0000000", "00000g", "00 000", "0x0000", "-00000"}) {
    EXPECT_FALSE(parse_hex<3>(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::config
