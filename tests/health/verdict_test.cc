#include "health/verdict.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;

constexpr base::WallTime kWallAt{1'000'000s};

VerdictInput safe() {
  VerdictInput input;
  input.service = "front-end";
  input.held = true;
  input.sessions = Sessions{{"calls", 0}};
  return input;
}

std::string only_code(const VerdictInput& input) {
  const Verdict verdict = verdict_of({&input, 1}, kWallAt);
  EXPECT_FALSE(verdict.safe_to_stop);
  EXPECT_EQ(verdict.reasons.size(), 1U);
  return verdict.reasons.empty() ? "" : verdict.reasons.front().code;
}

TEST(Verdict, IsSafeWhenNothingStandsAgainstIt) {
  const VerdictInput input = safe();
  EXPECT_TRUE(verdict_of({&input, 1}, kWallAt).safe_to_stop);
}

TEST(Verdict, WhoIsNotHeldButOutOfTheAnswersIsNotSaidToTakeConnections) {
  VerdictInput input = safe();
  input.held = false;
  input.named = true;
  EXPECT_EQ(verdict_of({&input, 1}, kWallAt).reasons.front().text, "front-end is not held");
  input.named = false;
  EXPECT_EQ(verdict_of({&input, 1}, kWallAt).reasons.front().text,
            "front-end is not held: no answer names it now, but that may change at any moment");
}

TEST(Verdict, EachConditionOfSection6IsOneReason) {
  VerdictInput input = safe();
  input.held = false;
  EXPECT_EQ(only_code(input), "not-held");
  input = safe();
  input.durable = false;
  EXPECT_EQ(only_code(input), "hold-not-durable");
  input = safe();
  input.unconfirmed = {"ns2"};
  EXPECT_EQ(only_code(input), "unconfirmed-responder");
  input = safe();
  input.named = true;
  EXPECT_EQ(only_code(input), "served-while-held");
  input = safe();
  input.horizon = kWallAt + 12s;
  EXPECT_EQ(only_code(input), "horizon");
  input = safe();
  input.sessions.reset();
  EXPECT_EQ(only_code(input), "sessions-unknown");
  input = safe();
  input.sessions = Sessions{{"calls", 3}, {"registrations", 0}};
  EXPECT_EQ(only_code(input), "sessions");
  input = safe();
  input.new_connection_ago = 3s;
  EXPECT_EQ(only_code(input), "new-connections");
  input = safe();
  input.hook_failed = "on_hold: exit status 1";
  EXPECT_EQ(only_code(input), "hook-failed");
  input = safe();
  input.balanced_by_dns = false;
  EXPECT_EQ(only_code(input), "not-by-dns");
}

TEST(Verdict, ReasonsCarryTheirNumbersAndTimes) {
  VerdictInput input = safe();
  input.horizon = kWallAt + 11'200ms;
  input.sessions = Sessions{{"connections", 12}};
  const Verdict verdict = verdict_of({&input, 1}, kWallAt);
  ASSERT_EQ(verdict.reasons.size(), 2U);
  EXPECT_EQ(verdict.reasons[0].text, "caches may name it for another 12 s");
  EXPECT_EQ(verdict.reasons[0].until, kWallAt + 11'200ms);
  EXPECT_EQ(verdict.reasons[1].text, "12 connections on front-end");
}

TEST(Verdict, AServersHorizonIsItsServicesLast) {
  VerdictInput inputs[] = {safe(), safe()};
  inputs[0].horizon = kWallAt + 5s;
  inputs[1].horizon = kWallAt + 9s;
  const Verdict verdict = verdict_of(inputs, kWallAt);
  ASSERT_EQ(verdict.reasons.size(), 1U);
  EXPECT_EQ(verdict.reasons[0].until, kWallAt + 9s);
}

}  // namespace
}  // namespace sluice::health
