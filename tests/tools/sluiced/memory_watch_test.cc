#include "tools/sluiced/memory_watch.h"

#include "gtest/gtest.h"

#include "tests/tools/sluiced/start.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kLimit = 1'000;

class MemoryWatchTest : public testing::Test {
 protected:
  MemoryWatchTest() { watch_.set_limit(kLimit); }
  Shedding at(base::Duration time, std::uint64_t resident) {
    return watch_.look(resident, kStart + time);
  }

  MemoryWatch watch_;
};

TEST_F(MemoryWatchTest, TurnsReadersAwayFirstThenTcpClientsOfDns) {
  EXPECT_EQ(at(0s, 899), Shedding::Nobody);
  EXPECT_EQ(at(1s, 900), Shedding::Readers);
  EXPECT_EQ(at(2s, 949), Shedding::Readers);
  EXPECT_EQ(at(3s, 950), Shedding::TcpClients);
  EXPECT_EQ(at(4s, 5'000), Shedding::TcpClients);
}

TEST_F(MemoryWatchTest, IsNotSlowWhenMemoryIsTakenAtOnce) {
  EXPECT_EQ(at(0s, 2'000), Shedding::TcpClients);
}

TEST_F(MemoryWatchTest, TakesBackATenthLowerAndAfterAWhile) {
  EXPECT_EQ(at(0s, 960), Shedding::TcpClients);
  EXPECT_EQ(at(10s, 860), Shedding::TcpClients) << "not low enough";
  EXPECT_EQ(at(12s, 840), Shedding::TcpClients) << "not for long enough";
  EXPECT_EQ(at(15s, 840), Shedding::Readers);
  EXPECT_EQ(at(30s, 810), Shedding::Readers) << "not low enough";
  EXPECT_EQ(at(31s, 790), Shedding::Readers) << "not for long enough";
  EXPECT_EQ(at(35s, 790), Shedding::Nobody);
}

TEST_F(MemoryWatchTest, TakesAllBackTogetherWhenAllIsFree) {
  EXPECT_EQ(at(0s, 960), Shedding::TcpClients);
  EXPECT_EQ(at(5s, 100), Shedding::Nobody);
}

TEST_F(MemoryWatchTest, DoesNotFlapWithItsOwnEffect) {
  int changes = 0;
  Shedding before = Shedding::Nobody;
  for (int look = 0; look < 400; ++look) {  // 100 seconds
    const std::uint64_t resident = before == Shedding::Nobody ? 930 : 700;
    const Shedding now = at(look * 250ms, resident);
    changes += now != before ? 1 : 0;
    before = now;
  }
  EXPECT_LE(changes, 2 * 100 / 5);
}

TEST_F(MemoryWatchTest, WithoutALimitNobodyIsTurnedAway) {
  EXPECT_EQ(at(0s, 960), Shedding::TcpClients);
  watch_.set_limit(0);
  EXPECT_EQ(at(1s, 960), Shedding::Nobody) << "a reload took the limit away";
  EXPECT_EQ(at(2s, UINT64_MAX), Shedding::Nobody);
}

}  // namespace
}  // namespace sluice
