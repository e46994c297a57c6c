#include "tools/sluice-agent/systemd/unit_state.h"

#include <vector>

#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

using enum UnitsVerdict::Health;

UnitState unit(const char* active, const char* invocation = "aa") {
  return {"", "loaded", active, "", invocation};
}

TEST(JudgeUnits, TakesEachActiveStateOfSystemd) {
  const std::vector<std::pair<const char*, UnitsVerdict::Health>> states{
      {"active", Up},       {"reloading", Up},      {"inactive", Stopped}, {"failed", Stopped},
      {"activating", Down}, {"deactivating", Down}, {"maintenance", Down}, {"", Unknown}};
  for (const auto& [active, health] : states) {
    const std::vector units{unit(active)};
    EXPECT_EQ(judge_units(units).health, health) << active;
  }
  EXPECT_EQ(judge_units({}).health, Unknown);
}

TEST(JudgeUnits, OfAUnitThatSystemdDoesNotHaveNothingIsKnown) {
  const std::vector typo{UnitState{"", "not-found", "inactive", "dead", ""}};
  EXPECT_EQ(judge_units(typo).health, Unknown);
  const std::vector removed{UnitState{"", "not-found", "active", "running", "aa"}};
  EXPECT_EQ(judge_units(removed).health, Up) << "its file has gone, it runs on";
}

TEST(JudgeUnits, SeveralAreUpWhenAllAreAndStoppedWhenAllAre) {
  const auto judge = [](const char* a, const char* b) {
    const std::vector units{unit(a), unit(b)};
    return judge_units(units).health;
  };
  EXPECT_EQ(judge("active", "reloading"), Up);
  EXPECT_EQ(judge("active", "failed"), Down);
  EXPECT_EQ(judge("inactive", "failed"), Stopped);
  EXPECT_EQ(judge("inactive", "activating"), Down);
  EXPECT_EQ(judge("active", ""), Unknown);
  EXPECT_EQ(judge("inactive", ""), Unknown) << "down without an instance would be forgetting it";
}

TEST(JudgeUnits, TheInstanceIsTheInvocationAndOfSeveralChangesWithEach) {
  EXPECT_EQ(judge_units(std::vector{unit("active", "0123")}).instance, "0123");
  const auto both = [](const char* a, const char* b) {
    const std::vector units{unit("active", a), unit("active", b)};
    return judge_units(units).instance;
  };
  const std::string before = both("01", "02");
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(both("01", "02"), before);
  EXPECT_NE(both("03", "02"), before);
  EXPECT_NE(both("01", "03"), before);
  EXPECT_NE(both("02", "01"), before);
}

TEST(JudgeUnits, WhatDoesNotRunHasNoInstanceWhatIsStoppingHas) {
  EXPECT_EQ(judge_units(std::vector{unit("failed")}).instance, "");
  EXPECT_EQ(judge_units(std::vector{unit("deactivating")}).instance, "aa");
  const std::vector units{unit("active", "01"), unit("failed", "02")};
  EXPECT_FALSE(judge_units(units).instance.empty());
}

TEST(UnitState, SaysItsStateInSystemdsWords) {
  EXPECT_EQ((UnitState{"", "loaded", "active", "running", ""}.text()), "active (running)");
  EXPECT_EQ((UnitState{"", "loaded", "failed", "", ""}.text()), "failed");
  EXPECT_EQ((UnitState{"", "not-found", "inactive", "dead", ""}.text()), "not-found");
  EXPECT_EQ(UnitState{}.text(), "not known");
}

}  // namespace
}  // namespace sluice::agent
