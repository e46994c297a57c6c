#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
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
  // What it was known by, one of both; of a local user neither.
  std::optional<std::array<std::uint8_t, 32>> sha256 = std::nullopt;
  std::optional<base::SubjectName> certificate = std::nullopt;  // the entry's name of it

  bool is_local() const noexcept { return !sha256 && !certificate; }
};

// What a route asks of its caller.
enum class Access : std::uint8_t {
  Anyone,
  Reader,         // operators too
  ReaderOrAgent,  // an agent sees its own server; whoever finds the server checks which it is
  Operator,       // who is limited to pools, on their servers alone
  OperatorOfAll,  // one that is limited to pools may not
  Agent,          // of the server that it names, and nobody else
};

enum class AuthFailure : std::uint8_t {
  Missing,
  Unknown,
  Malformed,
  CertificateUnlisted,   // none of its names is an entry's
  CertificateAmbiguous,  // its names are those of several entries
  CertificateExpired,    // since the connection began
  Limited,               // too many from there have failed: not looked at
};
inline constexpr std::size_t kAuthFailures = 7;
const char* to_string(AuthFailure failure) noexcept;  // "missing", ...

// The configured tokens, found by their hashes: a pool's agents are thousands, and each pushes
// every two seconds. Immutable; any thread.
//
// How long a look-up takes may tell how far the hash of what was sent agrees with one that is
// configured. That is of no use to anybody: whoever wants the next octets to agree can't choose
// them (SHA-256), and a hash that is known in whole is still not its token.
class Tokens {
 public:
  explicit Tokens(std::vector<config::Token> tokens);

  // names_ are views of tokens_, whose elements stay where they are when it is moved.
  Tokens(Tokens&&) = default;
  Tokens(const Tokens&) = delete;
  Tokens& operator=(const Tokens&) = delete;

  // The token with this SHA-256, or null.
  const config::Token* find(const std::array<std::uint8_t, 32>& sha256) const noexcept;
  // The entry of the verified certificate with these names.
  base::Result<const config::Token*, AuthFailure> find(
      const std::vector<base::SubjectName>& names) const;

  // The token by which `who` was let in, as it is here; null when it is no more, is another, or is
  // for something else. Its pools may have changed. Not for local users.
  const config::Token* current(const Identity& who) const noexcept;

 private:
  std::size_t first(const std::array<std::uint8_t, 32>& sha256) const noexcept;

  std::vector<config::Token> tokens_;
  std::unordered_map<std::string, std::uint32_t> certificates_;  // by kind and name
  std::vector<std::uint32_t> slots_;  // a power of two, half of them free; place + 1; 0: free
  std::unordered_map<std::string_view, std::uint32_t> names_;  // places
};

// On the unix socket the file's permissions have decided: its users are operators, whatever token
// they send. Over TCP the Authorization field says who asks, and where there is none the
// certificate; that was verified when the connection began, and may have come to its end since.
base::Result<Identity, AuthFailure> identify(const HttpRequest& request, const Peer& peer,
                                             const Tokens& tokens, base::WallTime now);

// Whether a route may be asked at all. `limited`: an operator of some pools; which server it is,
// whoever finds the server checks (permission.h).
bool allowed(Access access, config::Role role, bool limited) noexcept;

}  // namespace sluice::health
