#include "tools/sluice-agent/verdict_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/base/loop.h"

namespace sluice::agent {
namespace {

using testing::ElementsAre;

TEST(ParseVerdict, ReadsWhatTheAuthoritySays) {
  const auto verdict = parse_verdict(
      R"({"safe_to_stop": false, "new": 1, "warnings": ["below its floor"],
          "reasons": [{"code": "sessions", "text": "3 calls\non front-end", "until": "x"}]})");
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->safe_to_stop);
  EXPECT_THAT(verdict->reasons, ElementsAre("3 calls on front-end"));
  EXPECT_THAT(verdict->warnings, ElementsAre("below its floor"));
  EXPECT_TRUE(parse_verdict(R"({"safe_to_stop": true, "reasons": []})")->safe_to_stop);
}

TEST(ParseVerdict, RefusesWhatIsNone) {
  for (const char* text :
       {"", "[]", "{}", R"({"safe_to_stop": true})", R"({"safe_to_stop": 1, "reasons": []})",
        R"({"safe_to_stop": true, "reasons": [1]})",
        R"({"safe_to_stop": true, "reasons": [{}]})"}) {
    EXPECT_FALSE(parse_verdict(text)) << text;
  }
}

TEST(VerdictClient, SaysWhyThereIsNoAnswerAndAnswersInOrder) {
  base::TestLoop loop;
  const base::SystemClock clock;
  Credentials credentials("", {}, clock);
  VerdictClient client(loop.get(), "fe01.example", credentials);
  std::vector<std::string> failures;
  for (int i = 0; i < 2; ++i) {
    client.ask("http://127.0.0.1:1", std::nullopt, [&, i](const auto& verdict) {
      ASSERT_FALSE(verdict);
      failures.push_back(std::to_string(i) + verdict.error().message);
    });
  }
  ASSERT_TRUE(loop.run_until([&] { return failures.size() == 2; }));
  EXPECT_THAT(failures, ElementsAre(testing::StartsWith("0"), testing::StartsWith("1")));
}

}  // namespace
}  // namespace sluice::agent
