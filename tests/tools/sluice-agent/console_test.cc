#include "tools/sluice-agent/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/sluice-agent/folder.h"

namespace sluice::agent {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(RenderStatus, ShowsHealthSessionsAndWhoHolds) {
  const json status = json::parse(R"({
    "server": "fe01", "generation": 17, "lease": 6.0,
    "authority": {"url": "http://a", "connected": true, "failure": ""},
    "services": {
      "front-end": {"health": "up", "sessions": {"calls": 3, "connections": 12}, "held": true,
                    "reason": "patch", "paused": null, "hook": {"state": "ok", "text": ""}},
      "call-park": {"health": "down", "sessions": null, "held": null,
                    "paused": {"by": "root", "reason": "move"},
                    "hook": {"state": "failed", "text": "on_hold: exit status 1"},
                    "checks": [{"check": "tcp 127.0.0.1@1", "status": "down",
                                "last_result": "connection refused"}]}}})");
  EXPECT_EQ(render_status(status),
            "fe01: http://a answers (generation 17, lease 6.0 s)\n"
            "SERVICE    HEALTH  SESSIONS                 HOLD\n"
            "call-park  down    not known                paused here by root: move\n"
            "front-end  up      3 calls, 12 connections  held: patch\n"
            "call-park: tcp 127.0.0.1@1: connection refused\n"
            "call-park: hook failed: on_hold: exit status 1\n");
}

TEST(RenderStatus, ShowsUntilWhenACertificateIsValidAndWhatIsWrongWithIt) {
  const auto shown = [](const char* tls) {
    return render_status(json{{"server", "fe01"}, {"tls", json::parse(tls)}});
  };
  EXPECT_THAT(shown(R"({"certificate": "/a.pem", "expires": "2027-01-01T00:00:00Z",
                        "trouble": ""})"),
              HasSubstr("answers\ncertificate /a.pem, valid until 2027-01-01T00:00:00Z\nSERVICE"));
  EXPECT_THAT(shown(R"({"certificate": "/a.pem", "expires": null, "trouble": "the key is odd"})"),
              HasSubstr("answers\nthe key is odd\nSERVICE"));
}

TEST(RenderStatus, TakesAnyDocument) {
  for (const char* text : {"{}", R"({"services": {"a": 1}})", R"({"services": {"a": {}}})",
                           R"({"services": {"a": {"sessions": {}, "held": false}}})"}) {
    EXPECT_THAT(render_status(json::parse(text)), HasSubstr("SERVICE")) << text;
  }
}

TEST(AskAgent, SaysSoWhenNobodyAnswers) {
  const TestFolder folder;
  EXPECT_EQ(ask_agent(folder.file("none"), {}).exit, ExitCode::NoAuthority);
  EXPECT_EQ(ask_agent(folder.file(std::string(200, 'x')), {}).exit, ExitCode::NoAuthority);
}

}  // namespace
}  // namespace sluice::agent
