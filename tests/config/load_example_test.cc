// The examples of the manual, as they stand.

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "config/load.h"
#include "config/load_agent.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::filesystem::path examples() {
  return std::filesystem::path(__FILE__).parent_path() / "examples";
}

std::string example(const char* name) {
  return (examples() / name).string();
}

class SluiceExample : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = load(example("sluice.yaml"));
    ASSERT_TRUE(loaded) << base::to_string(loaded.error());
    config = *std::move(loaded);
  }
  Config config;
};

TEST_F(SluiceExample, ListensAsItSays) {
  EXPECT_EQ(config.file, example("sluice.yaml"));
  EXPECT_EQ(config.dns.identity, "ns1.pool01.contoso.example");
  ASSERT_EQ(config.dns.listen.size(), 2U);
  EXPECT_EQ(config.dns.listen[0].to_string(), "127.0.0.1@5353");
  EXPECT_EQ(config.dns.listen[1].to_string(), "::1@5353");
  EXPECT_EQ(config.dns.workers, 0U);
  EXPECT_EQ(config.dns.max_udp_payload, 1232);
  ASSERT_EQ(config.api.listen.size(), 1U);
  EXPECT_EQ(config.api.listen[0].to_string(), "127.0.0.1@8053");
}

TEST_F(SluiceExample, HasItsPathsBesideTheFile) {
  EXPECT_EQ(config.api.socket.path, (examples() / "run/sluice.sock").string());
  EXPECT_EQ(config.api.socket.mode, 0660U);
  EXPECT_EQ(config.api.socket.group, "");
  EXPECT_EQ(config.store.directory, (examples() / "state").string());
}

TEST_F(SluiceExample, HasItsTokens) {
  ASSERT_EQ(config.api.tokens.size(), 5U);
  const Token& operations = config.api.tokens[0];
  EXPECT_EQ(operations.name, "operations");
  EXPECT_EQ(operations.role, Role::Operator);
  EXPECT_EQ(operations.server, "");
  EXPECT_EQ(operations.sha256[0], 0x0b);
  EXPECT_EQ(operations.sha256[31], 0xca);
  EXPECT_EQ(config.api.tokens[1].role, Role::Reader);
  EXPECT_EQ(config.api.tokens[4].role, Role::Agent);
  EXPECT_EQ(config.api.tokens[4].server, "fe03.pool01.contoso.example");
}

TEST_F(SluiceExample, HasItsTimes) {
  EXPECT_EQ(config.health.heartbeat, 2s);
  EXPECT_EQ(config.health.lease, 6s);
  EXPECT_EQ(config.health.mass_loss, 50U);
  EXPECT_EQ(config.health.mass_loss_hold, 10min);
  EXPECT_EQ(config.health.resolver_min_ttl, 0s);
  EXPECT_EQ(config.health.horizon_margin, 2s);
}

TEST_F(SluiceExample, HasItsServicesInOrder) {
  ASSERT_EQ(config.services.size(), 6U);
  EXPECT_EQ(config.services[0].name, "front-end");
  EXPECT_EQ(config.services[0].title, "Lync Server Front-End");
  EXPECT_THAT(config.services[0].consolidates,
              ElementsAre("registrar", "monitoring-data-collection"));
  EXPECT_EQ(config.services[5].name, "call-park");
}

TEST_F(SluiceExample, KnowsTheLineOfItsRecords) {
  ASSERT_EQ(config.zones.size(), 1U);
  EXPECT_EQ(config.zones[0].name, "pool01.contoso.example");
  EXPECT_TRUE(config.zones[0].records.starts_with("@    300 IN SOA ns1 hostmaster"));
  EXPECT_TRUE(config.zones[0].records.ends_with("A   192.0.2.80\n"));
  EXPECT_EQ(config.zones[0].origin, (base::Location{example("sluice.yaml"), 46}));
}

TEST_F(SluiceExample, HasItsPool) {
  ASSERT_EQ(config.pools.size(), 1U);
  const Pool& pool = config.pools[0];
  EXPECT_EQ(pool.fqdn, "pool01.contoso.example");
  EXPECT_EQ(pool.service, "front-end");
  EXPECT_EQ(pool.ttl, 30s);
  EXPECT_EQ(pool.min_accepting.number, 1U);
  EXPECT_EQ(pool.when_all_held, WhenAllHeld::NoData);
  EXPECT_TRUE(pool.dns_load_balancing);
  EXPECT_EQ(pool.order, Order::Rotate);
  ASSERT_EQ(pool.srv.size(), 2U);
  EXPECT_EQ(pool.srv[1].name, "_sipinternaltls._tcp");
  EXPECT_EQ(pool.srv[1].port, 5061);
  EXPECT_EQ(pool.srv[1].priority, 10);
  ASSERT_EQ(pool.features.size(), 5U);
  EXPECT_EQ(pool.features[2].name, "response-group");
  EXPECT_EQ(pool.features[2].service, "response-group");
  EXPECT_EQ(answer_sets(config).size(), 8U);
}

