#include "health/api/metrics.h"

#include <set>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(const Figures& figures) {
  const Histogram none;
  return metrics_text(figures, none, &none, false);
}

// Every figure differs from every other, so that none can stand where another belongs.
Figures figures_of_a_pool() {
  Figures figures;
  Figures::ServiceCount count;
  count.pool = "pool.example";
  count.service = "front-end";
  count.by_status = {11, 12, 13, 14, 15, 16};
  count.accepting = 17;
  count.min_accepting = 18;
  figures.services = {count};
  figures.holds = {21, 22, 23};
  figures.holds_by_age = {{{21, 20, 19, 18, 17}, {22, 9, 8, 7, 6}, {23, 5, 4, 3, 2}}};
  Figures::Draining drain;
  drain.pool = "pool.example";
  drain.service = "front-end";
  drain.servers = 31;
  drain.oldest_seconds = 32.5;
  drain.horizon_seconds = 33.25;
  figures.draining = {drain};
  Figures::SessionCount sessions;
  sessions.pool = "pool.example";
  sessions.service = "front-end";
  sessions.counter = "calls";
  sessions.sessions = 41;
  figures.sessions = {sessions};
  figures.schedules = 51;
  figures.holds_alarming = 52;
  figures.lease_losses_total = 53;
  figures.publications_total = 54;
  figures.refusals_total = 55;
  figures.mass_loss_guard = {{"pool.example", true}, {"other.example", false}};
  figures.generation = 56;
  figures.heartbeats_total = 57;
  figures.store_failures_total = 58;
  return figures;
}

TEST(MetricsText, ShowsEachFigureInItsPlace) {
  const std::string page = page_of(figures_of_a_pool());
  const std::string of_service = R"({pool="pool.example",service="front-end")";
  for (const std::string& line : {
           "sluice_servers" + of_service + R"(,status="unknown"} 11)",
           "sluice_servers" + of_service + R"(,status="down"} 12)",
           "sluice_servers" + of_service + R"(,status="held"} 13)",
           "sluice_servers" + of_service + R"(,status="draining"} 14)",
           "sluice_servers" + of_service + R"(,status="drained"} 15)",
           "sluice_servers" + of_service + R"(,status="accepting"} 16)",
           "sluice_accepting_servers" + of_service + "} 17",
           "sluice_min_accepting_servers" + of_service + "} 18",
           "sluice_draining_servers" + of_service + "} 31",
           "sluice_draining_oldest_seconds" + of_service + "} 32.5",
           "sluice_horizon_seconds" + of_service + "} 33.25",
           "sluice_sessions" + of_service + R"(,counter="calls"} 41)",
           std::string(R"(sluice_holds{origin="operator"} 21)"),
           std::string(R"(sluice_holds{origin="host"} 22)"),
           std::string(R"(sluice_holds{origin="schedule"} 23)"),
           std::string(R"(sluice_holds_older_than{origin="operator",age="1h"} 20)"),
           std::string(R"(sluice_holds_older_than{origin="operator",age="8h"} 19)"),
           std::string(R"(sluice_holds_older_than{origin="operator",age="1d"} 18)"),
           std::string(R"(sluice_holds_older_than{origin="operator",age="7d"} 17)"),
           std::string(R"(sluice_holds_older_than{origin="host",age="1d"} 7)"),
           std::string(R"(sluice_holds_older_than{origin="schedule",age="7d"} 2)"),
           std::string("sluice_schedules 51"),
           std::string("sluice_holds_alarming 52"),
           std::string("sluice_lease_losses_total 53"),
           std::string("sluice_publications_total 54"),
           std::string("sluice_refusals_total 55"),
           std::string(R"(sluice_mass_loss_guard_active{pool="pool.example"} 1)"),
           std::string(R"(sluice_mass_loss_guard_active{pool="other.example"} 0)"),
           std::string("sluice_generation 56"),
           std::string("sluice_heartbeats_total 57"),
           std::string("sluice_store_failures_total 58"),
           std::string("sluice_state_stale 0"),
           std::string("sluice_build_info{version=\"") + SLUICE_VERSION + "\"} 1",
       }) {
    EXPECT_THAT(page, HasSubstr("\n" + line + "\n"));
  }
}

