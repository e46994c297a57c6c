// Very many pools: what time does to all of them at once comes in portions.

#include "gmock/gmock.h"

#include "tests/health/fixture.h"

namespace sluice::health::testing {
namespace {

class ManyPools : public AuthorityTest {
 protected:
  static constexpr PoolId kPools = 2'500;

  void SetUp() override {
    config::Config many = test_config({"a"});
    const config::Pool pool = many.pools.front();
    many.pools.clear();
    for (PoolId number = 0; number < kPools; ++number) {
      config::Pool copy = pool;
      copy.fqdn = "p" + std::to_string(number) + ".example";
      copy.servers[0].fqdn = "a." + copy.fqdn;
      many.pools.push_back(std::move(copy));
    }
    start(many);
  }

  void push_all() {
    for (const config::Pool& pool : config.pools) {
      authority->heartbeat(pool.servers[0].fqdn, up(), [](const Outcome<HeartbeatReply>&) {});
    }
    served();
  }
  std::size_t with(Fallback fallback) const {
    std::size_t count = 0;
    for (PoolId pool = 0; pool < kPools; ++pool) {
      const Topology& topology = *authority->topology();
      const AnswerSetId set = topology.pools()[pool].first_answer_set;
      count += publisher.current->answer_sets[set].fallback == fallback ? 1U : 0U;
    }
    return count;
  }
  // Time passes, without a pause that would look like a stopped authority.
  void wait(base::Duration duration) {
    const base::MonoTime end = clock.now().mono + duration;
    while (clock.now().mono < end) {
      clock.advance(1s);
      authority->tick();
      served();
    }
  }
  // Ticks as the control thread does until it may sleep; the most pools that one of them changed.
  std::size_t settle() {
    std::size_t most = 0;
    std::size_t before = with(Fallback::NeverEmpty);
    for (int ticks = 0; ticks < 100; ++ticks) {
      authority->tick();
      served();
      const std::size_t now = with(Fallback::NeverEmpty);
      most = std::max(most, now - before);
      before = now;
      if (*authority->next_deadline() > clock.now().mono) break;
    }
    return most;
  }
};

TEST_F(ManyPools, WhoseAgentsNeverSpeakKeepTheirGraceForMassLossHold) {
  wait(config.health.mass_loss_hold - 1s);
  settle();
  EXPECT_EQ(with(Fallback::None), kPools);
  clock.advance(1s);
  const std::size_t most = settle();
  EXPECT_EQ(with(Fallback::NeverEmpty), kPools);
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, 500U) << "pools of one tick";
}

TEST_F(ManyPools, LosesLeasesInPortions) {
  push_all();
  wait(config.health.lease - 1s);
  clock.advance(1s);
  settle();
  EXPECT_EQ(with(Fallback::None), kPools) << "the mass-loss guard of each";
  wait(config.health.mass_loss_hold - 1s);
  EXPECT_EQ(with(Fallback::None), kPools);
  clock.advance(1s);
  const std::size_t most = settle();
  EXPECT_EQ(with(Fallback::NeverEmpty), kPools);
  EXPECT_LE(most, 1'000U) << "servers of one tick";
}

TEST_F(ManyPools, AHeartbeatEndsTheGraceOfItsPoolAlone) {
  wait(config.health.lease + 1s);
  settle();
  const std::uint64_t generation = authority->generation();
  Heartbeat down = up();
  for (auto& [service, report] : down.services) report.health = Health::Down;
  authority->heartbeat("a.p7.example", down, [](const Outcome<HeartbeatReply>&) {});
  served();
  EXPECT_EQ(with(Fallback::NeverEmpty), 1U);
  EXPECT_GT(authority->generation(), generation);
}

TEST_F(ManyPools, AreShownInPortions) {
  const auto portion = authority->pools(2'490, 100);
  ASSERT_EQ(portion.size(), 10U);
  EXPECT_EQ(portion[0].pool, "p2490.example");
  EXPECT_TRUE(authority->pools(kPools, 10).empty());
}

}  // namespace
}  // namespace sluice::health::testing
