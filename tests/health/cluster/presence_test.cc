#include "health/cluster/presence.h"

#include <chrono>
#include <string>

#include "gtest/gtest.h"

#include "tests/health/cluster/simulated.h"

namespace sluice::cluster {
namespace {

using namespace std::chrono_literals;

class PresenceTest : public ::testing::Test {
 protected:
  bool alive() { return !engine.list("alive/ns1").entries.empty(); }
  void beat_for(std::chrono::milliseconds time) {
    for (; time > 0ms; time -= 1'000ms) {
      presence.renew();
      world.run_for(1s);
    }
  }

  simulated::World world{1};
  simulated::Engine engine{world};
  simulated::SimulatedKv kv{world, engine};
  Presence presence{kv, "ns1", "run"};
};

TEST_F(PresenceTest, LivesAsLongAsItBeats) {
  EXPECT_FALSE(alive());
  beat_for(10s);
  EXPECT_TRUE(alive());
  EXPECT_EQ(engine.list("alive/ns1").entries.front().value, R"({"run":"run"})");
  world.run_for(Presence::kLease + 1s);
  EXPECT_FALSE(alive());
}

TEST_F(PresenceTest, ComesBackWithAnotherLease) {
  beat_for(2s);
  world.run_for(10s);  // stopped, perhaps
  ASSERT_FALSE(alive());
  presence.renew();
  world.run_for(100ms);
  EXPECT_TRUE(alive()) << "at once: the engine says that the lease has ended";
}

TEST_F(PresenceTest, WritesTheKeyAnewOnceItMayBeGone) {
  beat_for(1s);
  Transaction gone;
  gone.writes = {{"alive/ns1", std::nullopt, 0}};
  engine.commit(gone);
  ASSERT_FALSE(alive());
  presence.forget();
  beat_for(1s);
  EXPECT_TRUE(alive());
}

TEST_F(PresenceTest, TriesAgainWithEachBeat) {
  kv.reachable = false;
  beat_for(5s);
  EXPECT_FALSE(alive());
  kv.reachable = true;
  beat_for(2s);
  EXPECT_TRUE(alive());
}

TEST_F(PresenceTest, LeavesAtOnceAndForGood) {
  beat_for(2s);
  bool done = false;
  presence.leave([&done] { done = true; });
  ASSERT_TRUE(world.run_until([&done] { return done; }, 1s));
  EXPECT_FALSE(alive());
  beat_for(2s);
  EXPECT_FALSE(alive());
}

TEST_F(PresenceTest, LeavesThoughNobodyAnswers) {
  beat_for(1s);
  kv.reachable = false;
  bool done = false;
  presence.leave([&done] { done = true; });
  EXPECT_TRUE(world.run_until([&done] { return done; }, Kv::kLimit + 1s));
  Presence never{kv, "ns2", "run"};
  bool at_once = false;
  never.leave([&at_once] { at_once = true; });
  EXPECT_TRUE(at_once);
}

TEST_F(PresenceTest, IsLeftAloneOnceItIsGone) {
  {
    Presence brief{kv, "ns2", "run"};
    brief.renew();
  }
  world.run_for(1s);
  EXPECT_TRUE(engine.list("alive/ns2").entries.empty());
}

}  // namespace
}  // namespace sluice::cluster
