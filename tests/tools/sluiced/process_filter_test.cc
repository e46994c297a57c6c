#include "tools/sluiced/process_filter.h"

#include <array>
#include <cerrno>
#include <thread>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/base/syscall_filter.h"

namespace sluice {
namespace {

// What a process that is confined returns; minus the signal that killed it.
template <class Body>
int fate_of(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(confine_process() ? body() : 100);
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 1'000;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int map(int protection) {
  void* memory = mmap(nullptr, 4'096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? errno : 0;
}

class ProcessFilterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!base::SyscallFilter::kPossible) GTEST_SKIP() << "a sanitizer build";
  }
};

TEST_F(ProcessFilterTest, RefusesMemoryThatIsWritableAndExecutable) {
  EXPECT_EQ(fate_of([] { return map(PROT_READ | PROT_WRITE); }), 0);
  EXPECT_EQ(fate_of([] { return map(PROT_READ | PROT_WRITE | PROT_EXEC); }), EPERM);
}

TEST_F(ProcessFilterTest, RefusesToMakeMemoryExecutable) {
  EXPECT_EQ(fate_of([] {
              void* memory =
                  mmap(nullptr, 4'096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              if (mprotect(memory, 4'096, PROT_READ) != 0) return 101;
              return mprotect(memory, 4'096, PROT_READ | PROT_EXEC) == 0 ? 0 : errno;
            }),
            EPERM);
}

TEST_F(ProcessFilterTest, HoldsInAllThreads) {
  EXPECT_EQ(fate_of([] {
              int outcome = 0;
              std::thread([&] { outcome = map(PROT_WRITE | PROT_EXEC); }).join();
              return outcome;
            }),
            EPERM);
}

TEST_F(ProcessFilterTest, RefusesToLookIntoOtherProcesses) {
  EXPECT_EQ(
      fate_of([] { return ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr) == 0 ? 0 : errno; }),
      EPERM);
}

TEST_F(ProcessFilterTest, LetsLibrariesBeLoaded) {
  EXPECT_EQ(fate_of([] { return dlopen("libnss_compat.so.2", RTLD_NOW) != nullptr ? 0 : 101; }), 0);
}

// As a take-over does.
TEST_F(ProcessFilterTest, LetsProgramsBeStarted) {
  EXPECT_EQ(
      fate_of([] {
        std::array<char, 5> name{"true"};
        std::array<char*, 2> words{name.data(), nullptr};
        pid_t program = 0;
        if (posix_spawn(&program, "/bin/true", nullptr, nullptr, words.data(), environ) != 0) {
          return 101;
        }
        int status = 0;
        return waitpid(program, &status, 0) == program ? status : 102;
      }),
      0);
}

}  // namespace
}  // namespace sluice
