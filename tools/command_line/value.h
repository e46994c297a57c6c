#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

// What the declaration of an option says about its value: for manual pages and for completion.
namespace sluice::command_line {

// Where the words that may stand in a value's place are known.
enum class ValueKind : std::uint8_t {
  Words,     // the declaration lists them
  File,      // the file system
  Server,    // the authority, as all that follow: a server's FQDN, or its label
  FullName,  // a server's FQDN
  Pool,
  Service,
  OwnerName,  // of an answer set
  Schedule,   // its number
  Responder,  // of the cluster
  Other,      // nobody: a duration, a sentence
};

struct Value {
  std::string shown;  // "DURATION"; of words: empty, they speak for themselves
  ValueKind kind = ValueKind::Other;
  std::vector<std::string> words{};  // of kind Words
  bool optional = false;             // the option may stand alone
};

// Whether a value follows the option, or may.
bool takes_value(const CLI::Option& option);

// Of an option that takes one, or of a positional.
Value value_of(const CLI::Option& option);

// "--json", "SERVER": what it is called.
std::string name_of(const CLI::Option& option);

// The options of a command that help shows, in the order of their declaration.
std::vector<const CLI::Option*> positionals(const CLI::App& command);
std::vector<const CLI::Option*> options(const CLI::App& command);
// The commands below it, in the order of their declaration.
std::vector<const CLI::App*> commands(const CLI::App& command);

}  // namespace sluice::command_line
