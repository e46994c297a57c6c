#include "tools/pages/keys.h"

#include <sstream>

namespace sluice::pages {
namespace {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

}  // namespace

base::Checked<Key> read_key(std::string_view text, const std::string& block,
                            const base::Location& where) {
  std::vector<std::string> fields;
  std::istringstream rest{std::string(text)};
  for (std::string field; std::getline(rest, field, ';');) fields.push_back(trimmed(field));
  if (fields.size() != 3 || fields[0].empty() || fields[1].empty() || fields[2].empty()) {
    return base::Unexpected{base::Error{
        where, block, "must be @key NAME; WHAT IT TAKES; DEFAULT, is" + std::string(text)}};
  }
  return Key{.path = block.empty() ? fields[0] : block + '.' + fields[0],
             .name = fields[0],
             .takes = fields[1],
             .otherwise = fields[2],
             .line = where.line};
}

base::Checked<std::vector<Key>> keys_of(std::string_view page, const std::string& file) {
  std::vector<Key> keys;
  std::istringstream lines{std::string(page)};
  std::string block;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with("@block")) block = trimmed(std::string_view(line).substr(6));
    if (!line.starts_with("@key ")) continue;
    auto key = read_key(std::string_view(line).substr(4), block, {file, number});
    if (!key) return base::Unexpected{key.error()};
    keys.push_back(*std::move(key));
  }
  return keys;
}

}  // namespace sluice::pages
