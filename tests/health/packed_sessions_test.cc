#include "health/packed_sessions.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

std::optional<Sessions> packed(const std::optional<Sessions>& sessions) {
  PackedSessions state;
  state = Sessions{{"before", 1}, {"others", 2}};
  state = sessions;
  return state;
}

TEST(PackedSessions, NotKnownIsNotTheSameAsNothingToCount) {
  EXPECT_EQ(std::optional<Sessions>(PackedSessions()), std::nullopt);
  EXPECT_EQ(packed(std::nullopt), std::nullopt);
  EXPECT_EQ(packed(Sessions{}), Sessions{});
}

TEST(PackedSessions, GiveBackEachCounter) {
  const Sessions sessions{{"calls", 0},
                          {"parked calls", (1ULL << 53) - 1},
                          {std::string(1'024, 'x'), 7},
                          {std::string("a\0b", 3), 300}};
  EXPECT_EQ(packed(sessions), sessions);
}

}  // namespace
}  // namespace sluice::health
