#include "health/floor.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

TEST(Floor, RefusesWhatWouldLowerBelow) {
  EXPECT_TRUE(breaks_floor({"pool.example", 2, 1, 2}));
  EXPECT_FALSE(breaks_floor({"pool.example", 3, 2, 2}));
}

TEST(Floor, AServerThatIsOutAlreadyIsNeverRefused) {
  EXPECT_FALSE(breaks_floor({"pool.example", 1, 1, 2}));
  EXPECT_FALSE(breaks_floor({"pool.example", 0, 0, 2}));
}

TEST(Floor, TheRefusalNamesRuleAnswerSetAndNumbers) {
  const Refusal refusal = floor_refusal({"pool.example", 2, 1, 2});
  EXPECT_EQ(refusal.kind, Refusal::Kind::Rule);
  EXPECT_EQ(refusal.rule, "floor");
  EXPECT_EQ(refusal.answer_set, "pool.example");
  EXPECT_EQ(refusal.numbers.at("accepting"), 2U);
  EXPECT_EQ(refusal.numbers.at("would_leave"), 1U);
  EXPECT_EQ(refusal.numbers.at("min_accepting"), 2U);
  EXPECT_EQ(refusal.detail,
            "pool.example has 2 accepting, would keep 1, must keep 2 (min_accepting)");
}

}  // namespace
}  // namespace sluice::health
