#include "tools/supervisor/supervisor.h"

#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/tools/supervisor/listener.h"

namespace sluice {
namespace {

using test::Listener;
using testing::MatchesRegex;

class Environment : public testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void clear() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }
  Listener listener_;
};

TEST(Supervisor, SaysEachThingInTheWordsOfTheProtocol) {
  const Listener listener;
  Supervisor supervisor(listener.name(), {});
  supervisor.ready("serving");
  EXPECT_EQ(listener.next(), "READY=1\nSTATUS=serving\n");
  supervisor.reloading("reading");
  EXPECT_THAT(listener.next().value_or(""),
              MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+\nSTATUS=reading\n"));
  supervisor.status("so so");
  EXPECT_EQ(listener.next(), "STATUS=so so\n");
  supervisor.alive();
  EXPECT_EQ(listener.next(), "WATCHDOG=1\n");
  supervisor.stopping("bye");
  EXPECT_EQ(listener.next(), "STOPPING=1\nSTATUS=bye\n");
  EXPECT_EQ(listener.next(), std::nullopt);
}

// Whoever wrote a configuration's names does not write our messages.
TEST(Supervisor, KeepsAStatusOnOneBoundedLine) {
  const Listener listener;
  Supervisor supervisor(listener.name(), {});
  supervisor.status("bad\nREADY=1");
  EXPECT_EQ(listener.next(), "STATUS=bad READY=1\n");
  supervisor.status(std::string(100'000, 'x'));
  EXPECT_LT(listener.next().value_or("").size(), 1'000U);
}

TEST(Supervisor, NeverWaitsForOneThatDoesNotRead) {
  const Listener listener;
  Supervisor supervisor(listener.name(), {});
  for (int i = 0; i < 100'000; ++i) supervisor.alive();  // far beyond net.unix.max_dgram_qlen
  EXPECT_EQ(listener.next(), "WATCHDOG=1\n");
}

// That another process is the main one must be heard: who ends before it is ends the service.
TEST(Supervisor, WaitsUntilTheMainProcessIsHeard) {
  const Listener listener;
  Supervisor supervisor(listener.name(), {});
  for (int i = 0; i < 100'000; ++i) supervisor.alive();
  std::thread reader([&listener] {
    while (listener.next() != "MAINPID=4711\n") std::this_thread::yield();
  });
  EXPECT_TRUE(supervisor.main_process(4711));
  reader.join();
}

TEST(Supervisor, SaysThatTheMainProcessWasNotHeard) {
  std::optional<Listener> listener(std::in_place);
  Supervisor supervisor(listener->name(), {});
  listener.reset();
  EXPECT_FALSE(supervisor.main_process(4711));
  EXPECT_TRUE(Supervisor("", {}).main_process(4711)) << "nobody wants to hear it";
}

TEST(Supervisor, IsSilentWhereNobodyListens) {
  for (const char* socket : {"", "/", "@", "relative", "/nowhere/at/all"}) {
    Supervisor supervisor(socket, std::chrono::seconds(1));
    supervisor.ready("serving");  // no fault
  }
  EXPECT_FALSE(Supervisor("", std::chrono::seconds(1)).watchdog());
  EXPECT_FALSE(Supervisor("/" + std::string(200, 'x'), {}).listens()) << "longer than unix(7) has";
}

TEST_F(Environment, NamesSocketAndWatchdog) {
  EXPECT_FALSE(Supervisor::from_environment().listens());
  setenv("NOTIFY_SOCKET", listener_.name().c_str(), 1);
  EXPECT_TRUE(Supervisor::from_environment().listens());
  EXPECT_FALSE(Supervisor::from_environment().watchdog());
  setenv("WATCHDOG_USEC", "2500000", 1);
  EXPECT_EQ(Supervisor::from_environment().watchdog(), std::chrono::milliseconds(2'500));
  for (const char* wrong : {"", "0", "-1", "2s", "99999999999999999999"}) {
    setenv("WATCHDOG_USEC", wrong, 1);
    EXPECT_FALSE(Supervisor::from_environment().watchdog()) << wrong;
  }
}

TEST_F(Environment, WatchdogIsOfTheProcessThatItNames) {
  setenv("NOTIFY_SOCKET", listener_.name().c_str(), 1);
  setenv("WATCHDOG_USEC", "2500000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_TRUE(Supervisor::from_environment().watchdog());
  setenv("WATCHDOG_PID", std::to_string(getppid()).c_str(), 1);
  EXPECT_FALSE(Supervisor::from_environment().watchdog());
}

}  // namespace
}  // namespace sluice
