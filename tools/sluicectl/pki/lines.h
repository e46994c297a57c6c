#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/sluicectl/pki/maker.h"

namespace sluice::ctl::pki {

// What goes into configurations for a certificate; empty of an authority.
//   of a server   "tls: {certificate: FILE, key: FILE, client_ca: FILE}", for api of sluice.yaml
//   of others     "- {name: fe01, role: agent, server: ..., certificate: ...}", for api.tokens
// `token` is the token's name there.
std::string line_of(const Item& item, const Folder& folder, const std::string& token);

// Names for tokens, one for each item: of an agent its server's label where that is another's in
// no case, else the whole name.
std::vector<std::string> token_names(const std::vector<Item>& items);

// "good", "due", ...
std::string_view word_of(State state);

}  // namespace sluice::ctl::pki
