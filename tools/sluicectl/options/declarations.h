#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "tools/sluicectl/options/parsed.h"

namespace sluice::ctl {

// Declares every command with its options; `parsed` must outlive the program.
void declare_commands(CLI::App& program, Parsed& parsed);

// Which command was typed; `program` has parsed one.
Command command_of(const CLI::App& program);

}  // namespace sluice::ctl
