#pragma once

#include "config/agent_model.h"

namespace sluice::agent {

// Runs the agent until SIGTERM, SIGINT or SIGHUP; returns the exit code of the program. Commands
// that still run are killed with their process groups; hooks are not run at the end, since the
// service goes on without its agent.
int run(const config::AgentConfig& config);

}  // namespace sluice::agent
