#include "health/service_state.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using config::Startup;

Hold hold_on(std::string instance, std::optional<Startup> startup = {}) {
  Hold hold;
  hold.key = {"a.example", "", Origin::Operator};
  hold.startup = startup;
  if (!instance.empty()) hold.instances["fe"] = std::move(instance);
  return hold;
}

ServiceState running(std::optional<std::string> instance, Health health = Health::Up) {
  ServiceState state;
  state.health = health;
  state.instance = std::move(instance);
  return state;
}

TEST(InstanceEffect, TheFirstInstanceIsAdopted) {
  EXPECT_EQ(instance_effect(hold_on(""), "fe", running("b/1"), Startup::Automatic),
            InstanceEffect::Adopt);
}

TEST(InstanceEffect, TheSameInstanceIsNoRestart) {
  EXPECT_EQ(instance_effect(hold_on("b/1"), "fe", running("b/1"), Startup::Automatic),
            InstanceEffect::None);
}

TEST(InstanceEffect, ANewOneReleasesOrOutlivesAsTheStartupSays) {
  EXPECT_EQ(instance_effect(hold_on("b/1"), "fe", running("b/2"), Startup::Automatic),
            InstanceEffect::Release);
  EXPECT_EQ(instance_effect(hold_on("b/1"), "fe", running("b/2"), Startup::Manual),
            InstanceEffect::Outlive);
  EXPECT_EQ(
      instance_effect(hold_on("b/1", Startup::Manual), "fe", running("b/2"), Startup::Automatic),
      InstanceEffect::Outlive)
      << "the drain's own word goes before the service's default";
}

TEST(InstanceEffect, AStoppedUnitIsRememberedSoThatItsNextStartIsARestart) {
  EXPECT_EQ(instance_effect(hold_on("b/1"), "fe", running({}, Health::Stopped), Startup::Automatic),
            InstanceEffect::None);
}

TEST(InstanceEffect, OneThatRunsAndTellsNoInstanceIsForgotten) {
  EXPECT_EQ(instance_effect(hold_on("b/1"), "fe", running({}), Startup::Automatic),
            InstanceEffect::Forget);
  EXPECT_EQ(instance_effect(hold_on(""), "fe", running({}), Startup::Automatic),
            InstanceEffect::None);
}

TEST(Apply, BootAndUnitMakeTheInstance) {
  ServiceState state;
  ServiceReport report;
  report.health = Health::Up;
  report.instance = "unit";
  EXPECT_TRUE(apply(state, report, "boot", {}));
  ASSERT_TRUE(state.instance);
  EXPECT_EQ(*state.instance, "boot/unit");
  EXPECT_FALSE(apply(state, report, "boot", {})) << "the same health again";
}

struct Row {
  StatusInput input;
  Status status;
};

class StatusTable : public ::testing::TestWithParam<Row> {};

TEST_P(StatusTable, TheFirstThatMatches) {
  EXPECT_EQ(status_of(GetParam().input), GetParam().status);
}

// Semantics.md section 2: lease, health, held, newer than the hold, at zero, horizon past.
INSTANTIATE_TEST_SUITE_P(
    Semantics2, StatusTable,
    ::testing::Values(Row{{false, Health::Up, false, false, true, true}, Status::Unknown},
                      Row{{false, Health::Up, true, false, true, true}, Status::Unknown},
                      Row{{true, {}, false, false, true, true}, Status::Unknown},
                      Row{{true, Health::Stopped, false, false, true, true}, Status::Down},
                      Row{{true, Health::Stopped, true, true, true, true}, Status::Down},
                      Row{{true, Health::Down, false, false, true, true}, Status::Down},
                      Row{{true, Health::Down, true, false, false, true}, Status::Draining},
                      Row{{true, Health::Down, true, false, true, true}, Status::Drained},
                      Row{{true, Health::Up, true, true, true, true}, Status::Held},
                      Row{{true, Health::Up, true, false, false, true}, Status::Draining},
                      Row{{true, Health::Up, true, false, true, false}, Status::Draining},
                      Row{{true, Health::Up, true, false, true, true}, Status::Drained},
                      Row{{true, Health::Up, false, false, true, true}, Status::Accepting}));

TEST(Sessions, NotKnownIsNeverZero) {
  ServiceState state = running({});
  EXPECT_FALSE(at_zero(known_sessions(state, true))) << "no counters pushed";
  state.sessions = Sessions{};
  EXPECT_TRUE(at_zero(known_sessions(state, true))) << "{} = nothing to count = zero";
  EXPECT_FALSE(at_zero(known_sessions(state, false))) << "pushed before the lease ran out";
  state.sessions = Sessions{{"calls", 0}, {"registrations", 1}};
  EXPECT_FALSE(at_zero(known_sessions(state, true))) << "zero when each counter is";
  state.health = Health::Stopped;
  EXPECT_TRUE(at_zero(known_sessions(state, true))) << "not running: zero sessions";
}

}  // namespace
}  // namespace sluice::health