TEST(MetricsText, EscapesLabels) {
  Figures figures;
  Figures::SessionCount sessions;
  sessions.pool = "pool.example";
  sessions.service = "front-end";
  sessions.counter = "a\"b\\c\nd";  // an agent's words
  figures.sessions = {sessions};
  EXPECT_THAT(page_of(figures), HasSubstr(R"(,counter="a\"b\\c\nd"} 0)"
                                          "\n"));
}

TEST(MetricsText, HasNoHistogramOfAStoreThatIsNotThere) {
  Histogram acks;
  acks.observe(std::chrono::microseconds(90));
  const std::string page = metrics_text({}, acks, nullptr, true);
  EXPECT_THAT(page, HasSubstr("sluice_drain_ack_seconds_count 1\n"));
  EXPECT_THAT(page, Not(HasSubstr("sluice_store_commit_seconds")));
  EXPECT_THAT(page, HasSubstr("\nsluice_state_stale 1\n"));
  EXPECT_THAT(metrics_text({}, acks, &acks, false),
              HasSubstr("sluice_store_commit_seconds_count 1\n"));
}

TEST(MetricsText, TellsOfACluster) {
  ClusterView cluster;
  cluster.state = ClusterState::Deciding;
  cluster.responders.resize(3);
  cluster.responders[0].name = "ns1";
  cluster.responders[0].alive = true;
  cluster.responders[1].name = "ns2";
  cluster.responders[1].alive = true;
  cluster.responders[1].clock_offset = std::chrono::milliseconds(-1'500);
  cluster.responders[2].name = "ns3";
  cluster.responders[2].behind = 4;
  std::string page = "\n";
  append_cluster(cluster, page);
  for (const char* line : {
           R"(sluice_cluster_responders{state="alive"} 2)",
           R"(sluice_cluster_responders{state="lost"} 1)",
           R"(sluice_cluster_publications_behind{responder="ns1"} 0)",
           R"(sluice_cluster_publications_behind{responder="ns3"} 4)",
           "sluice_cluster_decides 1",
           R"(sluice_cluster_clock_offset_seconds{responder="ns2"} -1.5)",
           "sluice_cluster_alarm 0",
       }) {
    EXPECT_THAT(page, HasSubstr(std::string("\n") + line + "\n"));
  }
  EXPECT_THAT(page, Not(HasSubstr(R"(offset_seconds{responder="ns1"})")));
  cluster.state = ClusterState::Following;
  cluster.alarm = "the prefix was emptied";
  std::string other = "\n";
  append_cluster(cluster, other);
  EXPECT_THAT(other, HasSubstr("\nsluice_cluster_decides 0\n"));
  EXPECT_THAT(other, HasSubstr("\nsluice_cluster_alarm 1\n"));
}

// HELP, TYPE, then all samples of that family, and no family again.
TEST(MetricsText, KeepsEachFamilyTogether) {
  std::istringstream page(page_of(figures_of_a_pool()));
  std::set<std::string> families;
  std::string family;
  std::string line;
  while (std::getline(page, line)) {
    if (line.starts_with("# HELP ")) {
      std::istringstream words(line);
      std::string word;
      words >> word >> word >> family;
      EXPECT_TRUE(families.insert(family).second) << "twice: " << family;
      ASSERT_TRUE(std::getline(page, line));
      EXPECT_TRUE(line.starts_with("# TYPE " + family + " ")) << line;
      continue;
    }
    EXPECT_TRUE(line.starts_with(family)) << line << " in " << family;
  }
  EXPECT_EQ(families.size(), 22U);
}

TEST(MetricsText, CountersAreThoseThatEndInTotal) {
  std::istringstream page(page_of(figures_of_a_pool()));
  std::string line;
  while (std::getline(page, line)) {
    if (!line.starts_with("# TYPE ")) continue;
    EXPECT_EQ(line.ends_with(" counter"), line.find("_total ") != std::string::npos) << line;
  }
}

}  // namespace
}  // namespace sluice::health
