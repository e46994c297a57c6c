#include "config/model.h"

#include "gtest/gtest.h"

namespace sluice::config {
namespace {

MinAccepting percentage(unsigned percent) {
  MinAccepting floor(percent);
  floor.kind = MinAccepting::Kind::Percentage;
  return floor;
}

MinAccepting table(std::map<unsigned, unsigned> by_size) {
  MinAccepting floor;
  floor.kind = MinAccepting::Kind::Table;
  floor.by_size = std::move(by_size);
  return floor;
}

TEST(MinAccepting, AsANumberIsThatOfAnySize) {
  EXPECT_EQ(MinAccepting().of(3), 1U);
  EXPECT_EQ(MinAccepting(2).of(1), 2U) << "who asks for too much is told so, not served less";
  EXPECT_EQ(MinAccepting(0).of(65535), 0U);
}

TEST(MinAccepting, AsAPercentageIsRoundedUp) {
  EXPECT_EQ(percentage(50).of(0), 0U);
  EXPECT_EQ(percentage(50).of(1), 1U);
  EXPECT_EQ(percentage(50).of(2), 1U);
  EXPECT_EQ(percentage(50).of(3), 2U);
  EXPECT_EQ(percentage(1).of(100), 1U);
  EXPECT_EQ(percentage(1).of(101), 2U);
  EXPECT_EQ(percentage(0).of(7), 0U);
  EXPECT_EQ(percentage(99).of(65535), 64880U);
  EXPECT_EQ(percentage(100).of(65535), 65535U);
}

TEST(MinAccepting, AsATableIsThatOfTheNextSmallerSize) {
  const MinAccepting floor = table({{3, 2}, {5, 3}, {7, 4}});
  EXPECT_EQ(floor.of(0), 0U);
  EXPECT_EQ(floor.of(1), 1U);
  EXPECT_EQ(floor.of(2), 1U);
  EXPECT_EQ(floor.of(3), 2U);
  EXPECT_EQ(floor.of(4), 2U);
  EXPECT_EQ(floor.of(5), 3U);
  EXPECT_EQ(floor.of(6), 3U);
  EXPECT_EQ(floor.of(7), 4U);
  EXPECT_EQ(floor.of(65535), 4U);
}

TEST(MinAccepting, CanBeMetByPercentagesAndTablesAtEverySize) {
  const MinAccepting floor = table({{1, 1}, {4, 4}, {9, 2}});
  for (std::size_t servers = 0; servers <= 100; ++servers) {
    EXPECT_LE(floor.of(servers), servers);
    for (const unsigned percent : {1U, 33U, 50U, 99U, 100U}) {
      EXPECT_LE(percentage(percent).of(servers), servers);
    }
  }
}

}  // namespace
}  // namespace sluice::config
