#pragma once

#include <string>
#include <vector>

namespace sluice::agent {

// Answers a shell's TAB (tools/command_line/completion.h) on stdout. The names of services are
// those of the configuration, or of the running agent where the user cannot read it. Says nothing
// of what goes wrong, and ends the process when it takes too long to be worth waiting for.
void print_completion(const std::vector<std::string>& words);

}  // namespace sluice::agent
