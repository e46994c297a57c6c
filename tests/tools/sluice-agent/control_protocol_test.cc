#include "tools/sluice-agent/control_protocol.h"

#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

using Command = ControlRequest::Command;

TEST(ControlProtocol, ARequestIsReadAsItWasWritten) {
  const ControlRequest sent{Command::Pause, "front-end", "patch \"7\"\n", config::Startup::Manual,
                            true};
  const std::string line = render(sent);
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one line";
  const auto read = parse_request(line);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->command, Command::Pause);
  EXPECT_EQ(read->service, "front-end");
  EXPECT_EQ(read->reason, sent.reason);
  EXPECT_EQ(read->startup, config::Startup::Manual);
  EXPECT_TRUE(read->force);
}

TEST(ControlProtocol, WithoutAServiceTheWholeServerIsMeant) {
  for (const auto command : {Command::Pause, Command::Resume, Command::Status}) {
    const auto read = parse_request(render(ControlRequest{command, {}, {}, {}, false}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->command, command);
    EXPECT_FALSE(read->service);
    EXPECT_FALSE(read->startup);
  }
}

TEST(ControlProtocol, WhatIsNoRequestIsRefused) {
  for (const char* line :
       {"", "{}", "[]", "pause", R"({"v": 1})", R"({"v": 2, "command": "status"})",
        R"({"v": 1, "command": "stop"})", R"({"v": 1, "command": "status", "more": 1})",
        R"({"v": 1, "command": "resume", "force": true})",
        R"({"v": 1, "command": "pause", "startup": "never"})",
        R"({"v": 1, "command": "pause", "force": "yes"})",
        R"({"v": 1, "v": 1, "command": "status"})", "\xff\xfe"}) {
    EXPECT_FALSE(parse_request(line)) << line;
  }
  const std::string whole = R"({"v": 1, "command": "pause", "service": "a", "reason": "b"})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_request(whole.substr(0, size)));
  }
}

TEST(ControlProtocol, AnAnswerIsReadAsItWasWritten) {
  const auto read = parse_answer(render(ControlAnswer{ExitCode::Refused, "a\nb", {{"x", 1}}}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->exit, ExitCode::Refused);
  EXPECT_EQ(read->text, "a\nb");
  EXPECT_EQ(read->status["x"], 1);
  for (const char* line : {"", "{}", R"({"exit": 9, "text": ""})", R"({"exit": 0})",
                           R"({"exit": "0", "text": ""})", R"({"exit": 0, "text": 1})"}) {
    EXPECT_FALSE(parse_answer(line)) << line;
  }
}

}  // namespace
}  // namespace sluice::agent
