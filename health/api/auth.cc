#include "health/api/auth.h"

#include <array>
#include <optional>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace sluice::health {
namespace {

using Digest = std::array<std::uint8_t, 32>;

// Nothing when OpenSSL has no SHA-256 (a broken installation): nobody gets in then.
std::optional<Digest> sha256(std::string_view octets) {
  Digest digest{};
  unsigned size = 0;
  if (EVP_Digest(octets.data(), octets.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 ||
      size != digest.size()) {
    return {};
  }
  return digest;
}

// What follows "Bearer " (RFC 6750 section 2.1; the scheme's case does not matter).
std::optional<std::string_view> bearer_token(std::string_view value) {
  constexpr std::string_view kScheme = "bearer ";
  if (value.size() <= kScheme.size()) return {};
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = value[i];
    if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != kScheme[i]) return {};
  }
  const std::string_view token = value.substr(kScheme.size());
  if (token.find_first_of(" \t,") != std::string_view::npos) return {};
  return token;
}

}  // namespace

base::Result<Identity, AuthFailure> identify(const HttpRequest& request, const Peer& peer,
                                             const std::vector<config::Token>& tokens) {
  if (peer.local) return Identity{peer.user, config::Role::Operator, "", peer.address};
  const std::string_view value = request.field("authorization");
  if (value.empty()) return base::Unexpected{AuthFailure::Missing};
  const auto token = bearer_token(value);
  if (!token) return base::Unexpected{AuthFailure::Malformed};
  const auto digest = sha256(*token);
  if (!digest) return base::Unexpected{AuthFailure::Unknown};
  const config::Token* found = nullptr;
  for (const config::Token& known : tokens) {
    if (CRYPTO_memcmp(known.sha256.data(), digest->data(), digest->size()) == 0) found = &known;
  }
  if (found == nullptr) return base::Unexpected{AuthFailure::Unknown};
  return Identity{found->name, found->role, found->server, peer.address};
}

bool allowed(Access access, config::Role role) noexcept {
  switch (access) {
    case Access::Anyone:
      return true;
    case Access::Reader:
      return role != config::Role::Agent;
    case Access::ReaderOrAgent:
      return true;
    case Access::Operator:
      return role == config::Role::Operator;
    case Access::Agent:
      return role == config::Role::Agent;
  }
  return false;
}

}  // namespace sluice::health
