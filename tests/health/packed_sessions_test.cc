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

TEST(PackedSessions, AreVisitedByName) {
  PackedSessions state;
  state.each([](std::string_view name, std::uint64_t) { FAIL() << name << " is not known"; });
  state = Sessions{{"b", 2}, {"a", 1}};
  Sessions seen;
  std::string order;
  state.each([&](std::string_view name, std::uint64_t count) {
    seen[name] = count;
    order += name;
  });
  EXPECT_EQ(seen, (Sessions{{"a", 1}, {"b", 2}}));
  EXPECT_EQ(order, "ab");
}

// What was there is written over when only values differ.
TEST(PackedSessions, FollowWhateverIsAssigned) {
  PackedSessions state;
  for (const Sessions& sessions :
       {Sessions{{"a", 1}, {"b", 2}}, Sessions{{"a", 3}, {"b", 4}}, Sessions{{"a", 3}, {"c", 4}},
        Sessions{{"a", 3}}, Sessions{{"a", 3}, {"b", 1}, {"c", 2}}, Sessions{},
        Sessions{{"b", 7}}}) {
    state = sessions;
    EXPECT_EQ(std::optional<Sessions>(state), sessions);
  }
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
