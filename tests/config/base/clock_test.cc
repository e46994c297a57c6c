#include "config/base/clock.h"

#include <chrono>

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

using namespace std::chrono_literals;

constexpr Now kNow{MonoTime(100h), WallTime(480'000h), 7};

TEST(Clock, TurnsOneTimeIntoTheOther) {
  EXPECT_EQ(kNow.to_wall(MonoTime(100h) + 1500us), WallTime(480'000h) + 2ms) << "rounded";
  EXPECT_EQ(kNow.to_mono(WallTime(480'000h) - 3s), MonoTime(100h) - 3s);
}

TEST(Clock, AMomentIsFoundAgainWhateverTheWallClockDid) {
  const Moment moment = kNow.to_moment(MonoTime(100h) + 30s);
  EXPECT_EQ(moment.wall, WallTime(480'000h) + 30s);
  const Now later{MonoTime(100h) + 10s, WallTime(480'001h), 7};
  EXPECT_EQ(later.to_mono(moment), MonoTime(100h) + 30s);
}

TEST(Clock, InAnotherBootAMomentIsWhatTheWallClockSays) {
  const Moment moment = kNow.to_moment(MonoTime(100h) + 30s);
  const Now rebooted{MonoTime(5s), WallTime(480'000h) + 10s, 8};
  EXPECT_EQ(rebooted.to_mono(moment), MonoTime(5s) + 20s);
}

TEST(Clock, ABootThatIsNotKnownIsNoOther) {
  Now unknown = kNow;
  unknown.boot = 0;
  const Moment moment = unknown.to_moment(MonoTime(100h) + 30s);
  const Now later{MonoTime(100h), WallTime(480'000h) + 10s, 0};
  EXPECT_EQ(later.to_mono(moment), MonoTime(100h) + 20s);
}

TEST(SystemClock, TellsTheBootOfTheMachine) {
  EXPECT_NE(SystemClock().now().boot, 0U);
  EXPECT_EQ(SystemClock().now().boot, boot_number());
}

}  // namespace
}  // namespace sluice::base
