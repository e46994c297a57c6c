#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/base/nearest.h"

// What was meant by a word of the command line that no program of ours knows.
namespace sluice {

// "there is no option --reson; did you mean \"--reason\"?", or of a command; empty: every word was
// known, and what CLI11 says tells more. `program` has failed to parse.
inline std::string unknown_word(const CLI::App& program) {
  const CLI::App* command = &program;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  const std::vector<std::string> rest = program.remaining(true);
  if (rest.empty()) return {};
  const std::string word = rest.front().substr(0, rest.front().find('='));
  std::vector<std::string> known;
  const bool option = word.size() > 1 && word.starts_with('-');
  if (option) {
    for (const CLI::App* app = command; app != nullptr; app = app->get_parent()) {
      for (const CLI::Option* each : app->get_options()) {
        for (const std::string& name : each->get_lnames()) known.push_back("--" + name);
      }
    }
  } else if (command->get_subcommands([](const CLI::App*) { return true; }).empty()) {
    // Not a command in place of another, but one word more than the command takes.
    return "'" + word + "' is one word too many";
  } else {
    for (const CLI::App* each : command->get_subcommands([](const CLI::App*) { return true; })) {
      known.push_back(each->get_name());
      for (const std::string& alias : each->get_aliases()) known.push_back(alias);
    }
  }
  const std::string what =
      option ? "there is no option " + word : "there is no command '" + word + "'";
  return what + base::did_you_mean(word, {known.begin(), known.end()});
}

}  // namespace sluice
