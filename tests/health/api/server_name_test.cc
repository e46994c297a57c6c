#include "health/api/server_name.h"

#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

using ::testing::HasSubstr;

TEST_F(ApiTest, SaysWhatMayHaveBeenMeant) {
  config_.pools[0].servers[0].fqdn = "front01.pool.example";
  start();
  const auto detail = [&](const std::string& target) {
    return std::string(ask("GET", target, "dashboards").json()["detail"]);
  };
  EXPECT_EQ(detail("/v1/servers/frnot01"),
            "no server of that name is configured; did you mean \"front01\"?");
  EXPECT_EQ(detail("/v1/servers/front01.pol.example"),
            "no server of that name is configured; did you mean \"front01.pool.example\"?");
  EXPECT_EQ(detail("/v1/servers/banana"), "no server of that name is configured");
  EXPECT_EQ(detail("/v1/pools/pol"), "no pool of that name is configured; did you mean \"pool\"?");
  EXPECT_EQ(detail("/v1/explain?name=calpark.pool.example"),
            "no answer set has that name; did you mean \"call-park.pool.example\"?");
  EXPECT_EQ(detail("/v1/explain?name=call-park"),
            "no answer set has that name; did you mean \"call-park.pool.example\"?");
  EXPECT_EQ(detail("/v1/explain?name=call-park.pol.example"),
            "no answer set has that name; did you mean \"call-park.pool.example\"?");
  EXPECT_EQ(detail("/v1/explain?name=_sip._tpc.pool.example"),
            "no answer set has that name; did you mean \"_sip._tcp.pool.example\"?");
  // Alike but for one label, which is another word; and one that is alike by its end alone.
  EXPECT_EQ(detail("/v1/explain?name=web.pool.example"), "no answer set has that name");
  EXPECT_EQ(detail("/v1/explain?name=nosuch.example"), "no answer set has that name");
  EXPECT_EQ(detail("/v1/explain?name=front01.pool.example"),
            "no answer set has that name; it is a server of pool.example");
  EXPECT_EQ(detail("/v1/explain?name=front01"),
            "no answer set has that name; it is the server front01.pool.example of pool.example");
  EXPECT_EQ(ask("GET", "/v1/servers/frnot01", "a").json()["detail"],
            "an agent's token is for its own server alone");
}

TEST_F(ApiTest, FindsAServerByAUniqueLabelAndListsThoseOfAnother) {
  config::Pool second = config_.pools[0];
  second.fqdn = "pool2.example";
  second.servers.resize(1);
  second.servers[0].fqdn = "a.pool2.example";
  config_.zones.push_back({"pool2.example", "", {}});
  config_.pools.push_back(second);
  start();
  EXPECT_EQ(ask("GET", "/v1/servers/B", "dashboards").status, 200);
  const Response ambiguous = ask("GET", "/v1/servers/a", "dashboards");
  EXPECT_EQ(ambiguous.status, 404);
  EXPECT_THAT(std::string(ambiguous.json()["detail"]), HasSubstr("a.pool.example"));
  EXPECT_THAT(std::string(ambiguous.json()["detail"]), HasSubstr("a.pool2.example"));
  EXPECT_EQ(ask("GET", "/v1/servers/a.pool2.example", "dashboards").status, 200);
  EXPECT_EQ(ask("GET", "/v1/servers/", "dashboards").status, 404);
  EXPECT_EQ(ask("GET", "/v1/servers/%2e", "dashboards").status, 404);
}

}  // namespace
}  // namespace sluice::health::testing
