#include "tools/sluiced/attendant.h"

#include <cerrno>
#include <csignal>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

constexpr int kPassedOn[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};

// Of the attendant, whose only duty it is. Set before a handler may look.
volatile pid_t attended = 0;  // NOLINT(*-avoid-non-const-global-variables): a handler's

void pass_on(int number) {
  ::kill(attended, number);
}

[[noreturn]] void end_by(int number) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);  // the child has left one
  std::signal(number, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
  ::raise(number);
  _exit(128 + number);
}

[[noreturn]] void attend(pid_t child) {
  attended = child;
  for (const int number : kPassedOn) std::signal(number, pass_on);
  closefrom(STDERR_FILENO + 1);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) _exit(1);
  }
  if (WIFSIGNALED(status)) end_by(WTERMSIG(status));
  _exit(WEXITSTATUS(status));
}

}  // namespace

void leave_attendant() noexcept {
  const pid_t attendant = getpid();
  const pid_t child = fork();
  if (child > 0) attend(child);
  if (child < 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != attendant) _exit(1);  // it was killed before that
}

void outlive_attendant() noexcept {
  prctl(PR_SET_PDEATHSIG, 0);
}

}  // namespace sluice
