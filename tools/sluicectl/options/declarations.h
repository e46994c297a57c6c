#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "tools/sluicectl/options/parsed.h"

namespace sluice::ctl {

// Declares the whole program: help, manual page and completion are made of this. `parsed` must
// outlive it, as below.
void declare_program(CLI::App& program, Parsed& parsed);

// Declares every command with its options; `parsed` must outlive the program.
void declare_commands(CLI::App& program, Parsed& parsed);

// Which command was typed; `program` has parsed one.
Command command_of(const CLI::App& program);

}  // namespace sluice::ctl
