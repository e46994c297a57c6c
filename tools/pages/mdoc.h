#pragma once

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

// Declarations as mdoc(7) source, for the frames of manual pages (tools/pages/man).
namespace sluice::pages {

// Text that stands on a line of its own: no macro, no escape.
std::string escaped(std::string_view text);

// A help line as a sentence: "lift the hold" is "Lift the hold."
std::string sentence(std::string_view help);

// ".Nm PROGRAM", its options and COMMAND.
std::string synopsis(const CLI::App& program);
// A list of the options, each with its help; empty when there are none.
std::string option_list(const CLI::App& command);
// A list of the commands, each with its arguments, its help and its options.
std::string command_list(const CLI::App& program);

}  // namespace sluice::pages
