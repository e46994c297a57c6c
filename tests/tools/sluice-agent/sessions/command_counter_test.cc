#include "tools/sluice-agent/sessions/command_counter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/base/loop.h"
#include "tests/tools/sluice-agent/folder.h"
#include "tests/tools/sluice-agent/sessions/samples.h"

namespace sluice::agent {
namespace {

using samples::kNow;

TEST(CommandCounter, KnowsWhatTheLastRunPrinted) {
  const TestFolder folder;
  const std::string file = folder.write("sessions", "7\n");
  base::TestLoop loop;
  CommandCounter counter(loop.get(), {"cat", file}, std::chrono::seconds(20));
  EXPECT_FALSE(counter.count());
  counter.read(kNow);
  EXPECT_TRUE(loop.run_until([&] { return counter.count().has_value(); }));
  EXPECT_EQ(counter.count(), 7U);

  folder.write("sessions", "many\n");
  counter.read(kNow);
  EXPECT_TRUE(loop.run_until([&] { return !counter.count(); })) << "an old number is not kept";
  EXPECT_THAT(counter.failure(), testing::StartsWith("printed \"many\""));
}

TEST(CommandCounter, FailsWithItsCommandEvenIfThatPrintsANumber) {
  base::TestLoop loop;
  CommandCounter counter(loop.get(), {"sh", "-c", "echo 3; exit 1"}, std::chrono::seconds(20));
  counter.read(kNow);
  EXPECT_TRUE(loop.run_until([&] { return !counter.failure().empty(); }));
  EXPECT_FALSE(counter.count());
}

TEST(CommandCounter, RunsOneCommandAtATimeAndEndsAHungOne) {
  const TestFolder folder;
  base::TestLoop loop;
  CommandCounter counter(loop.get(),
                         {"sh", "-c", "echo x >> " + folder.file("runs") + "; exec sleep 1000"},
                         base::Duration(300));
  for (int i = 0; i < 5; ++i) counter.read(kNow);
  EXPECT_TRUE(loop.run_until([&] { return !counter.failure().empty(); }));
  EXPECT_EQ(counter.failure(), "killed at its time limit");
  EXPECT_EQ(folder.read("runs"), "x\n");
}

}  // namespace
}  // namespace sluice::agent
