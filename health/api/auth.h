#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"
#include "config/model.h"
#include "health/api/http_message.h"

// Who asks, and what they may.
namespace sluice::health {

struct Identity {
  std::string by;  // a token's name, or a local user's
  config::Role role = config::Role::Reader;
  std::string server;  // agents only
  std::string origin;  // where from
};

// What a route asks of its caller.
enum class Access : std::uint8_t {
  Anyone,
  Reader,         // operators too
  ReaderOrAgent,  // an agent sees its own server; whoever finds the server checks which it is
  Operator,
  Agent,  // of the server that it names, and nobody else
};

enum class AuthFailure : std::uint8_t { Missing, Unknown, Malformed };

// The configured tokens, found by their hashes: a pool's agents are thousands, and each pushes
// every two seconds. Immutable; any thread.
//
// How long a look-up takes may tell how far the hash of what was sent agrees with one that is
// configured. That is of no use to anybody: whoever wants the next octets to agree can't choose
// them (SHA-256), and a hash that is known in whole is still not its token.
class Tokens {
 public:
  explicit Tokens(std::vector<config::Token> tokens);

  // The token with this SHA-256, or null.
  const config::Token* find(const std::array<std::uint8_t, 32>& sha256) const noexcept;

 private:
  std::size_t first(const std::array<std::uint8_t, 32>& sha256) const noexcept;

  std::vector<config::Token> tokens_;
  std::vector<std::uint32_t> slots_;  // a power of two, half of them free; place + 1; 0: free
};

// On the unix socket the file's permissions have decided: its users are operators, whatever token
// they send.
base::Result<Identity, AuthFailure> identify(const HttpRequest& request, const Peer& peer,
                                             const Tokens& tokens);

bool allowed(Access access, config::Role role) noexcept;

}  // namespace sluice::health
