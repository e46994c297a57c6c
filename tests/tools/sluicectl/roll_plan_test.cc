#include "gtest/gtest.h"

#include "tools/sluicectl/roll/journal.h"
#include "tools/sluicectl/roll/plan.h"
#include "tools/sluicectl/roll/report_json.h"

namespace sluice::ctl::rolling {
namespace {

const base::WallTime kPlannedAt{};

// a, b, c in the pool's answers; the attendant's has a and b alone.
Pool pool(const std::string& domains = R"("rack-1")") {
  const auto server = [](const std::string& name, const std::string& domain) {
    return R"({"server": ")" + name + R"(", "domain": )" + domain +
           R"(, "services": {"fe": {"status": "accepting", "in_answers": true}}})";
  };
  const std::string octets = R"({"pool": "pool", "answer_sets": [
      {"owner": "pool", "accepting": 3, "min_accepting": 1, "members": ["a", "b", "c"]},
      {"owner": "attendant.pool", "accepting": 2, "min_accepting": 1, "members": ["a", "b"]}],
      "servers": [)" + server("c", "null") +
                             "," + server("b", domains) + "," + server("a", domains) + "]}";
  const auto read = read_answer(*parse_document(octets), read_pool);
  EXPECT_TRUE(read) << read.error();
  return *read;
}

Forecast forecast(const Pool& of, const Settings& settings, const Journal& journal = {}) {
  const auto groups = groups_of(of, settings);
  return forecast_of(of, groups, lanes_of(groups, journal, false), settings.skip_unready,
                     kPlannedAt);
}

TEST(RollPlan, GoesDomainByDomainAndByName) {
  const auto groups = groups_of(pool(), {});
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].domain, "rack-1");
  EXPECT_EQ(groups[0].servers, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(groups[0].at_once, 1U);
  EXPECT_EQ(groups[1].servers, (std::vector<std::string>{"c"})) << "no domain comes last";
}

TEST(RollPlan, AWholeDomainAtOnceUnlessFewerAreAskedFor) {
  Settings settings;
  settings.domains = true;
  EXPECT_EQ(groups_of(pool(), settings)[0].at_once, 2U);
  EXPECT_EQ(groups_of(pool("null"), settings)[0].at_once, 1U);
  settings.at_once = 1;
  EXPECT_EQ(groups_of(pool(), settings)[0].at_once, 1U);
}

TEST(RollPlan, TheTightestFloorCounts) {
  const Pool of = pool();
  const Room two = room_for(of, {"a", "b"});
  EXPECT_EQ(two.servers, 1U);
  ASSERT_NE(two.floor, nullptr);
  EXPECT_EQ(two.floor->owner, "attendant.pool");
  EXPECT_EQ(room_for(of, {"a", "c"}).servers, 2U) << "c is not in the tight one";
  EXPECT_EQ(room_for(of, {"a"}).floor, nullptr);
}

TEST(RollPlan, AFloorThatIsBrokenAlreadyHasNoRoom) {
  Pool of = pool();
  of.answer_sets[0].accepting = 0;
  EXPECT_EQ(room_for(of, {"c"}).servers, 0U);
  of.answer_sets[0].accepting.reset();  // an authority that does not say
  EXPECT_EQ(room_for(of, {"c"}).servers, 1U);
}

TEST(RollPlan, WhoIsHeldOrDownIsNotReady) {
  Pool of = pool();
  Server& server = of.servers[0];
  EXPECT_EQ(unready(server, kPlannedAt), std::nullopt);
  EXPECT_TRUE(accepts(server));
  server.services[0].forced = "down";
  server.services[0].health = "up";
  EXPECT_EQ(unready(server, kPlannedAt), "fe is forced down (agent: up)");
  EXPECT_FALSE(accepts(server));
  server.services[0].forced = "";
  server.services[0].status = "unknown";
  EXPECT_EQ(unready(server, kPlannedAt), "fe is unknown");
  Hold hold;
  hold.scope = "server";
  hold.origin = "operator";
  hold.by = "operations";
  server.services[0].holds = {hold};
  EXPECT_EQ(unready(server, kPlannedAt), "held: server by operations");
  server.services.clear();
  EXPECT_FALSE(accepts(server)) << "of nothing nobody can say that it accepts";
}

TEST(RollForecast, ShowsTurnsAsTheFloorsAllowThem) {
  Settings settings;
  settings.domains = true;
  const Pool of = pool();
  const Forecast seen = forecast(of, settings);
  EXPECT_EQ(seen.exit, Exit::Done);
  ASSERT_EQ(seen.turns.size(), 3U) << "a and b do not fit at once";
  EXPECT_EQ(seen.turns[0].wanted, 2U);
  EXPECT_EQ(seen.turns[0].room.servers, 1U);
}

TEST(RollForecast, SaysWhereItWouldStop) {
  Pool of = pool();
  of.servers[1].services[0].status = "down";  // b
  EXPECT_EQ(forecast(of, {}).exit, Exit::Failed);
  EXPECT_EQ(forecast(of, {}).words, "it would stop at b: fe is down");
  Settings skipping;
  skipping.skip_unready = true;
  EXPECT_EQ(forecast(of, skipping).exit, Exit::Done);
  EXPECT_EQ(forecast(of, skipping).turns.size(), 2U);
}

TEST(RollForecast, SaysWhatAFloorWouldRefuse) {
  Pool of = pool();
  of.answer_sets[1].min_accepting = 2;
  EXPECT_EQ(forecast(of, {}).exit, Exit::Refused);
  EXPECT_EQ(forecast(of, {}).words, "it would be refused at a by rule floor");
}

TEST(RollForecast, WhatIsDoneHasNoTurn) {
  Journal journal;
  journal.servers["a"].state = Journal::State::Done;
  EXPECT_EQ(forecast(pool(), {}, journal).turns.size(), 2U);
}

}  // namespace
}  // namespace sluice::ctl::rolling
