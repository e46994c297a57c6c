#pragma once

#include <string>

#include "config/base/error.h"

namespace sluice::agent {

// The token of the agent, as the file has it without blanks at its end; visible ASCII, at most
// 4,096 octets (it becomes a line of a header). The file is read at the start and again after each
// 401, so that a token can be replaced under a running agent. While it cannot be read nothing is
// pushed: the agent logs it and tries again with each push that is due.
base::Checked<std::string> read_token(const std::string& file);

}  // namespace sluice::agent
