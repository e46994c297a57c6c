#include "tools/sluiced/shortage.h"

#include "gtest/gtest.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using Change = Shortage::Change;

constexpr base::MonoTime kShortageStart{100h};

TEST(Shortage, IsToldWhenItBeginsAndWhenItHasBeenOverForAWhile) {
  Shortage shortage;
  EXPECT_EQ(shortage.look(0, false, kShortageStart), Change::None);
  EXPECT_EQ(shortage.look(1, true, kShortageStart + 1s), Change::Begins);
  EXPECT_EQ(shortage.look(5, true, kShortageStart + 2s), Change::None);
  EXPECT_EQ(shortage.look(5, false, kShortageStart + 6s), Change::None);
  EXPECT_EQ(shortage.look(5, false, kShortageStart + 7s), Change::Ends);
  EXPECT_EQ(shortage.look(5, false, kShortageStart + 60s), Change::None);
}

TEST(Shortage, IsSeenThoughItCameAndWentBetweenTwoLooks) {
  Shortage shortage;
  EXPECT_EQ(shortage.look(0, false, kShortageStart), Change::None);
  EXPECT_EQ(shortage.look(1, false, kShortageStart + 1s), Change::Begins);
}

TEST(Shortage, IsNotSeenWhereTheCountBeginsAnew) {
  Shortage shortage;
  EXPECT_EQ(shortage.look(7, false, kShortageStart), Change::Begins);
  EXPECT_EQ(shortage.look(7, false, kShortageStart + 6s), Change::Ends);
  EXPECT_EQ(shortage.look(0, false, kShortageStart + 7s), Change::None);
  EXPECT_EQ(shortage.look(1, false, kShortageStart + 8s), Change::Begins);
}

TEST(Shortage, ThatFlapsIsOneEpisode) {
  Shortage shortage;
  EXPECT_EQ(shortage.look(1, true, kShortageStart), Change::Begins);
  for (int i = 1; i < 100; ++i) {
    EXPECT_EQ(
        shortage.look(static_cast<std::uint64_t>(1 + i / 2), i % 2 == 0, kShortageStart + i * 1s),
        Change::None);
  }
}

TEST(Shortage, MayComeBack) {
  Shortage shortage;
  EXPECT_EQ(shortage.look(1, false, kShortageStart), Change::Begins);
  EXPECT_EQ(shortage.look(1, false, kShortageStart + 10s), Change::Ends);
  EXPECT_EQ(shortage.look(2, false, kShortageStart + 11s), Change::Begins);
}

}  // namespace
}  // namespace sluice
