#include "gmock/gmock.h"

#include "tests/config/refused.h"

namespace sluice::config {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(LoadFloor, RefusesEachMistake) {
  expect_refused({
      {"    ttl: 30s", "    min_accepting: 3",
       "t.yaml:19: pools[0].min_accepting: must be at most the pool's 2 servers, is 3: no drain "
       "would ever be accepted"},
      {"    ttl: 30s", "    min_accepting: -1",
       "t.yaml:19: pools[0].min_accepting: must be a percentage such as 50%, a table such as {3: "
       "2, 5: 3} or 0..65535, is -1"},
      {"    ttl: 30s", "    min_accepting: most",
       "t.yaml:19: pools[0].min_accepting: must be a percentage such as 50%, a table such as {3: "
       "2, 5: 3} or a number, 0..65535, is most"},
      {"    ttl: 30s", "    min_accepting: [1]",
       "t.yaml:19: pools[0].min_accepting: must be a percentage such as 50%, a table such as {3: "
       "2, 5: 3} or a number, 0..65535, is a list"},
      {"    ttl: 30s", "    min_accepting:",
       "t.yaml:19: pools[0].min_accepting: must be a percentage such as 50%, a table such as {3: "
       "2, 5: 3} or a number, 0..65535, is empty"},
      {"    ttl: 30s", "    min_accepting: 101%",
       "t.yaml:19: pools[0].min_accepting: must be a percentage, 0%..100%, is 101%"},
      {"    ttl: 30s", "    min_accepting: 33.3%",
       "t.yaml:19: pools[0].min_accepting: must be a percentage, 0%..100%, is 33.3%"},
      {"    ttl: 30s", "    min_accepting: 50 %",
       "t.yaml:19: pools[0].min_accepting: must be a percentage, 0%..100%, is 50 %"},
      {"    ttl: 30s", "    min_accepting: {}",
       "t.yaml:19: pools[0].min_accepting: must have at least one size, such as {3: 2, 5: 3}"},
      {"    ttl: 30s", "    min_accepting: {3: 4}",
       "t.yaml:19: pools[0].min_accepting.3: must be 0..3, is 4"},
      {"    ttl: 30s", "    min_accepting: {3: 50%}",
       "t.yaml:19: pools[0].min_accepting.3: must be a number, 0..3, is 50%"},
      {"    ttl: 30s", "    min_accepting: {0: 0}",
       "t.yaml:19: pools[0].min_accepting.0: must be a number of servers, 1..65535, is 0"},
      {"    ttl: 30s", "    min_accepting: {65536: 1}",
       "t.yaml:19: pools[0].min_accepting.65536: must be a number of servers, 1..65535, is 65536"},
      {"    ttl: 30s", "    min_accepting: {03: 1}",
       "t.yaml:19: pools[0].min_accepting.03: must be a number of servers, 1..65535, is 03"},
      {"    ttl: 30s", "    min_accepting: {many: 1, 3: 2, 3: 1}",
       "t.yaml:19: pools[0].min_accepting.3: is given twice: first in line 19\n"
       "t.yaml:19: pools[0].min_accepting.many: must be a number of servers, 1..65535, is many"},
  });
}

TEST(LoadFloor, OfAFeatureIsReadAsThatOfAPool) {
  expect_refused({
      {"service: chat}", "service: chat, min_accepting: {2: 3}}",
       "t.yaml:26: pools[0].features[0].min_accepting.2: must be 0..2, is 3"},
      {"service: chat}", "service: chat, min_accepting: 3}",
       "t.yaml:26: pools[0].features[0].min_accepting: must be at most the pool's 2 servers, is 3: "
       "no drain would ever be accepted"},
      {", service: chat}", ", min_accepting: 3}",
       "t.yaml:26: pools[0].features[0].service: is missing: one of services:"},
      {", service: chat}", ", service: wob, min_accepting: 3}",
       "t.yaml:26: pools[0].features[0].service: must be one of services:, is wob; did you mean "
       "\"web\"?"},
  });
}

// Only those that run the service could ever be in the answer.
TEST(LoadFloor, CountsTheServersThatRunTheService) {
  const std::string text = with(kSmall, "weight: 50", "services: [web]");
  const auto told = [&](std::string_view from, std::string_view to) {
    const auto loaded = load_text(with(text, from, to), "t.yaml");
    return loaded ? "" : base::to_string(loaded.error());
  };
  EXPECT_EQ(told("service: chat}", "service: chat, min_accepting: 1}"), "");
  EXPECT_EQ(told("service: chat}", "service: chat, min_accepting: 2}"),
            "t.yaml:26: pools[0].features[0].min_accepting: must be at most the pool's 1 server "
            "that runs chat, is 2: no drain would ever be accepted");
  EXPECT_EQ(told("ttl: 30s", "min_accepting: 2"), "") << "a feature may be on fewer servers";
  EXPECT_EQ(told("    service: web\n    ttl: 30s", "    service: chat\n    min_accepting: 2"),
            "t.yaml:19: pools[0].min_accepting: must be at most the pool's 1 server that runs "
            "chat, is 2: no drain would ever be accepted");
}

Pool pool_with(std::string_view floor) {
  const Config config = small_with("ttl: 30s", "min_accepting: " + std::string(floor));
  return config.pools.empty() ? Pool{} : config.pools.front();
}

TEST(LoadFloor, IsANumber) {
  EXPECT_EQ(pool_with("2").min_accepting, MinAccepting(2));
  EXPECT_EQ(pool_with("0").min_accepting, MinAccepting(0));
  EXPECT_EQ(Pool().min_accepting, MinAccepting(1)) << "by default";
  EXPECT_FALSE(pool_with("2").features.at(0).min_accepting) << "that of the pool counts";
}

TEST(LoadFloor, IsAPercentage) {
  for (const char* text : {"50%", "\"50%\""}) {
    const MinAccepting floor = pool_with(text).min_accepting;
    EXPECT_EQ(floor.kind, MinAccepting::Kind::Percentage) << text;
    EXPECT_EQ(floor.number, 50U) << text;
  }
  EXPECT_EQ(pool_with("0%").min_accepting.number, 0U);
  EXPECT_EQ(pool_with("100%").min_accepting.number, 100U);
}

// Keys in quotes are all that JSON has.
TEST(LoadFloor, IsATableBySize) {
  for (const char* text : {"{3: 2, 5: 3, 7: 4}", "{\"7\": 4, \"3\": 2, \"5\": 3}"}) {
    const MinAccepting floor = pool_with(text).min_accepting;
    EXPECT_EQ(floor.kind, MinAccepting::Kind::Table) << text;
    EXPECT_THAT(floor.by_size, ElementsAre(Pair(3, 2), Pair(5, 3), Pair(7, 4))) << text;
  }
  EXPECT_THAT(pool_with("{1: 0, 65535: 65535}").min_accepting.by_size,
              ElementsAre(Pair(1, 0), Pair(65535, 65535)))
      << "2 servers must keep none";
}

TEST(LoadFloor, MayBeAFeaturesOwn) {
  const auto loaded = load_text(
      with(kSmall, "service: chat}", "service: chat, min_accepting: {1: 1, 2: 2}}"), "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  const Pool& pool = loaded->pools[0];
  ASSERT_TRUE(pool.features[0].min_accepting);
  EXPECT_EQ(pool.features[0].min_accepting->of(2), 2U);
  EXPECT_EQ(pool.min_accepting, MinAccepting(1));
}

}  // namespace
}  // namespace sluice::config
