#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "config/base/clock.h"

namespace sluice::ctl::rolling {

// How far a server has come. The order is that in which it goes.
enum class Phase : std::uint8_t {
  Waiting,    // for its turn; it has no hold of ours
  Draining,   // the drain is to be asked for, or was, and nobody knows yet whether it is in force
  Leaving,    // held by us, until it is safe to take offline
  Running,    // the command
  Resuming,   // the command is done: the hold is to be lifted, or may be already
  Returning,  // lifted, until it accepts
  Soaking,    // accepts, and has to for a while
  Done,
  Skipped,  // was not ready when its turn came
};

struct Lane {
  std::string server;  // FQDN
  std::string domain;  // empty: none
  std::size_t group = 0;
  Phase phase = Phase::Waiting;
  bool stopped = false;                      // it goes no further, see trouble
  bool put_back = false;                     // Resuming though the command never ran: others failed
  std::string trouble;                       // why it stopped or was skipped
  std::string waits_for;                     // as last seen
  std::string waits_brief;                   // as last seen, for a narrow terminal
  std::string waits_mark;                    // the same without countdowns
  std::optional<base::WallTime> hold_since;  // of our hold, once seen

  base::MonoTime since{};        // the beginning of this phase; soaking: of Returning
  base::MonoTime soaks_since{};  // the last time that it began to accept
  std::optional<base::Duration> drained_in;
  std::optional<int> command;  // its exit status; 128 + the signal's number
  std::optional<base::Duration> command_took;
  std::optional<base::Duration> accepting_after;

  bool active() const {
    return !stopped && phase != Phase::Waiting && phase != Phase::Done && phase != Phase::Skipped;
  }
  // A hold of ours is on it, or may be.
  bool held() const { return phase >= Phase::Draining && phase <= Phase::Resuming; }
};

inline base::Duration passed(base::MonoTime since, base::Now now) {
  return std::chrono::duration_cast<base::Duration>(now.mono - since);
}

}  // namespace sluice::ctl::rolling