TEST_F(SluiceExample, HasServersThatRunWhatThePoolNames) {
  ASSERT_EQ(config.pools[0].servers.size(), 3U);
  const Server& server = config.pools[0].servers[2];
  EXPECT_EQ(server.fqdn, "fe03.pool01.contoso.example");
  ASSERT_EQ(server.addresses.size(), 2U);
  EXPECT_EQ(server.addresses[1].to_string(), "fd99::13");
  EXPECT_EQ(server.weight, 100);
  EXPECT_THAT(server.services, ElementsAre("front-end", "attendant", "conferencing-announcement",
                                           "response-group", "announcement", "call-park"));
  EXPECT_THAT(server.startup, ElementsAre(testing::Pair("front-end", Startup::Manual)));
  EXPECT_TRUE(config.pools[0].servers[0].startup.empty());
}

class AgentExample : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = load_agent(example("agent.yaml"));
    ASSERT_TRUE(loaded) << base::to_string(loaded.error());
    config = *std::move(loaded);
  }
  AgentConfig config;
};

TEST_F(AgentExample, SaysWhereToPushAndAsWho) {
  EXPECT_THAT(config.authorities, ElementsAre("http://127.0.0.1:8053"));
  EXPECT_EQ(config.token_file, (examples() / "fe01.token").string());
  EXPECT_EQ(config.server, "fe01.pool01.contoso.example");
  EXPECT_EQ(config.state, (examples() / "state/fe01").string());
  EXPECT_EQ(config.socket.path, (examples() / "run/fe01.sock").string());
  EXPECT_EQ(config.socket.mode, 0660U);
  EXPECT_EQ(config.heartbeat, 2s);
}

TEST_F(AgentExample, HasItsServicesInOrder) {
  ASSERT_EQ(config.services.size(), 6U);
  const AgentService& front_end = config.services[0];
  EXPECT_EQ(front_end.name, "front-end");
  EXPECT_THAT(front_end.units, ElementsAre("kamailio.service"));
  ASSERT_EQ(front_end.checks.size(), 1U);
  EXPECT_EQ(std::get<TcpCheck>(front_end.checks[0].probe).target.to_string(), "127.0.0.1@5060");
  ASSERT_TRUE(front_end.sessions);
  ASSERT_EQ(front_end.sessions->size(), 1U);
  EXPECT_EQ(front_end.sessions->front().name, "connections");
  EXPECT_THAT(std::get<TcpConnections>(front_end.sessions->front().source).ports,
              ElementsAre(5060, 5061));
  EXPECT_EQ(config.services[5].name, "announcement");
}

TEST_F(AgentExample, ChecksAsOftenAsItSaysOrByDefault) {
  const Check& parked = config.services[1].checks.at(0);
  EXPECT_THAT(std::get<CommandCheck>(parked.probe).command,
              ElementsAre("/usr/lib/sluice/check-call-park"));
  EXPECT_EQ(parked.interval, 5s);
  EXPECT_EQ(parked.timeout, 2s);
  const Check& attendant = config.services[2].checks.at(0);
  EXPECT_EQ(attendant.interval, 2s);
  EXPECT_EQ(attendant.timeout, 1s);
  EXPECT_EQ(attendant.rise, 2U);
  EXPECT_EQ(attendant.fall, 3U);
}

TEST_F(AgentExample, TellsNothingToCountFromNotKnown) {
  ASSERT_TRUE(config.services[5].sessions);
  EXPECT_TRUE(config.services[5].sessions->empty());
}

TEST_F(AgentExample, CountsAndHooksByCommand) {
  const AgentService& call_park = config.services[1];
  ASSERT_EQ(call_park.sessions->size(), 2U);
  EXPECT_THAT(std::get<CommandCount>(call_park.sessions->at(0).source).command,
              ElementsAre("/usr/lib/sluice/parked-calls"));
  EXPECT_EQ(std::get<HttpMetric>(call_park.sessions->at(1).source).metric, "callpark_active_calls");
  EXPECT_THAT(call_park.on_hold.command,
              ElementsAre("/usr/sbin/kamcmd", "dispatcher.set_state", "i", "1"));
  EXPECT_THAT(call_park.on_resume.command,
              ElementsAre("/usr/sbin/kamcmd", "dispatcher.set_state", "a", "1"));
}

TEST_F(AgentExample, DelaysAShutdownAndNothingOfItIsWithoutEffect) {
  EXPECT_TRUE(config.reboot.delay);
  EXPECT_EQ(config.reboot.at_most, 15min);
  EXPECT_TRUE(config.warnings.empty());
}

}  // namespace
}  // namespace sluice::config
