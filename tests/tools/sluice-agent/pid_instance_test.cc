#include "tools/sluice-agent/pid_instance.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tools/sluice-agent/folder.h"

namespace sluice::agent {
namespace {

using State = PidInstance::State;

// Fields 4 to 21 are of no interest; the start time is 22, and more follow.
std::string stat_text(const std::string& name, char state, const std::string& start) {
  return "17 (" + name + ") " + state + " 1 17 17 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 " + start +
         " 1000 200 18446744073709551615\n";
}

struct FakeProc : testing::Test {
  TestFolder folder;
  PidInstance read() { return read_pid_instance(folder.file("pid"), folder.file("proc")); }
  void process(const std::string& pid, char state, const std::string& start) {
    folder.write("proc/" + pid + "/stat", stat_text("a b) (c", state, start));
  }
};

TEST(ParseStat, CountsFieldsFromTheLastBracketOfTheName) {
  for (const char* name : {"sh", "a b", ") R 1 2", "((", ""}) {
    const auto stat = parse_stat(stat_text(name, 'S', "4711"));
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->start, "4711");
  }
}

TEST(ParseStat, RefusesEveryTruncationBeforeTheEndOfTheStartTime) {
  const std::string whole = stat_text("sh", 'S', "4711");
  const auto end = whole.find("4711") + 1;  // one digit is a number too
  for (std::size_t size = 0; size < end; ++size) {
    EXPECT_FALSE(parse_stat(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_stat(stat_text("sh", 'S', "47x1")));
}

TEST(PidInstance, OfThisProcessIsItsNumberAndStart) {
  const TestFolder folder;
  folder.write("pid", std::to_string(getpid()) + "\n");
  const auto seen = read_pid_instance(folder.file("pid"));
  EXPECT_EQ(seen.state, State::Running);
  EXPECT_TRUE(seen.instance.starts_with(std::to_string(getpid()) + "-"));
  EXPECT_EQ(read_pid_instance(folder.file("pid")).instance, seen.instance);
}

TEST(PidInstance, OfAnEndedProcessIsStoppedAlreadyAsAZombie) {
  const TestFolder folder;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t ended{};
  waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
  folder.write("pid", std::to_string(child));
  EXPECT_EQ(read_pid_instance(folder.file("pid")).state, State::Stopped);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(read_pid_instance(folder.file("pid")).state, State::Stopped);
}

TEST_F(FakeProc, NoFileMeansStopped) {
  EXPECT_EQ(read().state, State::Stopped);
  EXPECT_EQ(read_pid_instance(folder.write("file", "") + "/pid").state, State::Stopped);
}

TEST_F(FakeProc, AFileWithoutANumberSaysNothing) {
  for (const char* text : {"", "\n", "x", "0", "-1", "17x", "17 18", "4194305", "99999999999999"}) {
    folder.write("pid", text);
    EXPECT_EQ(read().state, State::Unknown) << text;
    EXPECT_NE(read().failure, "");
  }
  folder.write("pid", std::string(5000, '1'));
  EXPECT_EQ(read().state, State::Unknown);
}

TEST_F(FakeProc, TheSameNumberWithAnotherStartIsAnotherInstance) {
  folder.write("pid", " 17 \nsecond line\n");
  process("17", 'S', "100");
  EXPECT_EQ(read().instance, "17-100");
  process("17", 'S', "200");
  EXPECT_EQ(read().instance, "17-200");
  process("17", 'X', "200");
  EXPECT_EQ(read().state, State::Stopped);
}

TEST_F(FakeProc, AFileThatIsBeingRewrittenIsNoNewsWhileTheProcessRuns) {
  folder.write("pid", "17");
  process("17", 'S', "100");
  const auto before = read();
  folder.write("pid", "");
  EXPECT_EQ(follow(before, read(), folder.file("proc")).instance, "17-100");
  process("17", 'S', "200");
  EXPECT_EQ(follow(before, read(), folder.file("proc")).state, State::Stopped)
      << "the process has ended: its number is another's";
  const PidInstance stopped{State::Stopped, {}, {}};
  EXPECT_EQ(follow(stopped, read(), folder.file("proc")).state, State::Stopped);
  EXPECT_EQ(follow(PidInstance{}, read(), folder.file("proc")).state, State::Unknown);
}

}  // namespace
}  // namespace sluice::agent
