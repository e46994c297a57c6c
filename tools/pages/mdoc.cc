#include "tools/pages/mdoc.h"

#include <cctype>
#include <set>
#include <utility>

#include "tools/command_line/value.h"

namespace sluice::pages {
namespace {

using command_line::Value;
using command_line::ValueKind;

// "Ar DURATION", "Cm manual | automatic"
std::string value_macro(const Value& value) {
  if (value.kind != ValueKind::Words || !value.shown.empty()) return "Ar " + value.shown;
  std::string text = "Cm";
  for (const std::string& word : value.words) text += (text == "Cm" ? " " : " | ") + word;
  return text;
}

// "Fl -startup Cm manual | automatic"
std::string option_macro(const CLI::Option& option) {
  std::string text = "Fl " + command_line::name_of(option).substr(1);
  if (!command_line::takes_value(option)) return text;
  const Value value = command_line::value_of(option);
  return text + (value.optional ? " Op " : " ") + value_macro(value);
}

bool is_for_everybody(const CLI::Option& option) {
  const std::string name = command_line::name_of(option);
  return name == "--help" || name == "--version";
}

std::string positional_macro(const CLI::Option& option) {
  const std::string macro = value_macro(command_line::value_of(option));
  return option.get_required() ? "." + macro : ".Op " + macro;
}

std::string arguments(const CLI::App& command) {
  std::string text;
  for (const CLI::Option* each : command_line::positionals(command)) {
    text += positional_macro(*each) + '\n';
  }
  for (const CLI::Option* each : command_line::options(command)) {
    if (is_for_everybody(*each)) continue;
    text += (each->get_required() ? "." : ".Op ") + option_macro(*each) + '\n';
  }
  return text;
}

// CLI11 writes a default behind the option; a value that says nothing in a page is left out.
std::string with_default(const CLI::Option& option) {
  std::string text = sentence(option.get_description());
  const std::string value = option.get_default_str();
  if (!value.empty()) text += "\nThe default is\n.Pa " + value + " .";
  return text;
}

// What the arguments are is said where they stand for the first time: SERVER is the same
// everywhere.
using Said = std::set<std::pair<std::string, std::string>>;

void append_command(const CLI::App& command, const std::string& path, Said& said,
                    std::string& out) {
  const std::string name = path + (path.empty() ? "" : " ") + command.get_name();
  const auto below = command_line::commands(command);
  const auto append_below = [&] {
    for (const CLI::App* each : below) append_command(*each, name, said, out);
  };
  if (!below.empty() && command.get_require_subcommand_min() > 0) return append_below();
  const std::string words = arguments(command);
  out += words.empty() ? ".It Cm " + name + '\n' : ".It Xo\n.Cm " + name + '\n' + words + ".Xc\n";
  out += sentence(command.get_description()) + '\n';
  for (const CLI::Option* each : command_line::positionals(command)) {
    const std::string argument = command_line::name_of(*each);
    const bool first = said.emplace(argument, each->get_description()).second;
    if (each->get_description().empty() || !first) continue;
    out += ".Pp\n.Ar " + argument + " :\n" + escaped(each->get_description());
    out += out.back() == '.' ? "\n" : ".\n";
  }
  out += option_list(command);
  append_below();  // it stands alone, too
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  bool first = true;  // of its line, where a dot or an apostrophe begins a macro
  for (const char c : text) {
    if (first && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == ' ' && !out.empty() && out.back() == '.') {
      out += '\n';  // mdoc(7): a new sentence is a new line
    } else {
      out += c;
    }
    first = out.back() == '\n';
  }
  return out;
}

std::string sentence(std::string_view help) {
  std::string text = escaped(help);
  if (text.empty()) return text;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  if (text.back() != '.' && text.back() != '?') text += '.';
  return text;
}

std::string synopsis(const CLI::App& program) {
  std::string text = ".Nm\n" + arguments(program);
  if (!command_line::commands(program).empty()) text += ".Ar COMMAND\n.Op Ar argument ...\n";
  return text;
}

std::string option_list(const CLI::App& command) {
  std::string items;
  for (const CLI::Option* each : command_line::options(command)) {
    if (is_for_everybody(*each) && command.get_parent() != nullptr) continue;
    items += ".It " + option_macro(*each) + '\n' + with_default(*each) + '\n';
  }
  if (items.empty()) return items;
  return ".Bl -tag -width Ds\n" + items + ".El\n";
}

std::string command_list(const CLI::App& program) {
  std::string items;
  Said said;
  for (const CLI::App* each : command_line::commands(program)) {
    append_command(*each, "", said, items);
  }
  return ".Bl -tag -width Ds\n" + items + ".El\n";
}

}  // namespace sluice::pages
