#include "tools/sluicectl/api/problem.h"

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

std::string words(const char* octets) {
  const auto problem = read_answer(*parse_document(octets), read_problem);
  EXPECT_TRUE(problem) << problem.error();
  return problem ? to_string(*problem) : "";
}

TEST(Problem, TheFloorIsSaidInNumbers) {
  EXPECT_EQ(words(R"({"rule": "floor", "answer_set": "pool01.example", "detail": "too few",
                      "numbers": {"accepting": 2, "would_leave": 1, "min_accepting": 2}})"),
            "refused by rule floor: pool01.example would keep 1 of at least 2 (has 2)");
}

TEST(Problem, AFloorWithoutNumbersIsSaidInTheAuthoritysWords) {
  EXPECT_EQ(words(R"({"rule": "floor", "answer_set": "p", "detail": "too few"})"),
            "refused by rule floor: too few");
}

TEST(Problem, TheOffendingMemberIsNamedOnce) {
  EXPECT_EQ(words(R"({"detail": "must be a text", "member": "reason"})"), "reason: must be a text");
  EXPECT_EQ(words(R"({"detail": "at is not supported", "member": "at"})"), "at is not supported");
}

TEST(Problem, AHoldThatIsInForceIsNotHidden) {
  const std::string text = words(R"({"detail": "disk full", "in_force": true})");
  EXPECT_EQ(text.find("disk full\nThe hold is in force"), 0U);
}

TEST(Problem, ErrorsOfAConfigurationStandOnTheirLines) {
  EXPECT_EQ(
      words(R"({"detail": "not taken", "errors": [
              {"file": "s.yaml", "line": 3, "path": "dns", "message": "must be a mapping"},
              {"file": "s.yaml", "message": "is empty"}]})"),
      "the configuration was not taken over:\ns.yaml:3: dns: must be a mapping\ns.yaml: is empty");
}

TEST(Problem, AnEmptyDocumentStillSaysSomething) {
  EXPECT_EQ(words("{}"), "the authority did not say why");
  EXPECT_EQ(words(R"({"title": "Conflict"})"), "Conflict");
}

TEST(Problem, ALineBeyondReasonDoesNotOverflow) {
  EXPECT_EQ(words(R"({"errors": [{"file": "f", "line": 18446744073709551615, "message": "m"}]})"),
            "the configuration was not taken over:\nf:1000000: m");
}

}  // namespace
}  // namespace sluice::ctl
