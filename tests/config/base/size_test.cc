#include "config/base/size.h"

#include <cstdint>
#include <initializer_list>

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

TEST(Size, IsOctetsWithOrWithoutAUnit) {
  EXPECT_EQ(parse_size("65536"), 65'536U);
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("64KiB"), 65'536U);
  EXPECT_EQ(parse_size("512MiB"), 512ULL << 20);
  EXPECT_EQ(parse_size("3GiB"), 3ULL << 30);
}

TEST(Size, IsNothingElse) {
  for (const char* text : {"", "MiB", "-1", "1.5GiB", "1 GiB", "1GB", "1gib", "1KiBB", "+1",
                           "18446744073709551616", "17179869184GiB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Size, IsShownInTheLargestUnitThatDividesIt) {
  EXPECT_EQ(size_text(512ULL << 20), "512MiB");
  EXPECT_EQ(size_text(1ULL << 30), "1GiB");
  EXPECT_EQ(size_text(1'536ULL << 20), "1536MiB");
  EXPECT_EQ(size_text(1'000), "1000");
  EXPECT_EQ(size_text(0), "0");
  for (const std::uint64_t octets :
       std::initializer_list<std::uint64_t>{1, 1'023, 1'024, 123'456ULL << 10, UINT64_MAX}) {
    EXPECT_EQ(parse_size(size_text(octets)), octets);
  }
}

}  // namespace
}  // namespace sluice::base
