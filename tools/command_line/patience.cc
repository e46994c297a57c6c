#include "tools/command_line/patience.h"

#include <csignal>
#include <cstdlib>

#include <sys/time.h>
#include <unistd.h>

namespace sluice::command_line {
namespace {

// What a pause of a line editor may last before it feels broken.
constexpr suseconds_t kMicroseconds = 400'000;

}  // namespace

void end_when_impatient() {
  std::signal(SIGALRM, [](int) { _exit(EXIT_SUCCESS); });
  const itimerval once{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = kMicroseconds}};
  setitimer(ITIMER_REAL, &once, nullptr);
}

}  // namespace sluice::command_line
