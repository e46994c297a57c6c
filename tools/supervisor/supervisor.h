#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/base/clock.h"
#include "config/base/error.h"

namespace sluice {

// Who started the process and asked to be told how it is: systemd with Type=notify, or whoever else
// speaks sd_notify(3). Under nobody of that kind every call does nothing. One thread.
//
// The protocol is a datagram of NAME=VALUE lines, stable and open to everybody's own code, says
// that page. Ours never blocks: libsystemd's sends wait for room in the socket, and a supervisor
// that has stopped reading must not stop the authority's control thread. What finds no room is
// lost, as if it had not been said; main_process() alone waits.
class Supervisor {
 public:
  // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment.
  static Supervisor from_environment();
  // `socket`: a path, or "@NAME" (abstract); empty: nobody listens.
  Supervisor(std::string socket, std::optional<base::Duration> watchdog);
  ~Supervisor();
  Supervisor(Supervisor&& other) noexcept;
  Supervisor& operator=(Supervisor&&) = delete;

  bool listens() const noexcept { return fd_ >= 0; }
  // alive() must be called more often than this, or the process is killed; nothing: need not.
  std::optional<base::Duration> watchdog() const noexcept { return watchdog_; }

  // Each status is one line for `systemctl status`; line ends in it become blanks.
  void ready(std::string_view status);  // after the start, and after each reloading()
  void reloading(std::string_view status);
  void status(std::string_view status);
  void stopping(std::string_view status);
  void alive();
  // The service's main process is that one from now on, and speaks for it. Waits up to 3 s where
  // the supervisor is behind: who ends without it having heard ends the service.
  base::Checked<base::Done> main_process(int pid);

 private:
  void send(std::string text, std::string_view status) const;
  // 0, or the errno of a datagram that did not go out.
  int try_send(const std::string& datagram) const;

  std::string socket_;
  std::optional<base::Duration> watchdog_;
  int fd_ = -1;
};

}  // namespace sluice
