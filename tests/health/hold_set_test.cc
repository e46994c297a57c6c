#include "health/hold_set.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

Hold hold(std::string server, std::string service, Origin origin = Origin::Operator) {
  Hold hold;
  hold.key = {std::move(server), std::move(service), origin};
  return hold;
}

TEST(HoldSet, LiftingTheServersHoldLeavesTheServicesInPlace) {
  HoldSet set;
  set.place(hold("a", ""));
  set.place(hold("a", "fe"));
  set.lift({"a", "", Origin::Operator});
  EXPECT_TRUE(set.held("a", "fe"));
  EXPECT_FALSE(set.held("a", "cp"));
  set.lift({"a", "fe", Origin::Operator});
  EXPECT_FALSE(set.held("a", "fe"));
  EXPECT_TRUE(set.by_server().empty());
}

TEST(HoldSet, TheHostsHoldAndTheOperatorsAreTwo) {
  HoldSet set;
  set.place(hold("a", "fe"));
  set.place(hold("a", "fe", Origin::Host));
  EXPECT_EQ(set.covering("a", "fe").size(), 2U);
  set.lift({"a", "fe", Origin::Operator});
  EXPECT_TRUE(set.held("a", "fe"));
}

TEST(HoldSet, AReleasedServiceIsNotCovered) {
  HoldSet set;
  set.place(hold("a", "")).released.insert("fe");
  EXPECT_FALSE(set.held("a", "fe"));
  EXPECT_TRUE(set.held("a", "cp"));
}

TEST(HoldSet, PlacingTheSameKeyReplaces) {
  HoldSet set;
  set.place(hold("a", "")).reason = "one";
  Hold other = hold("a", "");
  other.reason = "two";
  set.place(other);
  ASSERT_EQ(set.of("a").size(), 1U);
  EXPECT_EQ(set.of("a").front().reason, "two");
}

TEST(HoldSet, HidesTheHostWhenAnyHoldSaysSo) {
  HoldSet set;
  set.place(hold("a", "fe"));
  EXPECT_FALSE(set.hides_host("a"));
  set.place(hold("a", "")).hide_host = true;
  EXPECT_TRUE(set.hides_host("a"));
  EXPECT_FALSE(set.hides_host("b"));
}

TEST(HoldSet, CountsThoseThatAreOneRespondersAlone) {
  HoldSet set;
  Hold alone = hold("a", "");
  alone.local = true;
  set.place(alone);
  set.place(alone);
  set.place(hold("a", "fe"));
  EXPECT_EQ(set.local(), 1U);
  set.lift({"a", "fe", alone.key.origin});
  EXPECT_EQ(set.local(), 1U);
  set.place(hold("a", ""));
  EXPECT_EQ(set.local(), 0U) << "everybody's by now";
  set.place(alone);
  set.lift(alone.key);
  EXPECT_EQ(set.local(), 0U);
}

}  // namespace
}  // namespace sluice::health
