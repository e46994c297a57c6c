#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/health/fixture.h"

// Horizons of real figures: what was served with which TTL, across restarts and reloads too.
namespace sluice::health::testing {
namespace {

class Horizons : public AuthorityTest {
 protected:
  static config::Config with_ttl(std::chrono::seconds ttl,
                                 std::vector<std::string> servers = {"a", "b", "c"}) {
    config::Config with = test_config(std::move(servers));
    with.pools.front().ttl = ttl;
    return with;
  }
  void reload(const config::Config& with) {
    config = with;
    authority->reconfigure(std::make_shared<Topology>(config), config.health);
    served();
  }
  double horizon_in(const std::string& label) const {
    const auto horizon = view(label).cache_horizon;
    return horizon ? std::chrono::duration<double>(*horizon - clock.wall).count() : -1;
  }
};

TEST_F(Horizons, AfterARestartWithAnotherTtlTheOneThatWasServedCounts) {
  start(with_ttl(300s));
  all_up();
  start(with_ttl(10s));  // as after kill -9, with another configuration
  all_up();
  ASSERT_TRUE(*drain("b"));
  EXPECT_EQ(horizon_in("b"), 302);
}

TEST_F(Horizons, AfterARestartWithALongerTtlNobodyWasServedWithItYet) {
  start(with_ttl(10s));
  start(with_ttl(300s));
  // Not in answers from the first publication on: forced down before the restart.
  force("b", Health::Down);
  pass(1s);
  restart();
  EXPECT_LE(horizon_in("b"), 302);
}

TEST_F(Horizons, ATtlThatAReloadReplacedIsRememberedByTheNextRestart) {
  start(with_ttl(300s));
  all_up();
  reload(with_ttl(10s));
  pass(100s, {"a", "b", "c"});
  restart();
  all_up();
  ASSERT_TRUE(*drain("b"));
  EXPECT_EQ(horizon_in("b"), 202) << "300 s and the margin from the reload on";
  resume("b");
  pass(203s, {"a", "b", "c"});
  restart();
  all_up();
  ASSERT_TRUE(*drain("b"));
  EXPECT_EQ(horizon_in("b"), 12) << "all caches have forgotten the longer one";
}

TEST_F(Horizons, AServerThatTwoReloadsDroppedAndBroughtBackKeepsItsHorizon) {
  start(with_ttl(300s));
  all_up();
  reload(with_ttl(300s, {"a", "b"}));
  reload(with_ttl(10s));
  push("c", up());
  ASSERT_TRUE(*drain("c"));
  EXPECT_EQ(horizon_in("c"), 302);
}

TEST_F(Horizons, AServerThatWasDroppedBeforeARestartKeepsItsPoolsOldTtl) {
  start(with_ttl(300s));
  all_up();
  reload(with_ttl(300s, {"a", "b"}));
  restart();
  reload(with_ttl(10s));
  push("c", up());
  ASSERT_TRUE(*drain("c"));
  EXPECT_EQ(horizon_in("c"), 302);
}

TEST_F(Horizons, NothingIsWrittenForAPoolWhoseTtlIsOnDisk) {
  start(with_ttl(300s));
  ASSERT_EQ(store.disk.pool_ttls.size(), 1U);
  const base::Moment a_mark = clock.now().to_moment(clock.mono + 1h);
  store.disk.pool_ttls.front().kept_until = a_mark;
  restart();
  EXPECT_EQ(store.disk.pool_ttls.front().kept_until, a_mark);
}

TEST_F(Horizons, ReloadsLengthenNone) {
  start(with_ttl(30s));
  all_up();
  DrainRequest request;
  request.server = "a.pool.example";
  request.hide_host = true;
  ASSERT_TRUE(*drain(request));
  EXPECT_EQ(horizon_in("a"), 32);
  pass(18s, {"a", "b", "c"});
  reload(with_ttl(5s, {"a", "b"}));
  EXPECT_EQ(horizon_in("a"), 14);
  pass(6s, {"a", "b"});
  reload(with_ttl(30s));
  EXPECT_EQ(horizon_in("a"), 8);
  pass(2s, {"a", "b"});
  EXPECT_EQ(horizon_in("a"), 6);
}

// Served while held until the reload, and never with the TTL that it brings.
TEST_F(Horizons, WhoLeavesWithAReloadHadTheTtlOfBefore) {
  config::Config all_held = with_ttl(5s, {"a", "b"});
  all_held.pools.front().when_all_held = config::WhenAllHeld::ServeHeld;
  all_held.pools.front().min_accepting = {};
  start(all_held);
  push("a", up());
  push("b", up());
  for (const char* label : {"a", "b"}) {
    DrainRequest request;
    request.server = label + std::string(".pool.example");
    request.force = true;
    ASSERT_TRUE(*drain(request));
  }
  ASSERT_EQ(members(kPool), "ab");
  config::Config more = with_ttl(300s);
  more.pools.front().when_all_held = config::WhenAllHeld::ServeHeld;
  reload(more);
  push("c", up());
  ASSERT_EQ(members(kPool), "c");
  EXPECT_EQ(horizon_in("a"), 7);
}

TEST_F(Horizons, AWallClockSetAheadWhileTheAuthorityIsDownShortensNone) {
  start(with_ttl(300s));
  all_up();
  ASSERT_TRUE(*drain("b"));
  clock.wall += 1h;
  restart();
  EXPECT_EQ(horizon_in("b"), 302);
  EXPECT_THAT(codes(view("b").verdict), ::testing::Contains("horizon"));
}

TEST_F(Horizons, AWallClockSetAheadWhileItIsDownShortensNoTtlOfBefore) {
  start(with_ttl(300s));
  all_up();
  reload(with_ttl(10s));
  clock.wall += 1h;
  restart();
  push("c", up());
  ASSERT_TRUE(*drain("c"));
  EXPECT_EQ(horizon_in("c"), 302);
}

// Its monotonic clock has started anew: the wall clock is all that there is.
TEST_F(Horizons, AfterARebootOfTheMachineTheWallClockCounts) {
  start(with_ttl(300s));
  all_up();
  ASSERT_TRUE(*drain("b"));
  clock.boot = 2;
  clock.mono -= 99h;
  clock.wall += 100s;
  restart();
  EXPECT_EQ(horizon_in("b"), 202);
}

// Its agent stalls: callers whom a cache still sends come after the count, and nobody counts them.
TEST_F(Horizons, AZeroThatWasCountedBeforeTheHorizonIsNoProofAfterIt) {
  start(with_ttl(10s));
  all_up();
  drain("b", "front-end");
  pass(11s, {"a", "b", "c"});
  pass(1s, {"a", "c"});
  EXPECT_EQ(horizon_in("b"), 0);
  EXPECT_THAT(codes(view("b").verdict), ::testing::ElementsAre("sessions-unknown"));
  EXPECT_THAT(view("b").verdict.reasons.front().text, ::testing::HasSubstr("has not counted them"));
  EXPECT_EQ(view("b").status, Status::Draining);
  EXPECT_EQ(view("b").sessions, Sessions{}) << "what was said is shown";
  push("b", up());
  EXPECT_TRUE(view("b").verdict.safe_to_stop);
  EXPECT_EQ(view("b").status, Status::Drained);
}

TEST_F(Horizons, AStopThatWasToldBeforeTheHorizonIsNoProofAfterIt) {
  start(with_ttl(10s));
  all_up();
  drain("b", "front-end");
  pass(11s, {"a", "b", "c"});
  Heartbeat stopped = up();
  stopped.services.at("front-end").health = Health::Stopped;
  push("b", stopped);
  pass(1s, {"a", "c"});
  EXPECT_THAT(codes(view("b").verdict), ::testing::ElementsAre("sessions-unknown"));
}

TEST_F(Horizons, OneServiceThatIsCountedAfterTheHorizonProvesNothingOfAnother) {
  start(with_ttl(10s));
  all_up();
  drain("b");
  pass(11s, {"a", "b", "c"});
  pass(1s, {"a", "c"});
  Heartbeat half = up();
  half.services.erase("call-park");
  push("b", half);
  EXPECT_TRUE(view("b").verdict.safe_to_stop);
  EXPECT_THAT(codes(view("b", "call-park").verdict), ::testing::ElementsAre("sessions-unknown"));
}

// What was sent while the authority stood still waited for it in the kernel.
TEST_F(Horizons, WhatWaitedWhileTheAuthorityStoodStillIsNoProofAfterTheHorizon) {
  for (const bool before_tick : {true, false}) {
    start(with_ttl(10s));
    all_up();
    drain("b", "front-end");
    pass(4s, {"a", "b", "c"});
    clock.advance(9s);
    if (!before_tick) authority->tick();
    push("b", up());
    authority->tick();
    EXPECT_THAT(codes(view("b").verdict), ::testing::ElementsAre("sessions-unknown"));
    pass(1s, {"b"});
    EXPECT_THAT(codes(view("b").verdict), ::testing::ElementsAre("sessions-unknown"));
    pass(1s, {"b"});
    EXPECT_TRUE(view("b").verdict.safe_to_stop);
    resume("b", "front-end");
  }
}

TEST_F(Horizons, ANewConnectionAfterTheHorizonKeepsTheVerdictRed) {
  start(with_ttl(10s));
  all_up();
  drain("b", "front-end");
  pass(20s, {"a", "b", "c"});
  EXPECT_TRUE(view("b").verdict.safe_to_stop);
  Heartbeat late = up();
  late.services.at("front-end").last_new_connection = std::chrono::milliseconds(500);
  push("b", late);
  EXPECT_THAT(codes(view("b").verdict), ::testing::ElementsAre("new-connections"));
}

}  // namespace
}  // namespace sluice::health::testing
