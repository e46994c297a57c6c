#include "health/topology.h"

#include "gmock/gmock.h"

#include "tests/health/fixture.h"

namespace sluice::health::testing {
namespace {

using ::testing::ElementsAre;

TEST(Topology, OneServicePoolServesAllAnswerSetsThatFollowTheService) {
  const config::Config config = test_config();
  const Topology topology(config);
  ASSERT_EQ(topology.service_pools().size(), 2U);
  EXPECT_THAT(topology.service_pools()[0].answer_sets, ElementsAre(0U, 1U));
  EXPECT_THAT(topology.service_pools()[1].answer_sets, ElementsAre(2U));
  EXPECT_THAT(topology.service_pools()[0].servers, ElementsAre(0U, 1U, 2U));
  EXPECT_EQ(topology.answer_sets()[2].service_pool, 1U);
}

TEST(Topology, FindsByName) {
  const config::Config config = test_config();
  const Topology topology(config);
  EXPECT_EQ(topology.server("b.pool.example"), 1U);
  EXPECT_EQ(topology.server("nobody.example"), std::nullopt);
  EXPECT_EQ(topology.pool("pool.example"), 0U);
  EXPECT_EQ(topology.answer_set("_sip._tcp.pool.example"), 1U);
  EXPECT_EQ(topology.consolidator("registrar"), topology.service("front-end"));
  EXPECT_EQ(topology.consolidator("front-end"), std::nullopt);
}

TEST(Topology, PoolsAreNumberedOneAfterTheOther) {
  config::Config config = test_config();
  config.pools.push_back(config.pools.front());
  config.pools.back().fqdn = "pool.other";
  for (auto& server : config.pools.back().servers) server.fqdn += ".other";
  const Topology topology(config);
  EXPECT_EQ(topology.pools()[1].first_server, 3U);
  EXPECT_EQ(topology.pools()[1].first_answer_set, 3U);
  EXPECT_EQ(topology.pools()[1].first_service_pool, 2U);
  EXPECT_THAT(topology.service_pools()[2].servers, ElementsAre(3U, 4U, 5U));
}

TEST(Topology, KeepsNamesWhenTheConfigurationIsGone) {
  auto config = std::make_unique<config::Config>(test_config());
  const Topology topology(*config);
  config.reset();
  EXPECT_EQ(topology.pools()[0].fqdn, "pool.example");
  EXPECT_EQ(topology.answer_sets()[1].owner, "_sip._tcp.pool.example");
  EXPECT_EQ(topology.servers()[2].fqdn, "c.pool.example");
  EXPECT_THAT(topology.servers()[0].addresses, ::testing::SizeIs(1));
}

TEST(Topology, NumbersSlotsThroughAllServers) {
  config::Config config = test_config();
  config.pools[0].servers[1].services = {"call-park"};
  config.pools[0].servers[1].startup = {{"call-park", config::Startup::Manual}};
  const Topology topology(config);
  EXPECT_EQ(topology.servers()[1].first_slot, 2U);
  EXPECT_EQ(topology.servers()[2].first_slot, 3U);
  EXPECT_EQ(topology.slot_count(), 5U);
  ASSERT_EQ(topology.servers()[1].services.size(), 1U);
  EXPECT_EQ(topology.servers()[1].services[0].startup, config::Startup::Manual);
  EXPECT_EQ(topology.servers()[2].services[1].startup, config::Startup::Automatic);
  EXPECT_THAT(topology.service_pools()[0].servers, ElementsAre(0U, 2U));
}

}  // namespace
}  // namespace sluice::health::testing
