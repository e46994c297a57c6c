#include "health/rfc3339.h"
#include "tests/health/api/world.h"

// Drains that are planned, and holds that end, over HTTP.
namespace sluice::health::testing {
namespace {

using ::testing::HasSubstr;

using json = nlohmann::json;

class ScheduleHandlers : public ApiTest {
 protected:
  void start_up() {
    start();
    for (const char* server : {"a", "b", "c"}) heartbeat(server);
  }
  Response plan(const std::string& members) {
    return ask("POST", "/v1/servers/a/drain", "operations", "{" + members + "}");
  }
  std::string in(base::Duration time) const { return to_rfc3339(clock_.wall() + time); }
};

TEST_F(ScheduleHandlers, PlansADrain) {
  start_up();
  const Response planned = plan(R"("at": "2h", "expires": "30m", "then": "alarm", "reason": "patch",
                                   "startup": "manual", "hide_host": true, "force": true)");
  ASSERT_EQ(planned.status, 201) << planned.body;
  const json schedule = planned.json();
  EXPECT_TRUE(schedule["id"].is_string());
  EXPECT_EQ(schedule["kind"], "drain");
  EXPECT_EQ(schedule["server"], "a.pool.example");
  EXPECT_EQ(schedule["service"], nullptr);
  EXPECT_EQ(schedule["at"], in(std::chrono::hours(2)));
  EXPECT_LT(schedule["leaves_at"], schedule["at"]);
  EXPECT_EQ(schedule["expires"], in(std::chrono::minutes(150)));
  EXPECT_EQ(schedule["then"], "alarm");
  EXPECT_EQ(schedule["by"], "operations");
  EXPECT_EQ(schedule["reason"], "patch");
  EXPECT_EQ(schedule["startup"], "manual");
  EXPECT_EQ(schedule["hide_host"], true);
  EXPECT_EQ(schedule["force"], true);
  EXPECT_EQ(schedule["created"], in(base::Duration(0)));
  EXPECT_TRUE(schedule["warnings"].is_array());

  const json server = ask("GET", "/v1/servers/a", "dashboards").json();
  EXPECT_EQ(server["services"]["front-end"]["in_answers"], true);
  EXPECT_EQ(server["schedules"], json::array({schedule}));
  EXPECT_EQ(ask("GET", "/v1/schedules", "dashboards").json()["schedules"], json::array({schedule}));
  EXPECT_EQ(ask("GET", "/v1/schedules/" + std::string(schedule["id"]), "dashboards").json(),
            schedule);
}

TEST_F(ScheduleHandlers, SaysNullWhereNothingExpires) {
  start_up();
  const json schedule = plan(R"("at": ")" + in(std::chrono::hours(1)) + "\"").json();
  EXPECT_EQ(schedule["expires"], nullptr);
  EXPECT_EQ(schedule["then"], nullptr);
  EXPECT_EQ(schedule["startup"], nullptr);
}

TEST_F(ScheduleHandlers, ShowsWhenAHoldEnds) {
  start_up();
  const Response drained = plan(R"("expires": "1h")");
  ASSERT_EQ(drained.status, 200) << drained.body;
  const json schedules = ask("GET", "/v1/schedules", "dashboards").json()["schedules"];
  ASSERT_EQ(schedules.size(), 1U);
  EXPECT_EQ(schedules[0]["kind"], "expiry");
  EXPECT_EQ(schedules[0]["at"], in(std::chrono::hours(1)));
  EXPECT_EQ(schedules[0]["leaves_at"], nullptr);
  EXPECT_EQ(schedules[0]["then"], "lift");
  const json hold =
      ask("GET", "/v1/servers/a", "dashboards").json()["services"]["front-end"]["holds"][0];
  EXPECT_EQ(hold["expires"], in(std::chrono::hours(1)));
  EXPECT_EQ(hold["then"], "lift");
}

TEST_F(ScheduleHandlers, ListsByTime) {
  start_up();
  for (const char* at : {"3h", "1h", "2h"}) {
    ask("POST", "/v1/servers/a/drain", "operations",
        std::string(R"({"service": "call-park", "at": ")") + at + "\"}");
  }
  const json schedules = ask("GET", "/v1/schedules", "dashboards").json()["schedules"];
  ASSERT_GE(schedules.size(), 1U);
  for (std::size_t i = 1; i < schedules.size(); ++i) {
    EXPECT_LE(schedules[i - 1]["at"], schedules[i]["at"]);
  }
}

TEST_F(ScheduleHandlers, Cancels) {
  start_up();
  const json schedule = plan(R"("at": "2h")").json();
  const std::string target = "/v1/schedules/" + std::string(schedule["id"]);
  const Response cancelled = ask("DELETE", target, "operations");
  EXPECT_EQ(cancelled.status, 200);
  EXPECT_EQ(cancelled.json()["id"], schedule["id"]);
  EXPECT_EQ(cancelled.json()["at"], schedule["at"]);
  EXPECT_EQ(ask("DELETE", target, "operations").status, 404);
  EXPECT_EQ(ask("GET", target, "dashboards").status, 404);
  EXPECT_TRUE(ask("GET", "/v1/schedules", "dashboards").json()["schedules"].empty());
}

TEST_F(ScheduleHandlers, KnowsNoOtherIds) {
  start_up();
  for (const char* id : {"0", "x", "1x", "-1", "99999999999999999999", "%31%20"}) {
    EXPECT_EQ(ask("GET", std::string("/v1/schedules/") + id, "dashboards").status, 404) << id;
    EXPECT_EQ(ask("DELETE", std::string("/v1/schedules/") + id, "operations").status, 404) << id;
  }
}

TEST_F(ScheduleHandlers, NamesTheMemberWhoseTimeIsPast) {
  start_up();
  const auto member = [&](const std::string& members) {
    const Response response = plan(members);
    EXPECT_EQ(response.status, 400) << members;
    return response.json().value("member", "");
  };
  EXPECT_EQ(member(R"("at": "2020-01-01T00:00:00Z")"), "at");
  EXPECT_EQ(member(R"("at": "0s")"), "at");
  EXPECT_EQ(member(R"("expires": "2020-01-01T00:00:00Z")"), "expires");
  EXPECT_EQ(member(R"("expires": "0s")"), "expires");
  EXPECT_EQ(member(R"("at": "2h", "expires": ")" + in(std::chrono::hours(1)) + "\""), "expires");
  EXPECT_TRUE(ask("GET", "/v1/schedules", "dashboards").json()["schedules"].empty());
}

TEST_F(ScheduleHandlers, SaysThatAPlanIsNotKeptWhenTheStoreFails) {
  start_up();
  store_.failure = "database or disk is full";
  const Response failed = plan(R"("at": "2h")");
  EXPECT_EQ(failed.status, 507);
  EXPECT_EQ(failed.json()["in_force"], false);
  EXPECT_THAT(std::string(failed.json()["detail"]), HasSubstr("disk is full"));
}

}  // namespace
}  // namespace sluice::health::testing
