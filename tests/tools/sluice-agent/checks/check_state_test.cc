#include "tools/sluice-agent/checks/check_state.h"

#include <array>

#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

TEST(CheckState, TakesTheFirstResultAtItsWord) {
  CheckState up({5, 5});
  EXPECT_EQ(up.status(), CheckStatus::Unknown);
  EXPECT_EQ(up.apply(true), Transition::Changed);
  EXPECT_EQ(up.status(), CheckStatus::Up);
  CheckState down({5, 5});
  EXPECT_EQ(down.apply(false), Transition::Changed);
  EXPECT_EQ(down.status(), CheckStatus::Down);
}

TEST(CheckState, TurnsAfterExactlyAsManyResultsInARowAsConfigured) {
  for (unsigned rise = 1; rise <= 20; ++rise) {
    for (unsigned fall = 1; fall <= 20; ++fall) {
      CheckState state({rise, fall});
      state.apply(true);
      for (unsigned i = 1; i < fall; ++i) ASSERT_EQ(state.apply(false), Transition::Pending);
      ASSERT_EQ(state.status(), CheckStatus::Up);
      ASSERT_EQ(state.apply(false), Transition::Changed);
      ASSERT_EQ(state.status(), CheckStatus::Down);
      for (unsigned i = 1; i < rise; ++i) ASSERT_EQ(state.apply(true), Transition::Pending);
      ASSERT_EQ(state.apply(true), Transition::Changed);
      ASSERT_EQ(state.status(), CheckStatus::Up);
    }
  }
}

TEST(CheckState, AnAgreeingResultStartsTheCountAnew) {
  CheckState state({2, 3});
  state.apply(true);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(state.apply(false), Transition::Pending);
    EXPECT_EQ(state.apply(false), Transition::Pending);
    EXPECT_EQ(state.apply(true), Transition::Unchanged);
  }
  EXPECT_EQ(state.status(), CheckStatus::Up);
}

TEST(Combine, IsUpOnlyWhenAllAreUpAndDownAsSoonAsOneIs) {
  using enum CheckStatus;
  constexpr std::array kAll{Unknown, Up, Down};
  for (const auto a : kAll) {
    for (const auto b : kAll) {
      const auto expected = a == Down || b == Down ? Down : a == Up && b == Up ? Up : Unknown;
      EXPECT_EQ(combine(std::array{a, b}), expected);
    }
  }
}

TEST(Combine, OfNoChecksIsUnknown) {
  EXPECT_EQ(combine({}), CheckStatus::Unknown);
}

}  // namespace
}  // namespace sluice::agent
