#include "tools/sluicectl/interrupt.h"

#include <array>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace sluice::ctl {

Interrupt::Interrupt() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    const bool known = sigaction(signal, nullptr, &action) == 0;
    if (known && action.sa_handler != SIG_IGN) sigaddset(&wanted, signal);
  }
  sigset_t resized;
  sigemptyset(&resized);
  sigaddset(&resized, SIGWINCH);
  sigprocmask(SIG_BLOCK, &wanted, &before_);
  resized_ = signalfd(-1, &resized, SFD_CLOEXEC | SFD_NONBLOCK);
  if (resized_ >= 0) sigprocmask(SIG_BLOCK, &resized, nullptr);
  descriptor_ = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  // Without it (no descriptors left) the signals end the process, as they do elsewhere.
  if (descriptor_ < 0) sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Interrupt::~Interrupt() {
  if (descriptor_ >= 0) close(descriptor_);
  if (resized_ >= 0) close(resized_);
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool Interrupt::pending() const {
  pollfd watched{.fd = descriptor_, .events = POLLIN, .revents = 0};
  return poll(&watched, 1, 0) == 1;
}

std::optional<Exit> Interrupt::wait(base::Duration duration) {
  std::array<pollfd, 2> watched{{{.fd = descriptor_, .events = POLLIN, .revents = 0},
                                 {.fd = resized_, .events = POLLIN, .revents = 0}}};
  if (poll(watched.data(), watched.size(), static_cast<int>(duration.count())) < 1) return {};
  signalfd_siginfo taken{};
  if (watched[1].revents != 0) static_cast<void>(!read(resized_, &taken, sizeof taken));
  if (read(descriptor_, &taken, sizeof taken) != static_cast<ssize_t>(sizeof taken)) return {};
  return taken.ssi_signo == SIGTERM ? Exit::Terminated : Exit::Interrupted;
}

}  // namespace sluice::ctl
