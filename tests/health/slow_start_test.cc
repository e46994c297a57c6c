#include "health/slow_start.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;

TEST(SlowStart, GrowsFromATenthToTheWholeInEqualSteps) {
  EXPECT_EQ(tenths_after(0s, 9s), 1U);
  EXPECT_EQ(tenths_after(999ms, 9s), 1U);
  EXPECT_EQ(tenths_after(1s, 9s), 2U);
  EXPECT_EQ(tenths_after(4500ms, 9s), 5U);
  EXPECT_EQ(tenths_after(8999ms, 9s), 9U);
  EXPECT_EQ(tenths_after(9s, 9s), 10U);
  EXPECT_EQ(tenths_after(1h, 9s), 10U);
  EXPECT_EQ(tenths_after(0s, 0s), 10U) << "none";
  EXPECT_EQ(tenths_after(-1s, 9s), 1U);
}

TEST(SlowStart, EachStepIsNeitherEarlyNorMissed) {
  for (const base::Duration whole : {base::Duration(1s), base::Duration(30s), base::Duration(1h),
                                     base::Duration(1), base::Duration(1'000'000'007)}) {
    for (unsigned tenths = 1; tenths < 10; ++tenths) {
      const base::Duration step = step_after(tenths, whole);
      EXPECT_GT(tenths_after(step, whole), tenths) << whole.count();
      EXPECT_LE(tenths_after(step - base::Duration(1), whole), tenths) << whole.count();
      EXPECT_LE(step, whole);
    }
  }
}

}  // namespace
}  // namespace sluice::health
