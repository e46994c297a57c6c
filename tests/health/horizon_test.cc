#include "health/horizon.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;

constexpr base::MonoTime kEnd{1000s};

TEST(Horizon, IsTheTtlAndTheMarginAfterTheLastAnswer) {
  EXPECT_EQ(horizon_of(kEnd, 30s, {}), kEnd + 32s);
}

TEST(Horizon, ResolversThatKeepLongerCount) {
  config::Health settings;
  settings.resolver_min_ttl = 60s;
  EXPECT_EQ(horizon_of(kEnd, 30s, settings), kEnd + 62s);
}

TEST(Naming, IsPastOnceOutConfirmedAndOver) {
  Naming naming;
  naming.enter();
  EXPECT_FALSE(naming.past(kEnd + 99h)) << "still named";
  naming.leave(7);
  EXPECT_FALSE(naming.past(kEnd + 99h)) << "a worker may still name it";
  naming.confirm(7, kEnd + 32s);
  EXPECT_FALSE(naming.past(kEnd + 31s));
  EXPECT_TRUE(naming.past(kEnd + 32s));
}

TEST(Naming, TheLatestPeriodCounts) {
  Naming naming;
  naming.enter();
  naming.leave(7);
  naming.confirm(7, kEnd + 300s);
  naming.enter();
  naming.leave(9);
  naming.confirm(9, kEnd + 40s);
  EXPECT_EQ(naming.horizon, kEnd + 300s) << "an earlier period with a longer TTL ends later";
}

TEST(Naming, AnOlderPublicationDoesNotConfirmANewerLeaving) {
  Naming naming;
  naming.enter();
  naming.leave(7);
  naming.enter();
  naming.leave(9);
  naming.confirm(7, kEnd);
  EXPECT_FALSE(naming.out());
}

}  // namespace
}  // namespace sluice::health
