#include "dns/server/confinement.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/base/syscall_filter.h"

namespace sluice::dns {
namespace {

// What becomes of a process whose thread is confined and runs `body`: the exit status, or minus the
// signal that killed it.
template <class Body>
int fate_of(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    int result = 100;
    std::thread([&] {
      if (confine_worker()) result = body();
    }).join();
    _exit(result);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 1'000;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// 0, or the errno.
int outcome(long status) {
  return status < 0 ? errno : 0;
}

int map(int protection) {
  void* memory = mmap(nullptr, 4'096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? errno : 0;
}

class ConfinementTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!base::SyscallFilter::kPossible) GTEST_SKIP() << "a sanitizer build";
  }
};

TEST_F(ConfinementTest, AWorkerTakesAndFreesMemory) {
  EXPECT_EQ(fate_of([] {
              for (const std::size_t size :
                   {std::size_t{100}, std::size_t{100'000}, std::size_t{100'000'000}}) {
                std::string octets(size, 'x');
                octets.append(size, 'y');
              }
              return map(PROT_READ | PROT_WRITE);
            }),
            0);
}

TEST_F(ConfinementTest, AWorkerReadsAndWritesWhatIsOpen) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  EXPECT_EQ(fate_of([&] {
              char octet = 'a';
              if (send(ends[0], &octet, 1, 0) != 1) return 1;
              if (recv(ends[1], &octet, 1, 0) != 1) return 2;
              return close(ends[0]) == 0 ? 0 : 3;
            }),
            0);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(ConfinementTest, AWorkerEndsTheProcessByAnAssert) {
  EXPECT_EQ(fate_of([] {
              std::abort();
              return 0;
            }),
            -SIGABRT);
}

TEST_F(ConfinementTest, AWorkerOpensNoFile) {
  EXPECT_EQ(fate_of([] { return outcome(open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }), EPERM);
  EXPECT_EQ(fate_of([] { return outcome(unlink("/tmp/no-such-file")); }), EPERM);
}

TEST_F(ConfinementTest, AWorkerMakesNoConnection) {
  EXPECT_EQ(fate_of([] { return outcome(socket(AF_INET, SOCK_STREAM, 0)); }), EPERM);
  EXPECT_EQ(fate_of([] { return outcome(socket(AF_UNIX, SOCK_DGRAM, 0)); }), EPERM);
}

TEST_F(ConfinementTest, AWorkerSignalsNobodyElse) {
  EXPECT_EQ(fate_of([] { return outcome(kill(getppid(), 0)); }), EPERM);
  EXPECT_EQ(fate_of([] { return outcome(syscall(SYS_tgkill, getppid(), getppid(), 0)); }), EPERM);
}

TEST_F(ConfinementTest, AWorkerStartsNoProgram) {
  EXPECT_EQ(fate_of([] {
              std::array<char*, 1> none{nullptr};
              return outcome(execve("/bin/true", none.data(), none.data()));
            }),
            -SIGSYS);
  EXPECT_EQ(fate_of([] { return outcome(fork()); }), -SIGSYS);
  EXPECT_EQ(fate_of([] {
              std::thread([] {}).join();
              return 0;
            }),
            -SIGSYS);
}

TEST_F(ConfinementTest, AWorkerMakesNoMemoryExecutable) {
  EXPECT_EQ(fate_of([] { return map(PROT_READ | PROT_EXEC); }), -SIGSYS);
  EXPECT_EQ(fate_of([] { return map(PROT_READ | PROT_WRITE | PROT_EXEC); }), -SIGSYS);
  EXPECT_EQ(fate_of([] {
              void* memory =
                  mmap(nullptr, 4'096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return outcome(mprotect(memory, 4'096, PROT_READ | PROT_EXEC));
            }),
            -SIGSYS);
}

TEST_F(ConfinementTest, AWorkerTouchesNoOtherProcess) {
  EXPECT_EQ(fate_of([] { return outcome(ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr)); }),
            -SIGSYS);
}

TEST_F(ConfinementTest, OtherThreadsAreNotConfined) {
  const pid_t child = fork();
  if (child == 0) {
    std::thread([] { static_cast<void>(confine_worker()); }).join();
    _exit(outcome(open("/etc/passwd", O_RDONLY | O_CLOEXEC)));
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace sluice::dns
