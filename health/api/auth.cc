#include "health/api/auth.h"

#include <cstring>
#include <optional>

#include <openssl/crypto.h>

#include "config/base/octet_scan.h"
#include "config/base/openssl.h"

namespace sluice::health {
namespace {

using Digest = std::array<std::uint8_t, 32>;

// Nothing when OpenSSL has no SHA-256 (a broken installation): nobody gets in then. What OpenSSL
// needs to find and allocate is kept by the thread: it costs three times the hash.
std::optional<Digest> sha256(std::string_view octets) {
  thread_local const base::OpenSslOwner<EVP_MD> kSha256(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  thread_local const base::OpenSslOwner<EVP_MD_CTX> context(EVP_MD_CTX_new());
  Digest digest{};
  unsigned size = 0;
  if (!kSha256 || !context || EVP_DigestInit_ex2(context.get(), kSha256.get(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), octets.data(), octets.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1 || size != digest.size()) {
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
  const std::size_t end = base::first_octet(token, [](std::uint64_t word) {
    return base::octet_equal(word, ' ') | base::octet_equal(word, '\t') |
           base::octet_equal(word, ',');
  });
  if (end != token.size()) return {};
  return token;
}

// A name of one kind never stands for one of another.
std::string key_of(const base::SubjectName& name) {
  return std::to_string(static_cast<int>(name.kind)) + ' ' + name.text;
}

}  // namespace

Tokens::Tokens(std::vector<config::Token> tokens) : tokens_(std::move(tokens)) {
  std::size_t slots = 2;
  while (slots < 2 * tokens_.size()) slots *= 2;
  slots_.resize(slots);
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].certificate) {
      certificates_.emplace(key_of(*tokens_[i].certificate), static_cast<std::uint32_t>(i));
    }
    // Without a hash there is no token that could be sent.
    if (tokens_[i].sha256 == Digest{}) continue;
    std::size_t at = first(tokens_[i].sha256);
    while (slots_[at] != 0) at = (at + 1) & (slots - 1);
    slots_[at] = static_cast<std::uint32_t>(i + 1);
  }
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    names_.emplace(tokens_[i].name, static_cast<std::uint32_t>(i));
  }
}

const config::Token* Tokens::current(const Identity& who) const noexcept {
  const auto found = names_.find(who.by);
  if (found == names_.end() || who.is_local()) return nullptr;
  const config::Token& token = tokens_[found->second];
  if (token.role != who.role || token.server != who.server) return nullptr;
  const bool same =
      who.sha256 ? CRYPTO_memcmp(token.sha256.data(), who.sha256->data(), who.sha256->size()) == 0
                 : token.certificate == who.certificate;
  return same ? &token : nullptr;
}

const config::Token* Tokens::find(const Digest& sha256) const noexcept {
  for (std::size_t at = first(sha256); slots_[at] != 0; at = (at + 1) & (slots_.size() - 1)) {
    const config::Token& token = tokens_[slots_[at] - 1];
    if (CRYPTO_memcmp(token.sha256.data(), sha256.data(), sha256.size()) == 0) return &token;
  }
  return nullptr;
}

base::Result<const config::Token*, AuthFailure> Tokens::find(
    const std::vector<base::SubjectName>& names) const {
  const config::Token* only = nullptr;
  for (const base::SubjectName& name : names) {
    const auto found = certificates_.find(key_of(name));
    if (found == certificates_.end()) continue;
    const config::Token* token = &tokens_[found->second];
    if (only != nullptr && only != token)
      return base::Unexpected{AuthFailure::CertificateAmbiguous};
    only = token;
  }
  if (only == nullptr) return base::Unexpected{AuthFailure::CertificateUnlisted};
  return only;
}

// A hash is as good as random: its first octets spread by themselves.
std::size_t Tokens::first(const Digest& sha256) const noexcept {
  std::uint64_t octets = 0;
  std::memcpy(&octets, sha256.data(), sizeof octets);
  return octets & (slots_.size() - 1);
}

namespace {

base::Result<Identity, AuthFailure> identify_by_certificate(const Peer& peer, const Tokens& tokens,
                                                            base::WallTime now) {
  if (!peer.certificate) return base::Unexpected{AuthFailure::Missing};
  if (peer.certificate->not_after <= now) return base::Unexpected{AuthFailure::CertificateExpired};
  const auto found = tokens.find(peer.certificate->names);
  if (!found) return base::Unexpected{found.error()};
  return Identity{(*found)->name, (*found)->role, (*found)->server,
                  peer.address,   std::nullopt,   (*found)->certificate};
}

}  // namespace

base::Result<Identity, AuthFailure> identify(const HttpRequest& request, const Peer& peer,
                                             const Tokens& tokens, base::WallTime now) {
  if (peer.local) return Identity{peer.user, config::Role::Operator, "", peer.address};
  const std::string_view value = request.field("authorization");
  if (value.empty()) return identify_by_certificate(peer, tokens, now);
  const auto token = bearer_token(value);
  if (!token) return base::Unexpected{AuthFailure::Malformed};
  const auto digest = sha256(*token);
  if (!digest) return base::Unexpected{AuthFailure::Unknown};
  const config::Token* found = tokens.find(*digest);
  if (found == nullptr) return base::Unexpected{AuthFailure::Unknown};
  return Identity{found->name, found->role, found->server, peer.address, *digest};
}

const char* to_string(AuthFailure failure) noexcept {
  switch (failure) {
    case AuthFailure::Missing:
      return "missing";
    case AuthFailure::Unknown:
      return "unknown";
    case AuthFailure::Malformed:
      return "malformed";
    case AuthFailure::CertificateUnlisted:
      return "certificate_unlisted";
    case AuthFailure::CertificateAmbiguous:
      return "certificate_ambiguous";
    case AuthFailure::CertificateExpired:
      return "certificate_expired";
    case AuthFailure::Limited:
      return "limited";
  }
  return "";
}

bool allowed(Access access, config::Role role, bool limited) noexcept {
  switch (access) {
    case Access::Anyone:
      return true;
    case Access::Reader:
      return role != config::Role::Agent;
    case Access::ReaderOrAgent:
      return true;
    case Access::Operator:
      return role == config::Role::Operator;
    case Access::OperatorOfAll:
      return role == config::Role::Operator && !limited;
    case Access::Agent:
      return role == config::Role::Agent;
  }
  return false;
}

}  // namespace sluice::health
