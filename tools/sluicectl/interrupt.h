#pragma once

#include <csignal>
#include <optional>

#include "config/base/clock.h"
#include "tools/sluicectl/exit_code.h"

namespace sluice::ctl {

// SIGINT and SIGTERM as something to ask for, in place of the end of the process: a wait ends with
// words about the hold that stays. A signal that our parent had ignored (nohup, a shell's `&`)
// stays ignored. One at a time, made before other threads are.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // A signal has come and was not taken yet.
  bool pending() const;

  // Waits so long, or until a signal comes: takes it and says what to exit with. Ends early, with
  // nothing, when the terminal's size changes.
  std::optional<Exit> wait(base::Duration duration);

 private:
  sigset_t before_{};
  int descriptor_ = -1;
  int resized_ = -1;  // SIGWINCH, apart: it breaks nothing off
};

}  // namespace sluice::ctl
