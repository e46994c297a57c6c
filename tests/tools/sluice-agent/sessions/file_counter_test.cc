#include "tools/sluice-agent/sessions/file_counter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/tools/sluice-agent/folder.h"

namespace sluice::agent {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

struct SetClock final : base::Clock {
  base::Now time = base::SystemClock().now();
  base::Now now() const override { return time; }
  void pass(seconds time_passed) {
    time.mono += time_passed;
    time.wall += time_passed;
  }
};

struct File : testing::Test {
  TestFolder folder;
  SetClock clock;
  FileCounter counter{{folder.file("calls"), seconds(60)}, clock};

  std::optional<std::uint64_t> read() {
    counter.read(clock.now().mono);
    return counter.count();
  }
  std::optional<std::uint64_t> read(const std::string& text) {
    folder.write("calls", text);
    return read();
  }
  void expect_unknown(const char* why) {
    EXPECT_FALSE(read());
    EXPECT_THAT(counter.failure(), HasSubstr(folder.file("calls") + ": "));
    EXPECT_THAT(counter.failure(), HasSubstr(why));
  }
};

TEST_F(File, KnowsTheNumberThatStandsInIt) {
  EXPECT_EQ(read("7\n"), 7U);
  EXPECT_EQ(read("0"), 0U);
  EXPECT_EQ(read(" 12 \n"), 12U);
}

TEST_F(File, IsUnknownWhenItIsMissingOrSaysSomethingElse) {
  expect_unknown("can't be read: No such file or directory");
  EXPECT_FALSE(read(""));
  expect_unknown("has nothing");
  EXPECT_FALSE(read("many\n"));
  expect_unknown("has \"many\", not one whole number");
  EXPECT_FALSE(read(std::string(1'000'000, ' ') + "1"));
  expect_unknown("has more than a number");
  EXPECT_EQ(read("3\n"), 3U);
  EXPECT_EQ(counter.failure(), "");
}

TEST_F(File, DoesNotWaitForAPipe) {
  ASSERT_EQ(mkfifo(folder.file("calls").c_str(), 0600), 0);
  expect_unknown("is no regular file");
}

TEST_F(File, IsNoFolder) {
  folder.write("calls/inner", "1");
  expect_unknown("is no regular file");
}

TEST_F(File, IsUnknownOnceItWasNotWrittenForTooLong) {
  EXPECT_EQ(read("3\n"), 3U);
  clock.pass(seconds(59));
  EXPECT_EQ(read(), 3U);
  clock.pass(seconds(3));
  expect_unknown("was not written for 1m");
  clock.time.wall = base::SystemClock().now().wall;
  EXPECT_EQ(read("3\n"), 3U) << "the same number, written anew";
}

TEST_F(File, AClockThatIsSetBackHidesNoAge) {
  EXPECT_EQ(read("3\n"), 3U);
  clock.time.wall -= std::chrono::hours(24);
  EXPECT_EQ(read(), 3U);
  clock.time.mono += seconds(61);
  expect_unknown("was not written for 1m1s, max_age is 1m");
}

TEST_F(File, ARiseTellsThatASessionCame) {
  read("3\n");
  clock.pass(seconds(2));
  read("4\n");
  EXPECT_EQ(counter.newest(), clock.now().mono);
}

}  // namespace
}  // namespace sluice::agent
