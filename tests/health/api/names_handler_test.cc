// GET /v1/names.

#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

using json = nlohmann::json;

TEST_F(ApiTest, ListsNamesThatBeginAlike) {
  start();
  const auto names = [&](const std::string& query) {
    const json reply = ask("GET", "/v1/names?" + query, "dashboards").json();
    std::string text;
    for (const json& each : reply["names"]) text += std::string(each["name"]) + " ";
    return text + (reply["more"] ? "..." : ".");
  };
  EXPECT_EQ(names("kind=server"), "a.pool.example b.pool.example c.pool.example .");
  EXPECT_EQ(names("kind=server&prefix=B"), "b.pool.example .");
  EXPECT_EQ(names("kind=server&limit=2"), "a.pool.example b.pool.example ...");
  EXPECT_EQ(names("kind=pool"), "pool.example .");
  EXPECT_EQ(names("kind=service&prefix=call"), "call-park .");
  EXPECT_EQ(names("kind=owner&prefix=_sip"), "_sip._tcp.pool.example .");
  EXPECT_EQ(names("kind=owner&prefix=nothing"), ".");
  EXPECT_EQ(ask("GET", "/v1/names?kind=server", "dashboards").json()["names"][0]["of"],
            "pool.example");
  for (const char* query : {"", "?kind=x", "?kind=pool&limit=0", "?kind=pool&limit=1001"}) {
    EXPECT_EQ(ask("GET", std::string("/v1/names") + query, "dashboards").status, 400) << query;
  }
}

}  // namespace
}  // namespace sluice::health::testing
