#include "config/base/syscall_filter.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::base {
namespace {

using Action = SyscallFilter::Action;

// What becomes of a process that runs `body`: its exit status, or minus the signal that killed it.
template <class Body>
int fate_of(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 1'000;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// 0, or the errno.
int make_pipe() {
  std::array<int, 2> ends{};
  return pipe(ends.data()) == 0 ? 0 : errno;
}

int filters() {
  std::ifstream status("/proc/self/status");
  std::string word;
  int count = 0;
  while (status >> word) {
    if (word == "Seccomp_filters:") status >> count;
  }
  return count;
}

class SyscallFilterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!SyscallFilter::kPossible) GTEST_SKIP() << "a sanitizer build";
  }
};

TEST_F(SyscallFilterTest, RefusesWhatARuleNames) {
  EXPECT_EQ(fate_of([] {
              SyscallFilter filter(Action::Allow);
              filter.rule(Action::Refuse, {"pipe", "pipe2"});
              return filter.install() ? make_pipe() : 100;
            }),
            EPERM);
}

TEST_F(SyscallFilterTest, KillsForWhatARuleNames) {
  EXPECT_EQ(fate_of([] {
              SyscallFilter filter(Action::Allow);
              filter.rule(Action::Kill, {"pipe", "pipe2"});
              return filter.install() ? make_pipe() : 100;
            }),
            -SIGSYS);
}

TEST_F(SyscallFilterTest, DoesOtherwiseWithTheRest) {
  const auto with = [](Action otherwise) {
    SyscallFilter filter(otherwise);
    filter.rule(Action::Allow, {"exit_group"});
    return filter.install() ? make_pipe() : 100;
  };
  EXPECT_EQ(fate_of([&] { return with(Action::Refuse); }), EPERM);
  EXPECT_EQ(fate_of([&] { return with(Action::Kill); }), -SIGSYS);
  EXPECT_EQ(fate_of([&] { return with(Action::Allow); }), 0);
}

TEST_F(SyscallFilterTest, LooksAtTheBitsOfAnArgument) {
  const auto map = [](int protection) {
    SyscallFilter filter(Action::Allow);
    constexpr std::uint64_t kBoth = PROT_WRITE | PROT_EXEC;
    filter.rule(Action::Refuse, {"mmap"}, {2, kBoth, kBoth});
    if (!filter.install()) return 100;
    void* memory = mmap(nullptr, 4'096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? errno : 0;
  };
  EXPECT_EQ(fate_of([&] { return map(PROT_READ | PROT_WRITE); }), 0);
  EXPECT_EQ(fate_of([&] { return map(PROT_READ | PROT_EXEC); }), 0);
  EXPECT_EQ(fate_of([&] { return map(PROT_READ | PROT_WRITE | PROT_EXEC); }), EPERM);
}

TEST_F(SyscallFilterTest, HoldsForTheThreadAndThoseThatItStartsThen) {
  EXPECT_EQ(fate_of([] {
              int inside = 0;
              int below = 0;
              std::thread([&] {
                SyscallFilter filter(Action::Allow);
                filter.rule(Action::Refuse, {"pipe", "pipe2"});
                if (!filter.install()) return;
                inside = make_pipe();
                std::thread([&] { below = make_pipe(); }).join();
              }).join();
              const int beside = make_pipe();
              return beside == 0 && inside == EPERM && below == EPERM ? 0 : 1;
            }),
            0);
}

TEST_F(SyscallFilterTest, SetsNoNewPrivileges) {
  EXPECT_EQ(fate_of([] {
              SyscallFilter filter(Action::Allow);
              if (!filter.install()) return 100;
              return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
            }),
            1);
}

TEST_F(SyscallFilterTest, IsInstalledOnce) {
  EXPECT_EQ(fate_of([] {
              const int before = filters();
              const auto install = [](std::string_view call) {
                SyscallFilter filter(Action::Allow);
                filter.rule(Action::Refuse, {call});
                return filter.install_once().has_value();
              };
              if (!install("pipe2") || !install("pipe2")) return 100;
              const int same = filters() - before;
              if (!install("ptrace")) return 101;
              return same * 10 + filters() - before;
            }),
            12);
}

}  // namespace
}  // namespace sluice::base
