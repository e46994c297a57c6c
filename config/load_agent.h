#pragma once

#include <string>
#include <vector>

#include "config/agent_model.h"
#include "config/base/error.h"
#include "config/base/result.h"

namespace sluice::config {

// Reads and checks the agent's configuration; all errors of the file at once, in line order.
// Neither the token file nor any of the commands need exist yet.
base::Result<AgentConfig, std::vector<base::Error>> load_agent(const std::string& file);

// The same for text that is at hand; `file_name` is for messages and for relative paths.
base::Result<AgentConfig, std::vector<base::Error>> load_agent_text(const std::string& text,
                                                                    const std::string& file_name);

}  // namespace sluice::config
