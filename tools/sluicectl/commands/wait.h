#pragma once

#include "tools/sluicectl/context.h"

namespace sluice::ctl {

// What a wait is for.
struct Goal {
  bool accepting = false;  // else: safe to take offline
  // A hold was just placed: a service without one will never be safe, somebody lifted it; and the
  // authority has been spoken to, so that a restart of it is bridged.
  bool placed = false;
  // What to do about responders that have not confirmed was said already.
  bool unconfirmed_told = false;
};

// Asks for the server until the goal is reached, the time of the options is over, or a signal
// comes; shows progress. With --json the server as last seen goes to stdout.
Exit wait_until(const Goal& goal, const Options& options, Context& context);

}  // namespace sluice::ctl
