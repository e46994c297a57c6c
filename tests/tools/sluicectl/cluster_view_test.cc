#include "tools/sluicectl/render/cluster_view.h"

#include <chrono>
#include <cstdlib>
#include <ctime>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tools/sluicectl/now.h"

namespace sluice::ctl {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ClusterWords : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    setenv("TZ", "UTC0", 1);
    tzset();
  }
  ClusterWords() {
    cluster_.prefix = "/sluice";
    cluster_.state = "following";
    cluster_.decider = "ns2";
    cluster_.generation = 17;
    cluster_.publication = 40;
    cluster_.responders.resize(2);
    ClusterResponder& ns1 = cluster_.responders[0];
    ns1.name = "ns1";
    ns1.self = ns1.alive = true;
    ns1.generation = 17;
    ClusterResponder& ns2 = cluster_.responders[1];
    ns2.name = "ns2";
    ns2.alive = ns2.decides = true;
    ns2.generation = 17;
    ns2.clock_offset = -0.018;
  }
  std::string view() const { return cluster_view(cluster_, kNow, {}); }

  Cluster cluster_;
};

TEST_F(ClusterWords, AWellClusterIsALineAndATable) {
  EXPECT_TRUE(is_well(cluster_));
  EXPECT_EQ(view(),
            "/sluice  following, ns2 decides: generation 17, publication 40\n"
            "RESPONDER   ALIVE  DECIDES  GENERATION  BEHIND  UNCONFIRMED SINCE  CLOCK    "
            "CONFIGURATION\n"
            "ns1 (this)  yes    no       17          0       -                  -        same\n"
            "ns2         yes    yes      17          0       -                  -0.02 s  same\n");
}

TEST_F(ClusterWords, WhoIsLostAndLateIsNamedWithWhatToDo) {
  ClusterResponder& ns2 = cluster_.responders[1];
  ns2.alive = ns2.decides = false;
  ns2.generation = 15;
  ns2.behind = 3;
  ns2.unconfirmed_since = kNow - 30s;
  EXPECT_FALSE(is_well(cluster_));
  EXPECT_THAT(view(), HasSubstr("ns2         no     no       15          3       09:59:30 "));
  EXPECT_THAT(view(),
              HasSubstr("\nns2 is lost and has not confirmed since 09:59:30: where it still "
                        "runs, cut off, it answers as before. When it will not return: "
                        "`sluicectl cluster forget ns2`.\n"));
}

TEST_F(ClusterWords, WhoIsAliveIsNotToBeForgotten) {
  EXPECT_FALSE(is_confirming(cluster_));
  cluster_.responders[1].unconfirmed_since = kNow - 30s;
  EXPECT_FALSE(is_well(cluster_));
  EXPECT_TRUE(is_confirming(cluster_));
  EXPECT_THAT(view(), HasSubstr("ns2 is alive and has not confirmed since 09:59:30"));
  EXPECT_THAT(view(), Not(HasSubstr("forget")));
}

TEST_F(ClusterWords, NobodyWaitsForWhoIsLostOrForWhatIsStale) {
  cluster_.responders[0].unconfirmed_since = kNow;
  cluster_.responders[1].unconfirmed_since = kNow;
  cluster_.responders[1].alive = false;
  EXPECT_FALSE(is_confirming(cluster_));
  cluster_.responders[1].alive = true;
  EXPECT_TRUE(is_confirming(cluster_));
  cluster_.stale = true;
  EXPECT_FALSE(is_confirming(cluster_));
}

TEST_F(ClusterWords, WhoIsLostWithAllConfirmedIsNotWellEither) {
  cluster_.responders[1].alive = false;
  EXPECT_FALSE(is_well(cluster_));
  EXPECT_THAT(view(), HasSubstr("ns2 is lost, with all that is in force. When it will not return"));
}

TEST_F(ClusterWords, StalenessAndAlarmsComeBeforeTheTable) {
  cluster_.state = "cut-off";
  cluster_.stale = true;
  cluster_.stale_since = kNow - 60s;
  cluster_.alarm = "the prefix was emptied at 2025-11-20T09:58:00Z";
  EXPECT_FALSE(is_well(cluster_));
  EXPECT_THAT(
      view(),
      StartsWith("/sluice  cut off from the cluster's store: generation 17, publication 40\n"
                 "stale since 09:59:00: it answers by the last state that it had, and takes "
                 "no orders\n"
                 "alarm: the prefix was emptied at 09:58:00\n"
                 "RESPONDER "));
  cluster_.responders[0].alive = cluster_.responders[1].alive = false;
  EXPECT_THAT(view(), Not(HasSubstr("forget"))) << "it knows nothing of the others";
  EXPECT_THAT(view(), HasSubstr("cut off  "));
  EXPECT_THAT(view(), HasSubstr("unknown  "));
  cluster_.responders[0].alive = cluster_.responders[1].alive = true;
  cluster_.alarm.clear();
  EXPECT_FALSE(is_well(cluster_)) << "stale alone";
  cluster_.stale = false;
  cluster_.alarm = "x";
  EXPECT_FALSE(is_well(cluster_)) << "an alarm alone";
}

TEST_F(ClusterWords, AnotherConfigurationIsShownAndNoFault) {
  cluster_.responders[1].same_configuration = false;
  EXPECT_TRUE(is_well(cluster_));
  EXPECT_THAT(view(), HasSubstr("differs"));
}

TEST_F(ClusterWords, NobodyMayDecideForAMoment) {
  cluster_.decider.clear();
  EXPECT_THAT(view(), HasSubstr("following, nobody decides at present"));
}

TEST_F(ClusterWords, AnOrderThatSomeHaveNotConfirmedSaysWhatThatMeans) {
  EXPECT_EQ(unconfirmed_words({"ns2"}, true),
            "not confirmed by ns2: it may answer as before, and the verdict stays red until it "
            "confirms. `sluicectl cluster` tells about it; when it will not return: `sluicectl "
            "cluster forget ns2`");
  EXPECT_EQ(unconfirmed_words({"ns2", "ns3"}, false),
            "not confirmed by ns2, ns3: they may answer as before. `sluicectl cluster` tells about "
            "them; one that will not return: `sluicectl cluster forget NAME`");
}

TEST_F(ClusterWords, StalenessHasItsTimeAndReasonWhereTheseAreKnown) {
  EXPECT_EQ(stale_words(kNow - 60s, "etcd does not answer", kNow),
            "stale since 09:59:00: it answers by the last state that it had, and takes no orders "
            "(etcd does not answer)");
  EXPECT_EQ(stale_words({}, "", kNow),
            "stale: it answers by the last state that it had, and takes no orders");
}

}  // namespace
}  // namespace sluice::ctl
