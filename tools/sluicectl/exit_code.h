#pragma once

namespace sluice::ctl {

// What the program ends with (interfaces.md, "sluicectl"); scripts branch on it.
enum class Exit : int {
  Done = 0,
  Failed = 1,
  Usage = 2,
  Refused = 3,      // by a rule, which is named; for `ready`: not safe
  TimedOut = 4,     // of what the user asked for (--wait DURATION, --timeout)
  NoAuthority = 5,  // none answers, or it does not know or not allow us
  // 128 + the signal's number, as a shell has it.
  Interrupted = 130,
  Terminated = 143,
};

}  // namespace sluice::ctl
