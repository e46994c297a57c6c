#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "health/heartbeat.h"

namespace sluice::health {
namespace {

// As tools/sluice-agent writes it.
constexpr std::string_view kPlain =
    R"({"instance":"5c1c-boot","seq":1000002000000,"services":{)"
    R"("announcement":{"health":"stopped","sessions":{}},)"
    R"("call-park":{"health":"down","instance":"i 2","sessions":{"calls":3,"parked-calls":0}},)"
    R"("front-end":{"health":"up","instance":"i1","last_new_connection":3.25,)"
    R"("sessions":{"connections":999999999999999}}}})";

// Nothing is said other than what the full reader says.
void expect_agreement(std::string_view octets) {
  const auto plain = parse_plain_heartbeat(octets);
  if (!plain) return;
  const auto full = parse_full_heartbeat(octets);
  ASSERT_TRUE(full) << "refused: " << full.error().member << ": " << full.error().message << "\n"
                    << octets;
  EXPECT_EQ(*plain, *full) << octets;
}

std::string plain_service(std::string_view members) {
  return R"({"instance": "b", "seq": 1, "services": {"s": {)" + std::string(members) + "}}}";
}

TEST(PlainHeartbeat, IsReadAsTheFullReaderDoes) {
  for (const std::string& octets :
       {std::string(kPlain), "\r\n\t " + std::string(kPlain) + " \n",
        plain_service(R"("health" : "up")"),
        std::string(R"({"services":{},"seq":0,"instance":"b"})"),
        plain_service(R"("health": "up", "last_new_connection": 0)"),
        plain_service(R"("health": "up", "last_new_connection": 999999999.999)"),
        plain_service(R"("last_new_connection": 7.5, "health": "up")"),
        std::string(R"({"instance": "b", "seq": 9999999999999999999, "services": {}})")}) {
    EXPECT_TRUE(parse_plain_heartbeat(octets)) << octets;
    expect_agreement(octets);
  }
}

// Members "000", "001", ... with this value, the last one first.
std::string members_backwards(int count, const std::string& value) {
  std::string members;
  for (int i = count; i-- > 0;) {
    const std::string number = std::to_string(1'000 + i).substr(1);
    members.append(members.empty() ? "" : ",").append("\"" + number + "\":" + value);
  }
  return members;
}

TEST(PlainHeartbeat, LeavesMoreMembersThanAnyAgentHasToTheFullReader) {
  const auto counters = [](int count) {
    return plain_service(R"("health":"up","sessions":{)" + members_backwards(count, "7") + "}");
  };
  const auto services = [](int count) {
    return R"({"instance":"b","seq":1,"services":{)" +
           members_backwards(count, R"({"health":"up"})") + "}}";
  };
  for (const std::string& octets : {counters(64), services(64)}) {
    EXPECT_TRUE(parse_plain_heartbeat(octets));
    expect_agreement(octets);
  }
  for (const std::string& octets : {counters(65), services(65)}) {
    EXPECT_FALSE(parse_plain_heartbeat(octets));
    EXPECT_TRUE(parse_heartbeat(octets)) << "and it reads them";
  }
}

TEST(PlainHeartbeat, LeavesEverythingElseToTheFullReader) {
  for (const char* members :
       {R"("health": "up", "instance": "a\nb")",
        R"("health": "up", "instance": "ä")",
        R"("health": "up", "instance": "")",
        R"("health": "up", "instance": null)",
        R"("health": "up", "health": "up")",
        R"("instance": "i")",
        R"("health": "UP")",
        R"("health": "up", "sessions": {"a": 1, "a": 1})",
        R"("health": "up", "sessions": null)",
        R"("health": "up", "sessions": {"a": 01})",
        R"("health": "up", "sessions": {"a": 1.0})",
        R"("health": "up", "sessions": {"a": -1})",
        R"("health": "up", "sessions": {"a": 1e3})",
        R"("health": "up", "sessions": {"a": 9007199254740991})",
        R"("health": "up", "sessions": {"": 1})",
        R"("health": "up", "sessions": {"a": 1,})",
        R"("health": "up", "last_new_connection": 1e1)",
        R"("health": "up", "last_new_connection": 0.1234)",
        R"("health": "up", "last_new_connection": 00.1)",
        R"("health": "up", "last_new_connection": 1.)",
        R"("health": "up", "last_new_connection": 1000000000)",
        R"("health": "up", "heath": 1)",
        R"("health": "up", "hook": {"state": "ok", "text": ""})",
        R"("health": "up", "paused": {"by": "root", "since": "2026-11-20T10:00:30Z"})"}) {
    EXPECT_FALSE(parse_plain_heartbeat(plain_service(members))) << members;
  }
  for (const char* octets :
       {"", "{}", "[]", R"({"instance": "b", "seq": 1})", R"({"instance": "b", "services": {}})",
        R"({"seq": 1, "services": {}})", R"({"instance": "b", "seq": 1, "services": {}} x)",
        R"({"instance": "b", "seq": 18446744073709551615, "services": {}})",
        R"({"instance": "b", "seq": 1, "seq": 2, "services": {}})"}) {
    EXPECT_FALSE(parse_plain_heartbeat(octets)) << octets;
  }
  EXPECT_FALSE(parse_plain_heartbeat(
      plain_service("\"health\": \"up\", \"instance\": \"" + std::string(1'025, 'x') + "\"")));
}

TEST(PlainHeartbeat, NeverSaysOtherThanTheFullReader) {
  const std::string whole(kPlain);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_plain_heartbeat(whole.substr(0, size))) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char changed : {'\0', '"', '{', '}', '0', '9', '.', 'e', '\xff', ',', ':', ' '}) {
      std::string octets = whole;
      octets[at] = changed;
      expect_agreement(octets);
      octets = whole;
      octets.insert(at, 1, changed);
      expect_agreement(octets);
    }
    std::string octets = whole;
    octets.erase(at, 1);
    expect_agreement(octets);
  }
}

}  // namespace
}  // namespace sluice::health
