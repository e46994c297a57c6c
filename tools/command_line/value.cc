#include "tools/command_line/value.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <string_view>
#include <utility>

namespace sluice::command_line {
namespace {

// "{manual,automatic}", as CLI11 describes a set.
std::vector<std::string> set_of(const std::string& type_name) {
  const auto open = type_name.find('{');
  const auto close = type_name.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::istringstream text(type_name.substr(open + 1, close - open - 1));
  std::vector<std::string> words;
  for (std::string word; std::getline(text, word, ',');) words.push_back(word);
  // A set forgets the order in which it was written; the shown text has it.
  return words;
}

std::vector<std::string> alternatives(const std::string& text) {
  std::istringstream rest(text);
  std::vector<std::string> words;
  for (std::string word; std::getline(rest, word, '|');) words.push_back(word);
  return words;
}

std::string upper_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string long_name(const CLI::Option& option) {
  return option.get_lnames().empty() ? std::string() : option.get_lnames().front();
}

// CLI11's own words for types say nothing to a user: these options are called by what they are.
std::string shown_type(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  if (option.get_positional()) return upper_case(option.get_name(true));
  std::string own = type.substr(0, type.find(':'));
  if (own != "TEXT" && own != "UINT" && own != "INT" && !own.empty()) return own;
  const std::string name = long_name(option);
  if (name == "config") return "FILE";
  if (name == "socket") return "PATH";
  return name == "reason" ? "TEXT" : upper_case(name);
}

ValueKind kind_of(const CLI::Option& option, std::string_view shown) {
  // A token's --name is the user's own.
  if (shown == "NAME") return option.get_positional() ? ValueKind::OwnerName : ValueKind::Other;
  constexpr std::array<std::pair<std::string_view, ValueKind>, 9> kKinds{{
      {"FILE", ValueKind::File},
      {"FOLDER", ValueKind::File},
      {"PATH", ValueKind::File},
      {"SERVER", ValueKind::Server},
      {"FQDN", ValueKind::FullName},
      {"POOL", ValueKind::Pool},
      {"SERVICE", ValueKind::Service},
      {"ID", ValueKind::Schedule},
      {"RESPONDER", ValueKind::Responder},
  }};
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(),
                                   [&](const auto& each) { return each.first == shown; });
  return found == kKinds.end() ? ValueKind::Other : found->second;
}

bool is_shown(const CLI::Option* option) {
  return !option->get_group().empty();
}

}  // namespace

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0 || !option.get_option_text().empty();
}

Value value_of(const CLI::Option& option) {
  Value value;
  std::string text = option.get_option_text();
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    value.optional = true;
    text = text.substr(1, text.size() - 2);
  }
  const auto set = set_of(option.get_type_name());
  if (!set.empty()) {
    value.kind = ValueKind::Words;
    const auto in_order = alternatives(text);
    const bool same = std::ranges::is_permutation(in_order, set);
    value.words = same ? in_order : set;
    return value;
  }
  value.shown = text.empty() ? shown_type(option) : text;
  if (value.shown == "TYPE") {
    // What an answer set has; more is not asked for by this name.
    value.kind = ValueKind::Words;
    value.words = {"A", "AAAA", "SRV"};
    return value;
  }
  value.kind = kind_of(option, value.shown);
  return value;
}

std::string name_of(const CLI::Option& option) {
  if (option.get_positional()) return upper_case(option.get_name(true));
  return "--" + long_name(option);
}

std::vector<const CLI::Option*> positionals(const CLI::App& command) {
  return command.get_options(
      [](const CLI::Option* each) { return is_shown(each) && each->get_positional(); });
}

std::vector<const CLI::Option*> options(const CLI::App& command) {
  return command.get_options([](const CLI::Option* each) {
    return is_shown(each) && !each->get_positional() && !each->get_lnames().empty();
  });
}

std::vector<const CLI::App*> commands(const CLI::App& command) {
  return command.get_subcommands(
      [](const CLI::App* each) { return !each->get_group().empty() && !each->get_name().empty(); });
}

}  // namespace sluice::command_line
