#include "tests/health/api/world.h"

// Histories and copies of the store. (Streams: event_feed_test.cc.)
namespace sluice::health::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using json = nlohmann::json;

Event event_at(base::WallTime at, EventType type, const std::string& server = "a.pool.example") {
  Event event;
  event.at = at;
  event.type = type;
  event.server = server;
  return event;
}

TEST_F(ApiTest, MergesAuditAndStatusChangesIntoAHistory) {
  start();
  const base::WallTime start_time = clock_.wall();
  audit_ = std::vector{event_at(start_time, EventType::Drain),
                       event_at(start_time + std::chrono::seconds(2), EventType::Resume)};
  hub_.append(event_at(start_time, EventType::Drain));  // in the audit, too
  hub_.append(event_at(start_time, EventType::Status));
  hub_.append(event_at(start_time + std::chrono::seconds(1), EventType::Status));
  hub_.append(event_at(start_time + std::chrono::seconds(1), EventType::Status, "b.pool.example"));
  const json history = ask("GET", "/v1/servers/A/history", "dashboards").json();
  EXPECT_EQ(history["server"], "a.pool.example");
  std::vector<std::string> types;
  for (const json& event : history["events"]) types.push_back(event["type"]);
  EXPECT_THAT(types, ElementsAre("drain", "status", "status", "resume"));
  EXPECT_EQ(history["events"][0]["id"], nullptr);
  EXPECT_EQ(history["events"][1]["id"], "run-2");
  EXPECT_EQ(asked_history_, std::pair(std::string("a.pool.example"), std::size_t{200}));

  const json newest = ask("GET", "/v1/servers/a/history?limit=2", "dashboards").json()["events"];
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest[0]["type"], "status");
  EXPECT_EQ(newest[1]["type"], "resume");
  EXPECT_EQ(asked_history_.second, 2U);
}

TEST_F(ApiTest, BoundsAHistory) {
  start();
  for (const char* limit : {"0", "1001", "-1", "x", "", "1x", "99999999999999999999"}) {
    const Response response =
        ask("GET", std::string("/v1/servers/a/history?limit=") + limit, "dashboards");
    EXPECT_EQ(response.status, 400) << limit;
    EXPECT_EQ(response.json()["member"], "limit") << limit;
  }
  EXPECT_EQ(ask("GET", "/v1/servers/a/history?limit=1000", "dashboards").status, 200);
  EXPECT_EQ(ask("GET", "/v1/servers/nobody/history", "dashboards").status, 404);
  audit_ = base::Unexpected{std::string("disk I/O error")};
  const Response failed = ask("GET", "/v1/servers/a/history", "dashboards");
  EXPECT_EQ(failed.status, 507);
  EXPECT_THAT(std::string(failed.json()["detail"]), HasSubstr("disk I/O error"));
}

TEST_F(ApiTest, HandsOutACopyOfTheStore) {
  copy_ = std::string("SQLite format 3\0\n\xff", 18);
  start();
  const Response response = ask("GET", "/v1/backup", "operations");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.fields.at("content-type"), "application/vnd.sqlite3");
  EXPECT_EQ(response.body, *copy_);
  copy_ = base::Unexpected{std::string("disk I/O error")};
  EXPECT_EQ(ask("GET", "/v1/backup", "operations").status, 507);
}

TEST_F(ApiTest, SaysWhatItHasNot) {
  start();
  ApiPorts few = ports();
  few.history = nullptr;
  few.backup = nullptr;
  few.events = nullptr;
  api_.reset();
  auto api = Api::start(config_.api, sockets_, std::move(few));
  ASSERT_TRUE(api);
  api_ = std::move(*api);
  for (const char* path : {"/v1/servers/a/history", "/v1/backup", "/v1/events"}) {
    EXPECT_EQ(ask("GET", path, "operations").status, 503) << path;
  }
}

}  // namespace
}  // namespace sluice::health::testing
