#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/error.h"

// The lines of a configuration file's page that machines read too:
//
//   @block dns.cookies      the mapping that the keys below stand in; nothing: the file itself
//   @key idle; duration 100ms..1h; 10s      name; what it takes; default
//
// In a path `[]` is each item of a list, NAME a key that the operator chooses. As a default stands
// a value as it is written in the file; or `required`, `none`; or in parentheses what it follows
// from: `(the host name)`. tests/tools/pages/keys_test.cc holds all of it against the loaders.
namespace sluice::pages {

struct Key {
  std::string path;   // "dns.cookies.secrets"
  std::string name;   // "secrets"
  std::string takes;  // "duration 100ms..1h"
  std::string otherwise;
  int line = 0;

  bool is_required() const { return otherwise == "required"; }
  // A value that a test can write in the file.
  bool has_value() const {
    return !is_required() && otherwise != "none" && !otherwise.starts_with('(');
  }
};

// The keys of a page, in its order; `file` is for messages.
base::Checked<std::vector<Key>> keys_of(std::string_view page, const std::string& file);

// One `@key` line without its first word, in a block of that path.
base::Checked<Key> read_key(std::string_view text, const std::string& block,
                            const base::Location& where);

}  // namespace sluice::pages
