// GET /v1/explain.

#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using json = nlohmann::json;

TEST_F(ApiTest, ExplainsAnAnswer) {
  start();
  ask("POST", "/v1/servers/a/drain", "operations", R"({"reason": "patch"})");
  const json explanation =
      ask("GET", "/v1/explain?name=CALL-park.pool.example.&type=aaaa", "dashboards").json();
  EXPECT_EQ(explanation["name"], "call-park.pool.example");
  EXPECT_EQ(explanation["type"], "AAAA");
  EXPECT_EQ(explanation["answer_set"], "call-park.pool.example");
  EXPECT_EQ(explanation["fallback"], "none");
  ASSERT_EQ(explanation["members"].size(), 3U);
  EXPECT_EQ(explanation["members"][0]["server"], "a.pool.example");
  EXPECT_EQ(explanation["members"][0]["in"], false);
  EXPECT_EQ(explanation["members"][0]["rule"], "hold");
  EXPECT_EQ(explanation["members"][0]["by"], "operations");
  EXPECT_EQ(explanation["members"][1]["in"], false) << "it has no address of this type";
  const json by_label = ask("GET", "/v1/explain?name=pool", "dashboards").json();
  EXPECT_EQ(by_label["name"], "pool.example");
  EXPECT_EQ(by_label["members"][1]["in"], true);
  EXPECT_EQ(ask("GET", "/v1/explain?name=_sip._tcp.pool.example", "dashboards").json()["type"],
            "SRV");
  EXPECT_EQ(ask("GET", "/v1/explain?name=www.example", "dashboards").status, 404);
  EXPECT_EQ(ask("GET", "/v1/explain", "dashboards").json()["member"], "name");
  EXPECT_EQ(ask("GET", "/v1/explain?name=pool.example&type=TXT", "dashboards").json()["member"],
            "type");
  EXPECT_EQ(ask("GET", "/v1/explain?name=a&nmae=b", "dashboards").status, 400);
  EXPECT_EQ(ask("GET", "/v1/explain?name=a&name=b", "dashboards").status, 400);
}

TEST_F(ApiTest, ExplainsThatANameHasNoRecordsOfTheType) {
  start();
  const auto member = [&](const std::string& query) {
    return ask("GET", "/v1/explain?name=" + query, "dashboards").json()["members"][1];
  };
  EXPECT_EQ(member("_sip._tcp.pool.example&type=SRV")["in"], true);
  const json address = member("_sip._tcp.pool.example&type=A");
  EXPECT_EQ(address["in"], false);
  EXPECT_THAT(std::string(address["text"]), HasSubstr("SRV records alone, so no answer to A"));
  const json srv = member("pool.example&type=SRV");
  EXPECT_EQ(srv["in"], false);
  EXPECT_EQ(srv["rule"], member("pool.example&type=A")["rule"]) << "of its own records";
  EXPECT_THAT(std::string(srv["text"]), HasSubstr("no SRV records, so no answer to SRV"));
}

TEST_F(ApiTest, ExplainsWhoHasNoAddressOfTheType) {
  config_.pools[0].servers[1].addresses.push_back(*base::IpAddress::parse("2001:db8::2"));
  start();
  const auto text = [&](const char* type, std::size_t member) {
    return std::string(
        ask("GET", std::string("/v1/explain?name=pool.example&type=") + type, "dashboards")
            .json()["members"][member]["text"]);
  };
  EXPECT_THAT(text("AAAA", 0), HasSubstr("it has no AAAA address"));
  EXPECT_THAT(text("AAAA", 1), Not(HasSubstr("no AAAA address")));
  EXPECT_THAT(text("A", 0), Not(HasSubstr("address")));
}

}  // namespace
}  // namespace sluice::health::testing
