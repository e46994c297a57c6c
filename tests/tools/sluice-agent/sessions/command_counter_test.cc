#include "tools/sluice-agent/sessions/command_counter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/sluice-agent/folder.h"
#include "tests/tools/sluice-agent/loop.h"

namespace sluice::agent {
namespace {

TEST(ParseCount, TakesOneWholeNumberWithBlanksAround) {
  EXPECT_EQ(*parse_count("12\n"), 12U);
  EXPECT_EQ(*parse_count(" \t0 \r\n\n"), 0U);
  EXPECT_EQ(*parse_count("9007199254740991"), 9007199254740991U);
}

TEST(ParseCount, RefusesEverythingElse) {
  for (const char* text :
       {"", "\n", "-1", "+1", "1.5", "1e3", "0x10", "12 13", "12\n13", "twelve", "12 calls",
        "9007199254740992", "99999999999999999999", "12a", "-", "1\xff"}) {
    EXPECT_FALSE(parse_count(text)) << text;
  }
  EXPECT_FALSE(parse_count(std::string_view("12\0", 3)));
}

TEST(CommandCounter, KnowsWhatTheLastRunPrinted) {
  const TestFolder folder;
  const std::string file = folder.write("sessions", "7\n");
  TestLoop loop;
  CommandCounter counter(loop.get(), {"cat", file}, std::chrono::seconds(20));
  EXPECT_FALSE(counter.count());
  counter.run();
  EXPECT_TRUE(loop.run_until([&] { return counter.count().has_value(); }));
  EXPECT_EQ(counter.count(), 7U);

  folder.write("sessions", "many\n");
  counter.run();
  EXPECT_TRUE(loop.run_until([&] { return !counter.count(); })) << "an old number is not kept";
  EXPECT_THAT(counter.failure(), testing::HasSubstr("\"many\""));
}

TEST(CommandCounter, FailsWithItsCommandEvenIfThatPrintsANumber) {
  TestLoop loop;
  CommandCounter counter(loop.get(), {"sh", "-c", "echo 3; exit 1"}, std::chrono::seconds(20));
  counter.run();
  EXPECT_TRUE(loop.run_until([&] { return !counter.failure().empty(); }));
  EXPECT_FALSE(counter.count());
}

TEST(CommandCounter, RunsOneCommandAtATimeAndEndsAHungOne) {
  const TestFolder folder;
  TestLoop loop;
  CommandCounter counter(loop.get(),
                         {"sh", "-c", "echo x >> " + folder.file("runs") + "; exec sleep 1000"},
                         base::Duration(300));
  for (int i = 0; i < 5; ++i) counter.run();
  EXPECT_TRUE(loop.run_until([&] { return !counter.failure().empty(); }));
  EXPECT_EQ(counter.failure(), "killed at its time limit");
  EXPECT_EQ(folder.read("runs"), "x\n");
}

}  // namespace
}  // namespace sluice::agent
