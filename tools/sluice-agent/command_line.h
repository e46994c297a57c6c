#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace sluice::agent {

// What may be typed behind `sluice-agent COMMAND`. A text that was not given is empty.
struct Options {
  std::string config = "/etc/sluice/agent.yaml";
  std::string socket;
  std::string service;
  std::string startup;
  std::string reason;
  std::string timeout;
  bool force = false;
  bool json = false;
};

// Declares every command; `options` must outlive the program. Help, manual page and completion are
// made of this.
void declare(CLI::App& program, Options& options);

}  // namespace sluice::agent
