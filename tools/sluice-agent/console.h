#pragma once

#include <string>

#include "config/base/error.h"
#include "tools/sluice-agent/control_protocol.h"

namespace sluice::agent {

// The other side of the control socket: `sluice-agent pause|resume|status`.

// Asks the agent that listens on `path` and waits for its answer. An agent that cannot be reached
// is an answer too, of exit NoAuthority; one that is silent, of exit TimedOut.
ControlAnswer ask_agent(const std::string& path, const ControlRequest& request);

// The status document of an agent as a page for people.
std::string render_status(const nlohmann::json& status);

}  // namespace sluice::agent
