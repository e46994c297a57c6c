#include "tools/sluicectl/render/duration_words.h"

#include <chrono>

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

using namespace std::chrono_literals;

TEST(DurationWords, AreRoundedUpSoThatNoneSaysZeroTooEarly) {
  EXPECT_EQ(compact(1ms), "1s");
  EXPECT_EQ(compact(27'001ms), "28s");
  EXPECT_EQ(spoken(59'999ms), "1 min");
}

TEST(DurationWords, LeaveOutWhatIsZero) {
  EXPECT_EQ(compact(90s), "1m30s");
  EXPECT_EQ(compact(2h), "2h");
  EXPECT_EQ(spoken(28s), "28 s");
  EXPECT_EQ(spoken(90s), "1 min 30 s");
  EXPECT_EQ(spoken(24h + 5s), "1 d 5 s");
}

TEST(DurationWords, NegativeIsZero) {
  EXPECT_EQ(compact(0ms), "0s");
  EXPECT_EQ(compact(-5s), "0s");
  EXPECT_EQ(spoken(-1ms), "0 s");
}

}  // namespace
}  // namespace sluice::ctl
