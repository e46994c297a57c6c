#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace sluice {

// What may be typed behind `sluiced`.
struct CommandLine {
  std::string file = "/etc/sluice/sluice.yaml";
  bool only_check = false;
};

// Declares it; `line` must outlive the program. Help, manual page and completion are made of this.
void declare(CLI::App& program, CommandLine& line);

}  // namespace sluice
