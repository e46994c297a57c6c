#include "health/etcd/endpoints.h"

#include <gtest/gtest.h>

namespace sluice::etcd {
namespace {

using std::chrono::milliseconds;

constexpr base::MonoTime kNow{std::chrono::hours(1)};
const std::vector<bool> kNone(3);

Endpoints three() {
  return Endpoints(3, [] { return 0.0; });
}

TEST(Backoff, DoublesFromFiftyMillisecondsToTwoSeconds) {
  const int expected[] = {50, 100, 200, 400, 800, 1'600, 2'000, 2'000};
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(backoff(i + 1, 0), milliseconds(expected[i]));
  EXPECT_EQ(backoff(1'000'000, 0), milliseconds(2'000));
}

TEST(Backoff, IsCutByARandomHalf) {
  EXPECT_EQ(backoff(3, 0.5), milliseconds(150));
  EXPECT_EQ(backoff(3, 0.9999999), milliseconds(100));
}

TEST(Endpoints, StaysWithTheFirstThatAnswers) {
  Endpoints endpoints = three();
  EXPECT_EQ(endpoints.choose(kNow, kNone), 0U);
  endpoints.answered(0);
  EXPECT_EQ(endpoints.choose(kNow, kNone), 0U);
}

TEST(Endpoints, GoesOnToTheNextAndStaysThere) {
  Endpoints endpoints = three();
  endpoints.failed(0, kNow);
  EXPECT_EQ(endpoints.choose(kNow, kNone), 1U);
  endpoints.answered(1);
  EXPECT_EQ(endpoints.choose(kNow + std::chrono::hours(1), kNone), 1U)
      << "the first's pause is over, which is no reason to leave the second";
  endpoints.failed(1, kNow);
  EXPECT_EQ(endpoints.choose(kNow, kNone), 2U);
  endpoints.failed(2, kNow);
  EXPECT_EQ(endpoints.choose(kNow + milliseconds(50), kNone), 0U) << "round again";
}

TEST(Endpoints, ALateFailureOfAnotherChangesNothing) {
  Endpoints endpoints = three();
  endpoints.failed(0, kNow);
  endpoints.failed(0, kNow);
  EXPECT_EQ(endpoints.choose(kNow, kNone), 1U);
}

TEST(Endpoints, LeavesAFailedOneAloneForItsPause) {
  Endpoints endpoints = three();
  endpoints.failed(1, kNow);
  endpoints.failed(0, kNow);
  EXPECT_EQ(endpoints.choose(kNow + milliseconds(49), kNone), 2U);
  EXPECT_EQ(endpoints.choose(kNow + milliseconds(50), kNone), 1U);
}

TEST(Endpoints, AsksTheOneWhosePauseEndsFirstWhenAllRest) {
  Endpoints endpoints = three();
  endpoints.failed(0, kNow);
  endpoints.failed(0, kNow);
  endpoints.failed(1, kNow + milliseconds(10));
  endpoints.failed(2, kNow + milliseconds(20));
  EXPECT_EQ(endpoints.choose(kNow + milliseconds(30), kNone), 1U);
}

TEST(Endpoints, AnswersEndTheRowOfFailures) {
  Endpoints endpoints = three();
  for (int i = 0; i < 6; ++i) endpoints.failed(0, kNow);
  endpoints.answered(0);
  endpoints.failed(0, kNow);
  endpoints.failed(1, kNow);
  endpoints.failed(2, kNow);
  EXPECT_EQ(endpoints.choose(kNow + milliseconds(50), kNone), 0U);
}

TEST(Endpoints, ChoosesAmongThoseThatWereNotTried) {
  const Endpoints endpoints = three();
  EXPECT_EQ(endpoints.choose(kNow, {true, false, false}), 1U);
  EXPECT_EQ(endpoints.choose(kNow, {true, true, false}), 2U);
  EXPECT_EQ(endpoints.choose(kNow, {true, true, true}), std::nullopt);
}

}  // namespace
}  // namespace sluice::etcd
