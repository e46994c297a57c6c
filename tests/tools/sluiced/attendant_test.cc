#include "tools/sluiced/attendant.h"

#include <array>
#include <csignal>
#include <functional>

#include "gtest/gtest.h"
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

// An attendant, and its child, which this process inherits when the attendant is gone.
class AttendantTest : public testing::Test {
 protected:
  AttendantTest() { prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~AttendantTest() override { prctl(PR_SET_CHILD_SUBREAPER, 0); }

  // Returns once the child is about to do that.
  void start(const std::function<void()>& child) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    attendant_ = fork();
    if (attendant_ == 0) {
      close(ends[0]);
      leave_attendant();
      const pid_t self = getpid();
      if (write(ends[1], &self, sizeof self) != sizeof self) _exit(99);
      close(ends[1]);
      child();
      _exit(98);
    }
    close(ends[1]);
    ASSERT_EQ(read(ends[0], &child_, sizeof child_), static_cast<ssize_t>(sizeof child_));
    close(ends[0]);
  }

  static int end_of(pid_t pid) {
    int status = -1;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return status;
  }

  pid_t attendant_ = 0;
  pid_t child_ = 0;
};

[[noreturn]] void wait_for_ever() {
  while (true) pause();
}

TEST_F(AttendantTest, EndsAsTheChildEnds) {
  start([] { _exit(7); });
  int status = end_of(attendant_);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  start(wait_for_ever);
  EXPECT_NE(child_, attendant_);
  kill(child_, SIGKILL);
  status = end_of(attendant_);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(AttendantTest, PassesSignalsOn) {
  start(wait_for_ever);
  kill(attendant_, SIGTERM);
  const int status = end_of(attendant_);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(AttendantTest, ItsDeathIsTheChilds) {
  start(wait_for_ever);
  kill(attendant_, SIGKILL);
  end_of(attendant_);
  const int status = end_of(child_);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(AttendantTest, IsOutlivedByWhoSaysSo) {
  std::array<int, 2> said{};
  ASSERT_EQ(pipe(said.data()), 0);
  start([&] {
    outlive_attendant();
    if (write(said[1], "x", 1) != 1) _exit(99);
    wait_for_ever();
  });
  char octet = 0;
  ASSERT_EQ(read(said[0], &octet, 1), 1);
  close(said[0]);
  close(said[1]);
  kill(attendant_, SIGKILL);
  end_of(attendant_);
  // A child of this process now, which another signal ends than that which it was spared.
  kill(child_, SIGTERM);
  EXPECT_EQ(WTERMSIG(end_of(child_)), SIGTERM);
}

}  // namespace
}  // namespace sluice
