#include "health/heartbeat.h"

#include <limits>

#include <gtest/gtest.h>

#include "health/rfc3339.h"

namespace sluice::health {
namespace {

// interfaces.md, "Heartbeat and its reply", with every member.
constexpr std::string_view kWhole = R"({"instance": "boot-id", "seq": 5123456789,
 "services": {"front-end": {"health": "up", "instance": "unit-invocation",
   "sessions": {"connections": 12, "calls": 0}, "last_new_connection": 3.2,
   "paused": {"by": "root", "reason": "patch", "since": "2026-11-20T10:00:30Z",
              "startup": "manual", "force": false},
   "hook": {"state": "failed", "text": "exit status 1\nno route"}}}})";

std::string error_of(std::string_view octets) {
  const auto heartbeat = parse_heartbeat(octets);
  return heartbeat ? "none" : heartbeat.error().member + ": " + heartbeat.error().message;
}

// A heartbeat of one service "s" with these members.
std::string service(std::string_view members) {
  return R"({"instance": "b", "seq": 1, "services": {"s": {)" + std::string(members) + "}}}";
}

std::string member_error(std::string_view members) {
  return error_of(service(members));
}

TEST(ParseHeartbeat, ReadsEveryMember) {
  const auto heartbeat = parse_heartbeat(kWhole);
  ASSERT_TRUE(heartbeat) << error_of(kWhole);
  EXPECT_EQ(heartbeat->instance, "boot-id");
  EXPECT_EQ(heartbeat->seq, 5'123'456'789U);
  const ServiceReport& report = heartbeat->services.at("front-end");
  EXPECT_EQ(report.health, Health::Up);
  EXPECT_EQ(report.instance, "unit-invocation");
  EXPECT_EQ(report.sessions, (Sessions{{"calls", 0}, {"connections", 12}}));
  EXPECT_EQ(report.last_new_connection, std::chrono::milliseconds(3'200));
  EXPECT_EQ(report.paused, (HostPause{"root", "patch", *parse_rfc3339("2026-11-20T10:00:30Z"),
                                      config::Startup::Manual, false}));
  EXPECT_EQ(report.hook, (HookOutcome{"failed", "exit status 1\nno route"}));
}

TEST(ParseHeartbeat, LeavesAbsentMembersEmpty) {
  const auto heartbeat = parse_heartbeat(service(R"("health": "stopped")"));
  ASSERT_TRUE(heartbeat);
  const ServiceReport& report = heartbeat->services.at("s");
  EXPECT_EQ(report.health, Health::Stopped);
  EXPECT_FALSE(report.instance);
  EXPECT_FALSE(report.sessions);
  EXPECT_FALSE(report.last_new_connection);
  EXPECT_FALSE(report.paused);
  EXPECT_FALSE(report.hook);
}

TEST(ParseHeartbeat, TellsNothingToCountFromNotKnown) {
  EXPECT_EQ(
      parse_heartbeat(service(R"("health": "up", "sessions": {})"))->services.at("s").sessions,
      Sessions{});
  EXPECT_FALSE(
      parse_heartbeat(service(R"("health": "up", "sessions": null)"))->services.at("s").sessions);
}

TEST(ParseHeartbeat, TakesNullForAbsent) {
  EXPECT_EQ(member_error(R"("health": "up", "instance": null, "sessions": null, "paused": null,
                            "hook": null, "last_new_connection": null)"),
            "none");
}

TEST(ParseHeartbeat, AcceptsAHeartbeatWithoutServices) {
  EXPECT_EQ(error_of(R"({"instance": "b", "seq": 0, "services": {}})"), "none");
}

TEST(ParseHeartbeat, RejectsEveryTruncation) {
  for (std::size_t size = 0; size < kWhole.size(); ++size) {
    ASSERT_FALSE(parse_heartbeat(kWhole.substr(0, size))) << "accepted " << size << " octets";
  }
}

TEST(ParseHeartbeat, SurvivesEveryChangedOctet) {
  std::string octets(kWhole);
  for (char& octet : octets) {
    const char was = octet;
    for (const char changed : {'\0', '"', '{', '}', '9', '\xff', ','}) {
      octet = changed;
      const auto heartbeat = parse_heartbeat(octets);
      if (!heartbeat) {
        ASSERT_FALSE(heartbeat.error().message.empty());
      }
    }
    octet = was;
  }
}

TEST(ParseHeartbeat, NamesTheMemberThatIsWrong) {
  EXPECT_EQ(error_of("[]"), ": must be an object");
  EXPECT_EQ(error_of(R"({"seq": 1, "services": {}})"), "instance: must be given");
  EXPECT_EQ(error_of(R"({"instance": "", "seq": 1, "services": {}})"),
            "instance: must not be empty");
  EXPECT_EQ(error_of(R"({"instance": "b", "services": {}})"), "seq: must be given");
  EXPECT_EQ(error_of(R"({"instance": "b", "seq": 1})"), "services: must be given");
  EXPECT_EQ(error_of(R"({"instance": "b", "seq": 1, "services": []})"),
            "services: must be an object");
  EXPECT_EQ(error_of(R"({"instance": "b", "seq": 1, "services": {"s": null}})"),
            "services.s: must be an object");
  EXPECT_EQ(error_of(R"({"instance": "b", "seq": 1, "services": {}, "server": "x"})"),
            "server: is not known");
  EXPECT_EQ(member_error(""), "services.s.health: must be given");
  EXPECT_EQ(member_error(R"("health": "UP")"), "services.s.health: must be up, down or stopped");
  EXPECT_EQ(member_error(R"("health": 1)"), "services.s.health: must be up, down or stopped");
  EXPECT_EQ(member_error(R"("health": "up", "heath": "up")"), "services.s.heath: is not known");
  EXPECT_EQ(member_error(R"("health": "up", "health": "down")"),
            "services.s.health: must not be given twice");
  EXPECT_EQ(member_error(R"("health": "up", "instance": "")"),
            "services.s.instance: must not be empty");
  EXPECT_EQ(member_error(R"("health": "up", "sessions": 3)"),
            "services.s.sessions: must be an object");
  EXPECT_EQ(member_error(R"("health": "up", "paused": {"since": "2026-11-20T10:00:30Z"})"),
            "services.s.paused.by: must be given");
  EXPECT_EQ(member_error(R"("health": "up", "paused": {"by": "root", "since": "yesterday"})"),
            "services.s.paused.since: must be a time like 2026-11-20T10:00:30Z");
  EXPECT_EQ(member_error(R"("health": "up", "hook": {"text": "x"})"),
            "services.s.hook.state: must be given");
}

TEST(ParseHeartbeat, BoundsWhatAnAgentCanHaveKept) {
  const auto counters = [](int number, std::size_t name) {
    std::string members = R"("health": "up", "sessions": {)";
    for (int i = 0; i < number; ++i) {
      const std::string digits = std::to_string(i);
      members +=
          (i == 0 ? "\"" : ", \"") + std::string(name - digits.size(), 'x') + digits + "\": 1";
    }
    return members + "}";
  };
  EXPECT_EQ(member_error(counters(256, 255)), "none");
  EXPECT_EQ(member_error(counters(257, 10)), "services.s.sessions: has more than 256 counters");
  EXPECT_NE(member_error(counters(1, 256)).find("more than 255 octets"), std::string::npos);
}

TEST(ParseHeartbeat, BoundsCountersByWhatJsonCarriesExactly) {
  EXPECT_EQ(member_error(R"("health": "up", "sessions": {"c": 9007199254740991})"), "none");
  const std::string wanted = "services.s.sessions.c: must be a whole number 0..9007199254740991";
  for (const char* wrong : {"9007199254740992", "-1", "1.0", "1e3", "\"1\"", "null", "true", "{}",
                            "18446744073709551616"}) {
    EXPECT_EQ(member_error(R"("health": "up", "sessions": {"c": )" + std::string(wrong) + "}"),
              wanted)
        << wrong;
  }
}

TEST(ParseHeartbeat, ReadsSeqExactly) {
  const auto heartbeat =
      parse_heartbeat(R"({"instance": "b", "seq": 18446744073709551615, "services": {}})");
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(heartbeat->seq, std::numeric_limits<std::uint64_t>::max());
  EXPECT_NE(error_of(R"({"instance": "b", "seq": -1, "services": {}})"), "none");
  EXPECT_NE(error_of(R"({"instance": "b", "seq": 1.5, "services": {}})"), "none");
}

TEST(ParseHeartbeat, BoundsLastNewConnection) {
  for (const char* wrong : {"-0.1", "1000000001", "1e300", "\"3\"", "[]"}) {
    EXPECT_EQ(member_error(R"("health": "up", "last_new_connection": )" + std::string(wrong)),
              "services.s.last_new_connection: must be a number of seconds 0..1000000000")
        << wrong;
  }
  EXPECT_EQ(member_error(R"("health": "up", "last_new_connection": 0)"), "none");
}

TEST(ParseHeartbeat, BoundsTexts) {
  const std::string longest(1'024, 'x');
  EXPECT_EQ(member_error(R"("health": "up", "instance": ")" + longest + '"'), "none");
  EXPECT_NE(member_error(R"("health": "up", "instance": ")" + longest + "x\""), "none");
}

}  // namespace
}  // namespace sluice::health
