#include "tools/sluiced/shortage.h"

#include "gtest/gtest.h"

#include "tests/tools/sluiced/start.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using Change = Shortage::Change;

TEST(Shortage, IsToldWhenItBeginsAndWhenItHasBeenOverForAWhile) {
  Shortage shortage;
  EXPECT_EQ(shortage.look(0, false, kStart), Change::None);
  EXPECT_EQ(shortage.look(1, true, kStart + 1s), Change::Begins);
  EXPECT_EQ(shortage.look(5, true, kStart + 2s), Change::None);
  EXPECT_EQ(shortage.look(5, false, kStart + 6s), Change::None);
  EXPECT_EQ(shortage.look(5, false, kStart + 7s), Change::Ends);
  EXPECT_EQ(shortage.look(5, false, kStart + 60s), Change::None);
}

TEST(Shortage, IsSeenThoughItCameAndWentBetweenTwoLooks) {
  Shortage shortage;
  EXPECT_EQ(shortage.look(0, false, kStart), Change::None);
  EXPECT_EQ(shortage.look(1, false, kStart + 1s), Change::Begins);
}

TEST(Shortage, IsNotSeenWhereTheCountBeginsAnew) {
  Shortage shortage;
  EXPECT_EQ(shortage.look(7, false, kStart), Change::Begins);
  EXPECT_EQ(shortage.look(7, false, kStart + 6s), Change::Ends);
  EXPECT_EQ(shortage.look(0, false, kStart + 7s), Change::None);
  EXPECT_EQ(shortage.look(1, false, kStart + 8s), Change::Begins);
}

TEST(Shortage, ThatFlapsIsOneEpisode) {
  Shortage shortage;
  EXPECT_EQ(shortage.look(1, true, kStart), Change::Begins);
  for (int i = 1; i < 100; ++i) {
    EXPECT_EQ(shortage.look(static_cast<std::uint64_t>(1 + i / 2), i % 2 == 0, kStart + i * 1s),
              Change::None);
  }
}

TEST(Shortage, MayComeBack) {
  Shortage shortage;
  EXPECT_EQ(shortage.look(1, false, kStart), Change::Begins);
  EXPECT_EQ(shortage.look(1, false, kStart + 10s), Change::Ends);
  EXPECT_EQ(shortage.look(2, false, kStart + 11s), Change::Begins);
}

}  // namespace
}  // namespace sluice
