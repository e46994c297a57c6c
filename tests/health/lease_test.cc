#include "health/lease.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr base::MonoTime kNow{1000s};

Lease pushed(base::Duration ago) {
  Lease lease;
  lease.last_push = kNow - ago;
  lease.current = true;
  return lease;
}

TEST(JudgeLoss, OneOfThreeIsThatServersOwnFault) {
  const Lease pool[] = {pushed(6s), pushed(1s), pushed(2s)};
  const Loss loss = judge_loss(pool, {}, kNow);
  EXPECT_THAT(loss.lost, ElementsAre(0));
  EXPECT_EQ(loss.current_before, 3U);
  EXPECT_FALSE(loss.mass);
}

TEST(JudgeLoss, MoreThanHalfAtOnceIsTheAuthoritysDoubt) {
  const Lease pool[] = {pushed(6s), pushed(5s), pushed(1s)};
  const Loss loss = judge_loss(pool, {}, kNow);
  EXPECT_THAT(loss.lost, ElementsAre(0, 1)) << "silent for more than two heartbeats";
  EXPECT_TRUE(loss.mass);
}

TEST(JudgeLoss, ExactlyTheShareIsNotMore) {
  const Lease pool[] = {pushed(6s), pushed(1s)};
  EXPECT_FALSE(judge_loss(pool, {}, kNow).mass);
}

TEST(JudgeLoss, ThoseWhoWereSilentBeforeDoNotCount) {
  Lease gone = pushed(60s);
  gone.current = false;
  const Lease pool[] = {gone, gone, pushed(6s), pushed(1s)};
  const Loss loss = judge_loss(pool, {}, kNow);
  EXPECT_EQ(loss.current_before, 2U);
  EXPECT_FALSE(loss.mass);
}

TEST(JudgeLoss, APoolOfOneIsAlwaysDoubt) {
  const Lease pool[] = {pushed(6s)};
  EXPECT_TRUE(judge_loss(pool, {}, kNow).mass);
}

TEST(Grace, LastsOneLeaseAndLongerWhileMostAreUnheard) {
  EXPECT_TRUE(in_grace({kNow, 3, 0}, {}, kNow + 5s));
  EXPECT_FALSE(in_grace({kNow, 3, 1}, {}, kNow + 6s));
  EXPECT_TRUE(in_grace({kNow, 3, 2}, {}, kNow + 6s));
  EXPECT_TRUE(in_grace({kNow, 3, 3}, {}, kNow + 9min));
  EXPECT_FALSE(in_grace({kNow, 3, 3}, {}, kNow + 10min)) << "mass_loss_hold at most";
}

TEST(LeaseState, TellsTheFourApart) {
  EXPECT_EQ(state_of(pushed(0s)), LeaseState::Current);
  Lease lease;
  EXPECT_EQ(state_of(lease), LeaseState::Never);
  lease.last_push = kNow;
  EXPECT_EQ(state_of(lease), LeaseState::Expired);
  lease.guarded_until = kNow + 1s;
  EXPECT_EQ(state_of(lease), LeaseState::Guarded);
}

}  // namespace
}  // namespace sluice::health
