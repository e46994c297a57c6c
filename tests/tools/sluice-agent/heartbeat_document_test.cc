#include "tools/sluice-agent/heartbeat_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sluice::agent {
namespace {

using nlohmann::json;

health::Heartbeat example() {
  health::Heartbeat heartbeat;
  heartbeat.instance = "boot-id";
  heartbeat.seq = 5'123'456'789;
  health::ServiceReport& report = heartbeat.services["front-end"];
  report.health = health::Health::Up;
  report.instance = "17-100";
  report.sessions = health::Sessions{{"connections", 12}};
  report.last_new_connection = std::chrono::milliseconds(3200);
  report.paused =
      health::HostPause{"root", "patch", base::WallTime(std::chrono::seconds(1'795'000'000)),
                        config::Startup::Manual, false};
  report.hook = health::HookOutcome{"ok", "on_hold: exit status 0"};
  heartbeat.services["announcement"].health = health::Health::Stopped;
  heartbeat.services["announcement"].sessions = health::Sessions{};
  heartbeat.services["call-park"].health = health::Health::Down;
  return heartbeat;
}

// interfaces.md, "Heartbeat and its reply".
TEST(RenderHeartbeat, IsTheContractsDocument) {
  EXPECT_EQ(json::parse(render_heartbeat(example())), json::parse(R"({
    "instance": "boot-id", "seq": 5123456789,
    "services": {
      "front-end": {
        "health": "up", "instance": "17-100", "sessions": {"connections": 12},
        "last_new_connection": 3.2,
        "paused": {"by": "root", "reason": "patch", "since": "2026-11-18T11:06:40Z",
                   "startup": "manual", "force": false},
        "hook": {"state": "ok", "text": "on_hold: exit status 0"}},
      "announcement": {"health": "stopped", "sessions": {}},
      "call-park": {"health": "down"}}})"));
}

TEST(RenderHeartbeat, IsReadByTheAuthorityAsItWasMeant) {
  const auto sent = example();
  const auto read = health::parse_heartbeat(render_heartbeat(sent));
  ASSERT_TRUE(read) << read.error().member << " " << read.error().message;
  EXPECT_EQ(read->instance, sent.instance);
  EXPECT_EQ(read->seq, sent.seq);
  ASSERT_EQ(read->services.size(), sent.services.size());
  for (const auto& [name, report] : sent.services) {
    const auto& seen = read->services.at(name);
    EXPECT_EQ(seen.health, report.health);
    EXPECT_EQ(seen.instance, report.instance);
    EXPECT_EQ(seen.sessions, report.sessions) << "not known is not zero";
    EXPECT_EQ(seen.last_new_connection, report.last_new_connection);
    EXPECT_EQ(seen.paused, report.paused);
    EXPECT_EQ(seen.hook, report.hook);
  }
}

TEST(RenderHeartbeat, MakesForeignTextFitWhatTheAuthorityAccepts) {
  health::Heartbeat heartbeat = example();
  auto& report = heartbeat.services["front-end"];
  std::string umlauts;
  while (umlauts.size() < 3000) umlauts += "\xc3\xbc";
  for (const std::string& text : {std::string(5000, 'x'), umlauts, "a" + umlauts,
                                  std::string("\xff\xfe\x00\x01", 4), std::string("\"\\\n")}) {
    report.hook->text = text;
    report.paused->reason = text;
    const auto read = health::parse_heartbeat(render_heartbeat(heartbeat));
    ASSERT_TRUE(read) << read.error().member << " " << read.error().message;
    EXPECT_EQ(read->services.at("front-end").hook->text.find("\xef\xbf\xbd") != std::string::npos,
              text.starts_with("\xff"))
        << "a character was cut in two";
  }
}

constexpr const char* kReply = R"({"generation": 17, "lease": 6.0, "services": {
  "front-end": {"held": true, "reason": "patch", "lift": false, "refused": null},
  "call-park": {"held": false, "lift": true,
                "refused": {"rule": "floor", "numbers": {"accepting": 2, "min_accepting": 2}}}},
  "later": {"versions": ["say", "more"]}})";

TEST(ParseReply, ReadsTheContractsDocument) {
  const auto reply = parse_reply(kReply);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->generation, 17U);
  EXPECT_EQ(reply->lease, std::chrono::seconds(6));
  const ServiceOrder& front_end = reply->services.at("front-end");
  EXPECT_TRUE(front_end.held);
  EXPECT_EQ(front_end.reason, "patch");
  EXPECT_FALSE(front_end.lift);
  EXPECT_FALSE(front_end.refused);
  const ServiceOrder& call_park = reply->services.at("call-park");
  EXPECT_TRUE(call_park.lift);
  ASSERT_TRUE(call_park.refused);
  EXPECT_EQ(call_park.refused->text(), "floor (accepting 2, min_accepting 2)");
}

TEST(ParseReply, RefusesEveryTruncation) {
  const std::string_view whole(kReply);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(parse_reply(whole.substr(0, size))) << size;
  }
}

TEST(ParseReply, RefusesWhatIsNoReply) {
  for (
      const char* text :
      {"", "[]", "17", "null", "<html>", R"({"generation": 1})",
       R"({"generation": -1, "lease": 6, "services": {}})",
       R"({"generation": 1, "lease": 0, "services": {}})",
       R"({"generation": 1, "lease": 1e300, "services": {}})",
       R"({"generation": 1, "lease": "6", "services": {}})",
       R"({"generation": 1, "lease": 6, "services": []})",
       R"({"generation": 1, "lease": 6, "services": {"a": true}})",
       R"({"generation": 1, "lease": 6, "services": {"a": {}}})",
       R"({"generation": 1, "lease": 6, "services": {"a": {"held": 1}}})",
       R"({"generation": 1, "lease": 6, "services": {"a": {"held": true, "lift": "no"}}})",
       R"({"generation": 1, "lease": 6, "services": {"a": {"held": true, "refused": "floor"}}})"}) {
    EXPECT_FALSE(parse_reply(text)) << text;
  }
  EXPECT_FALSE(parse_reply(std::string(100'000, '[')));
}

TEST(ParseProblem, FindsRuleAndDetailAndPrintsWhatIsNone) {
  const auto problem =
      parse_problem(R"({"title": "Conflict", "detail": "an older seq", "rule": "seq"})");
  EXPECT_EQ(problem.rule, "seq");
  EXPECT_EQ(problem.text, "an older seq");
  EXPECT_EQ(parse_problem(R"({"title": "Conflict"})").text, "Conflict");
  EXPECT_EQ(parse_problem("<html>\nBad\x01Gateway").text, "<html> Bad Gateway");
  EXPECT_LT(parse_problem(std::string(100'000, 'x')).text.size(), 1000U);
}

}  // namespace
}  // namespace sluice::agent
