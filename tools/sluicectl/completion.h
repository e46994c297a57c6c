#pragma once

#include <string>
#include <vector>

#include "tools/command_line/completion.h"
#include "tools/sluicectl/api/api.h"
#include "tools/sluicectl/api/endpoint.h"

namespace sluice::ctl {

// Answers a shell's TAB (tools/command_line/completion.h) on stdout, asking the authority that the
// line names so far, else the environment's, for names. Says nothing of what goes wrong, and ends
// the process when it takes too long to be worth waiting for.
void print_completion(const std::vector<std::string>& words, const Connection& environment);

// The names that the authority knows for what the completion wants; none when it does not answer.
std::vector<command_line::Candidate> live_names(const command_line::Completion& completion,
                                                Api& api);

}  // namespace sluice::ctl
