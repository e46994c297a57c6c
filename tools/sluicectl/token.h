#pragma once

#include <string>
#include <vector>

#include "config/base/error.h"

namespace sluice::ctl {

// 32 octets of the kernel's randomness in hex: 256 bits, beyond guessing, safe in any header.
base::Checked<std::string> make_token();

// In lower-case hex.
std::string sha256_hex(const std::string& text);

// The line for `api.tokens` of the configuration; `server` empty: for no server; no `pools`: for
// all. Names are plain (letters, digits, - _ .).
std::string token_line(const std::string& name, const std::string& role, const std::string& server,
                       const std::vector<std::string>& pools, const std::string& sha256);

}  // namespace sluice::ctl
