#include "tools/command_line/patience.h"

#include <csignal>
#include <cstdlib>

#include <sys/time.h>
#include <unistd.h>

namespace sluice::command_line {
namespace {

// Of clang; g++, which has none, builds no sanitized tree.
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLUICE_IS_SANITIZED 1
#endif
#endif

// What a pause of a line editor may last before it feels broken. A sanitized program takes longer
// than that to start.
#ifdef SLUICE_IS_SANITIZED
constexpr itimerval kPatience{.it_interval = {}, .it_value = {.tv_sec = 10, .tv_usec = 0}};
#else
constexpr itimerval kPatience{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 400'000}};
#endif

}  // namespace

void end_when_impatient() {
  std::signal(SIGALRM, [](int) { _exit(EXIT_SUCCESS); });
  setitimer(ITIMER_REAL, &kPatience, nullptr);
}

}  // namespace sluice::command_line
