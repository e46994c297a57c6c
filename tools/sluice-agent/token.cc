#include "tools/sluice-agent/token.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace sluice::agent {

base::Checked<std::string> read_token(const std::string& file) {
  constexpr std::size_t kMaxToken = 4096;
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return base::failure(file + ": " + std::strerror(errno));
  std::string token(kMaxToken + 2,
                    '\0');  // a token, a line's end, one more to see what is too long
  stream.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<std::size_t>(stream.gcount()));
  while (!token.empty() && std::string_view(" \t\r\n").find(token.back()) != std::string::npos) {
    token.pop_back();
  }
  if (token.empty()) return base::failure(file + ": holds no token");
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  if (token.size() > kMaxToken || !std::all_of(token.begin(), token.end(), visible)) {
    return base::failure(file + ": must hold one token of visible ASCII characters on one line");
  }
  return token;
}

}  // namespace sluice::agent
