#include "tools/sluice-agent/service_monitor.h"

#include <array>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/config/base/loop.h"
#include "tests/tools/sluice-agent/folder.h"

namespace sluice::agent {
namespace {

using health::Health;

struct Monitor : testing::Test {
  TestFolder folder;
  base::TestLoop loop;
  base::SystemClock clock;
  LogLimit log;
  UnitWatcher units{loop.get(), {"kamailio.service"}, [] {}};
  PortSampler ports{{5060}};
  FlowSampler flows{loop.get(), {}, std::chrono::seconds(1)};
  int changes = 0;
  config::AgentService service;
  std::unique_ptr<ServiceMonitor> monitor;

  Monitor() { service.name = "front-end"; }
  void start() {
    monitor = std::make_unique<ServiceMonitor>(
        service, ServiceMonitor::World{loop.get(), units, ports, flows, clock, log,
                                       [this] { ++changes; }, std::chrono::seconds(5)});
  }
  void check(const char* command) {
    service.checks.push_back(
        {config::CommandCheck{{command}}, std::chrono::hours(1), std::chrono::seconds(20), 1, 1});
  }
  void start_with_known_health() {
    check("true");
    start();
    ASSERT_TRUE(loop.run_until([&] { return monitor->report().has_value(); }));
  }
  Health health() const { return monitor->report()->health; }
};

TEST_F(Monitor, KnowsNoHealthBeforeEachCheckHasHadAResult) {
  check("true");
  check("true");
  start();
  EXPECT_FALSE(monitor->report());
  ASSERT_TRUE(loop.run_until([&] { return monitor->report().has_value(); }));
  EXPECT_EQ(changes, 2);
  EXPECT_EQ(health(), Health::Up);
}

TEST_F(Monitor, IsDownWhenOneCheckFails) {
  check("true");
  check("false");
  start();
  ASSERT_TRUE(loop.run_until([&] { return changes == 2; }));
  EXPECT_EQ(health(), Health::Down);
}

TEST_F(Monitor, BeforeSystemdHasSpokenAUnitSaysNothing) {
  service.units = {"kamailio.service"};
  check("true");
  start();
  ASSERT_TRUE(loop.run_until([&] { return changes == 1; })) << "the check has passed";
  monitor->look_at_units();
  EXPECT_FALSE(monitor->report());
  EXPECT_EQ(changes, 1) << "no news";
}

TEST_F(Monitor, TheProcessAloneTellsUpAndStopped) {
  service.pid_file = folder.write("pid", std::to_string(getpid()));
  start();
  EXPECT_EQ(health(), Health::Up);
  EXPECT_TRUE(monitor->report()->instance);
  folder.write("pid.gone", "");
  std::filesystem::remove(folder.file("pid"));
  monitor->look_at_process();
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(health(), Health::Stopped);
  EXPECT_FALSE(monitor->report()->instance);
  monitor->look_at_process();
  EXPECT_EQ(changes, 1) << "no news";
}

TEST_F(Monitor, AStoppedProcessOutweighsAChecksPass) {
  service.pid_file = folder.file("none");
  start_with_known_health();
  ASSERT_TRUE(loop.run_until([&] { return changes == 1; }));
  EXPECT_EQ(health(), Health::Stopped);
}

TEST_F(Monitor, AFileThatStaysUnreadableAfterAStopSaysNothingAnyMore) {
  service.pid_file = folder.file("pid");
  check("true");
  start();
  ASSERT_TRUE(loop.run_until([&] { return changes == 1; }));
  EXPECT_EQ(health(), Health::Stopped);
  folder.write("pid", "");
  monitor->look_at_process();
  monitor->look_at_process();
  EXPECT_EQ(health(), Health::Stopped) << "it may be being written";
  monitor->look_at_process();
  EXPECT_EQ(health(), Health::Up) << "the checks decide: stopped would promise zero sessions";
}

TEST_F(Monitor, SessionsThatNobodyCountsAreNotKnownAndNothingToCountIsZero) {
  start_with_known_health();
  EXPECT_FALSE(monitor->report()->sessions);
  monitor.reset();
  service.sessions.emplace();
  start_with_known_health();
  EXPECT_EQ(monitor->report()->sessions, health::Sessions{});
}

TEST_F(Monitor, OneCounterThatIsNotKnownMakesAllNotKnown) {
  using Counters = std::vector<config::SessionCounter>;
  service.sessions = Counters{{"connections", config::TcpConnections{{5060}}}};
  start_with_known_health();
  EXPECT_FALSE(monitor->report()->sessions) << "no sample yet";
  ports.take({}, clock.now().mono, {});
  EXPECT_EQ(monitor->report()->sessions, (health::Sessions{{"connections", 0}}));
  monitor.reset();

  service.sessions->push_back({"calls", config::FileCount{folder.file("calls")}});
  start_with_known_health();
  monitor->read_counters();
  EXPECT_FALSE(monitor->report()->sessions) << "there is no such file";
  folder.write("calls", "4\n");
  monitor->read_counters();
  EXPECT_EQ(monitor->report()->sessions, (health::Sessions{{"calls", 4}, {"connections", 0}}));
  monitor.reset();

  service.sessions->back() = {"calls", config::CommandCount{{"echo", "3"}}};
  start_with_known_health();
  monitor->read_counters();
  EXPECT_TRUE(loop.run_until([&] { return monitor->report()->sessions.has_value(); }));
  EXPECT_EQ(monitor->report()->sessions, (health::Sessions{{"calls", 3}, {"connections", 0}}));
}

TEST_F(Monitor, TellsHowLongAgoTheNewestConnectionCame) {
  service.sessions = {{"connections", config::TcpConnections{{5060}}}};
  start_with_known_health();
  const auto now = clock.now().mono;
  ports.take({}, now - std::chrono::seconds(9), {});
  EXPECT_FALSE(monitor->report()->last_new_connection);
  ports.take(std::array{Connection{5060, {}, 1}}, now - std::chrono::seconds(7), {});
  const auto ago = monitor->report()->last_new_connection;
  ASSERT_TRUE(ago);
  EXPECT_GE(*ago, std::chrono::seconds(7));
  EXPECT_LT(*ago, std::chrono::seconds(60));
}

TEST_F(Monitor, ACounterThatRoseTellsOfANewConnectionToo) {
  service.sessions = {{"connections", config::TcpConnections{{5060}}},
                      {"calls", config::FileCount{folder.write("calls", "1\n")}}};
  start_with_known_health();
  const auto long_ago = clock.now().mono - std::chrono::hours(1);
  ports.take({}, long_ago, {});
  ports.take(std::array{Connection{5060, {}, 1}}, long_ago, {});
  monitor->read_counters();
  EXPECT_GE(*monitor->report()->last_new_connection, std::chrono::hours(1));
  folder.write("calls", "2\n");
  monitor->read_counters();
  EXPECT_LT(*monitor->report()->last_new_connection, std::chrono::hours(1)) << "the latest counts";
}

}  // namespace
}  // namespace sluice::agent
