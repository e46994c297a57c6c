#include "tools/sluice-agent/push_schedule.h"

#include <vector>

#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PushSchedule, StaysWithTheAuthorityThatAnswers) {
  PushSchedule schedule(3, seconds(2), [] { return 1.0; });
  EXPECT_EQ(schedule.authority(), 0U);
  EXPECT_EQ(schedule.on_answer(seconds(6)), seconds(2));
  EXPECT_EQ(schedule.on_failure(), milliseconds(0)) << "the next one is tried at once";
  EXPECT_EQ(schedule.authority(), 1U);
  EXPECT_FALSE(schedule.lost());
  schedule.on_answer(seconds(6));
  EXPECT_EQ(schedule.authority(), 1U);
}

TEST(PushSchedule, PausesLongerAfterEachRoundInWhichAllFailed) {
  PushSchedule schedule(2, seconds(2), [] { return 1.0; });
  schedule.on_answer(seconds(6));
  std::vector<milliseconds> pauses;
  for (int round = 0; round < 6; ++round) {
    EXPECT_EQ(schedule.on_failure(), milliseconds(0));
    pauses.push_back(schedule.on_failure());
    EXPECT_TRUE(schedule.lost());
  }
  EXPECT_EQ(pauses, (std::vector{milliseconds(100), milliseconds(200), milliseconds(400),
                                 milliseconds(800), milliseconds(1000), milliseconds(1000)}));
  schedule.hurry();
  schedule.on_failure();
  EXPECT_EQ(schedule.on_failure(), milliseconds(100)) << "somebody waits";
}

TEST(PushSchedule, CutsEachPauseByUpToHalf) {
  double random = 0.0;
  PushSchedule schedule(1, seconds(2), [&] { return random; });
  EXPECT_EQ(schedule.on_failure(), milliseconds(50));
  random = 0.5;
  EXPECT_EQ(schedule.on_failure(), milliseconds(150));
}

TEST(PushSchedule, ThreeTriesFitInALeaseEvenWhenEachHangs) {
  for (const auto heartbeat : {milliseconds(100), milliseconds(2000), milliseconds(60'000)}) {
    for (const auto lease : {milliseconds(300), milliseconds(6000), milliseconds(600'000)}) {
      PushSchedule schedule(1, heartbeat, [] { return 1.0; });
      milliseconds now = schedule.on_answer(lease);
      for (int tries = 0; tries < 3; ++tries) {
        now += schedule.timeout();
        EXPECT_LE(now, lease) << "try " << tries << ", heartbeat " << heartbeat.count();
        now += schedule.on_failure();
      }
    }
  }
}

TEST(PushSchedule, ALeaseThatIsShortForTheHeartbeatIsPushedMoreOften) {
  PushSchedule schedule(1, seconds(10), [] { return 1.0; });
  EXPECT_EQ(schedule.interval(), seconds(10));
  EXPECT_EQ(schedule.on_answer(seconds(6)), seconds(2));
  EXPECT_EQ(schedule.timeout(), seconds(1));
}

}  // namespace
}  // namespace sluice::agent
