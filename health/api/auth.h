#pragma once

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

// `tokens` are compared all, in a time that tells nothing about them. On the unix socket the file's
// permissions have decided: its users are operators, whatever token they send.
base::Result<Identity, AuthFailure> identify(const HttpRequest& request, const Peer& peer,
                                             const std::vector<config::Token>& tokens);

bool allowed(Access access, config::Role role) noexcept;

}  // namespace sluice::health
