#include "health/refusal_log.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;

const RefusalLog::Kind kOne{"fe01", "", "operations", "floor"};

TEST(RefusalLog, OneAMinuteOfAKindWithTheNumberOfThoseThatWerePassedOver) {
  RefusalLog log;
  const base::MonoTime start{100h};
  EXPECT_EQ(log.note(kOne, start), 0U);
  EXPECT_EQ(log.note(kOne, start + 1s), std::nullopt);
  EXPECT_EQ(log.note(kOne, start + 59s), std::nullopt);
  EXPECT_EQ(log.note(kOne, start + 60s), 2U);
  EXPECT_EQ(log.note(kOne, start + 61s), std::nullopt);
}

TEST(RefusalLog, AnotherKindIsNews) {
  RefusalLog log;
  const base::MonoTime start{100h};
  EXPECT_EQ(log.note(kOne, start), 0U);
  for (RefusalLog::Kind other : {RefusalLog::Kind{"fe02", "", "operations", "floor"},
                                 RefusalLog::Kind{"fe01", "call-park", "operations", "floor"},
                                 RefusalLog::Kind{"fe01", "", "dashboards", "floor"},
                                 RefusalLog::Kind{"fe01", "", "operations", "consolidated"}}) {
    EXPECT_EQ(log.note(other, start), 0U);
  }
}

TEST(RefusalLog, IsBoundedHoweverManyKindsThereAre) {
  RefusalLog log;
  const base::MonoTime start{100h};
  std::size_t told = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (log.note({"server" + std::to_string(i), "", "", "floor"}, start)) ++told;
  }
  EXPECT_EQ(told, 100'000U) << "each is news";
}

}  // namespace
}  // namespace sluice::health
