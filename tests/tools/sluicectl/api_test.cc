#include "tools/sluicectl/api/api.h"

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

Exit exit_for(long status, const std::string& octets) {
  const auto answer = understand(status, octets, "peer");
  return answer ? Exit::Done : exit_of(answer.error());
}

TEST(ExitOf, EveryStatusHasTheExitOfTheContract) {
  const std::string plain = R"({"title": "no", "detail": "because"})";
  EXPECT_EQ(exit_for(200, "{}"), Exit::Done);
  EXPECT_EQ(exit_for(201, "{}"), Exit::Done);
  for (const long status : {400, 404, 405, 413, 418, 429, 500, 503, 504, 507}) {
    EXPECT_EQ(exit_for(status, plain), Exit::Failed) << status;
  }
  EXPECT_EQ(exit_for(401, plain), Exit::NoAuthority);
  EXPECT_EQ(exit_for(403, plain), Exit::NoAuthority);
  EXPECT_EQ(exit_for(409, R"({"rule": "floor"})"), Exit::Refused);
}

TEST(ExitOf, ARefusalWithoutARuleIsAFailure) {
  EXPECT_EQ(exit_for(409, R"({"detail": "a reload is under way"})"), Exit::Failed);
}

TEST(ExitOf, ForbiddenInAnyFormIsNotAuthorised) {
  EXPECT_EQ(exit_for(401, "<html>"), Exit::NoAuthority);
  EXPECT_EQ(exit_for(403, ""), Exit::NoAuthority);
}

TEST(ExitOf, OddAnswersAreFailures) {
  for (const long status : {0, 100, 200, 204, 302, 404, 500}) {
    for (const char* octets : {"", "<html>", "{", "\xff", "{} {}"}) {
      EXPECT_EQ(exit_for(status, octets), Exit::Failed) << status << octets;
    }
  }
}

TEST(ExitOf, NobodyThereIsNoAuthority) {
  ApiError error;
  error.kind = ApiError::Kind::Unreachable;
  EXPECT_EQ(exit_of(error), Exit::NoAuthority);
  error.kind = ApiError::Kind::NoAnswer;
  EXPECT_EQ(exit_of(error), Exit::NoAuthority);
  error.kind = ApiError::Kind::Interrupted;
  EXPECT_EQ(exit_of(error), Exit::Interrupted);
}

TEST(Understand, KeepsTheDocumentAsItCame) {
  const std::string octets = " {\"b\": 1,\n\"a\": 2}";
  EXPECT_EQ(understand(200, octets, "peer")->text, octets);
  EXPECT_EQ(understand(404, octets, "peer").error().text, octets);
}

TEST(Understand, AnOddAnswerNamesWhoGaveIt) {
  const auto answer = understand(200, "<html>", "http://a");
  EXPECT_EQ(answer.error().message,
            "the answer of http://a (HTTP 200) is not a Sluice authority's: it is not JSON");
}

TEST(Understand, DeepNestingIsRefusedBeforeItIsParsed) {
  const std::string deep(1'000'000, '[');
  EXPECT_FALSE(understand(200, deep, "peer"));
  const std::string bracket_text = "{\"a\": \"" + std::string(1000, '[') + "\\\"[[\"}";
  EXPECT_TRUE(understand(200, bracket_text, "peer"));
}

TEST(PercentEncode, LeavesOnlyWhatRfc3986DoesNotReserve) {
  EXPECT_EQ(percent_encode("fe02.pool01_~-Z"), "fe02.pool01_~-Z");
  EXPECT_EQ(percent_encode("a/b?c#d%e f"), "a%2Fb%3Fc%23d%25e%20f");
  EXPECT_EQ(percent_encode("\xc3\xa4\n"), "%C3%A4%0A");
  EXPECT_EQ(percent_encode(std::string(1, '\0')), "%00");
}

}  // namespace
}  // namespace sluice::ctl
