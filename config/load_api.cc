#include <algorithm>
#include <array>
#include <set>

#include "config/blocks.h"
#include "config/files.h"
#include "config/hex.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

using Sha256 = std::array<std::uint8_t, 32>;

// The tokens of the example configuration ("operations-token" and so on): everybody knows them.
constexpr std::array kExampleTokens{
    *parse_hex<32>("0bab5450ae8b03547eb2ebff2a550adeeb66743fb34e0eac1eff8ea1edac73ca"),
    *parse_hex<32>("1ff7f1e5d133b23a547985eb2958192d528902f21f7b5f2a6cd122226b17200d"),
    *parse_hex<32>("cd389ba6527a819a41872aaa4bdf8dfa969a84a519ce338ee144836cf0fed747"),
    *parse_hex<32>("f571b06369e50d769b13bce82e95d1e1f449ba4dafc0bedad2868d7edba85024"),
    *parse_hex<32>("0cde7d98c74874f856cb770e479fcce9628a57ddc4459ba6c2be9fecbbdebf5a")};

// What the entries of one list have in common.
struct TokenRules {
  bool only_loopback = true;                // of all listeners
  bool client_ca = false;                   // clients are asked for certificates
  std::map<Sha256, int> used;               // the line of each
  std::map<std::string, int> certificates;  // likewise; by kind and name
};

void read_sha256(const Value& value, TokenRules& rules, Sha256& out) {
  const auto text = value.text();
  if (!text) return;
  const auto hash = parse_hex<32>(*text);
  // Not shown: what stands here by mistake may be the token itself.
  if (!hash) return value.reject("must be the token's SHA-256, 64 hex digits; see sluicectl token");
  out = *hash;
  const auto [place, fresh] = rules.used.emplace(*hash, value.line());
  if (!fresh) value.reject("is the token of line " + std::to_string(place->second) + " too");
  if (!rules.only_loopback &&
      std::find(kExampleTokens.begin(), kExampleTokens.end(), *hash) != kExampleTokens.end()) {
    value.reject(
        "is a token of the example, which everybody knows: make one (sluicectl token) "
        "before api.listen has an address that is not loopback");
  }
}

void read_certificate(const Value& value, TokenRules& rules,
                      std::optional<base::SubjectName>& out) {
  const auto text = value.text();
  if (!text) return;
  const base::SubjectName name = base::subject_name(*text);
  // No wildcards: an entry is somebody.
  const bool visible = std::ranges::all_of(name.text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!visible || name.text.size() > 255 ||
      (name.kind == base::SubjectName::Kind::Dns && !check_dns_name(name.text))) {
    return value.reject(
        "must be a subject alternative name of the certificate: a DNS name, an e-mail address or a "
        "URI, is " +
        value.shown());
  }
  const auto [place, fresh] = rules.certificates.emplace(name.text, value.line());
  if (!fresh) {
    return value.reject("is the certificate of line " + std::to_string(place->second) + " too");
  }
  if (!rules.client_ca) {
    return value.reject(
        "needs api.tls.client_ca, a file with the certificates of who signs those of clients");
  }
  out = name;
}

// One of the two says how somebody proves who he is.
void read_proof(Mapping& block, TokenRules& rules, Token& out) {
  const auto certificate = block.find("certificate");
  if (!certificate) {
    const auto hash = block.require(
        "sha256", "of its token, 64 hex digits; see sluicectl token; or certificate: NAME");
    if (hash) read_sha256(*hash, rules, out.sha256);
    return;
  }
  if (const auto hash = block.find("sha256")) {
    hash->reject("is one way too many beside certificate: an entry has one of the two");
  }
  read_certificate(*certificate, rules, out.certificate);
}

void read_token_server(Mapping& block, Known& known, Token& out) {
  if (out.role != Role::Agent) {
    if (const auto server = block.find("server")) {
      server->reject("is for role agent alone: operators and readers see all servers");
    }
    return;
  }
  const auto server = block.require("server", "an agent speaks for one server, by its full name");
  if (!server) return;
  const auto name = read_name(*server, check_server_name);
  if (!name) return;
  out.server = *name;
  const auto* taken = known.owners.find(*name);
  if (taken == nullptr || taken->what != std::string_view("server")) {
    server->reject("no pool has a server " + *name + known.owners.hint(*name, "server"));
  }
}

void read_token_pools(Mapping& block, Known& known, Token& out) {
  const auto list = block.find("pools");
  if (!list) return;
  if (out.role != Role::Operator) {
    return list->reject("is for role operator alone: " +
                        std::string(out.role == Role::Agent ? "an agent speaks for one server"
                                                            : "readers see all pools"));
  }
  const std::size_t before = list->findings().size();
  list->each([&](const Value& item) {
    const auto name = read_name(item, check_dns_name);
    if (!name) return;
    const auto* taken = known.owners.find(*name);
    if (taken == nullptr || taken->what != std::string_view("pool")) {
      return item.reject("no pool is named " + *name + known.owners.hint(*name, "pool"));
    }
    if (std::find(out.pools.begin(), out.pools.end(), *name) != out.pools.end()) {
      return item.reject("names " + *name + " a second time");
    }
    out.pools.push_back(*name);
  });
  // None would mean all, which nobody who writes an empty list has in mind.
  if (out.pools.empty() && list->findings().size() == before) {
    list->reject("must name at least one pool; leave it out for an operator of all");
  }
}

Token read_token(const Value& value, Known& known, TokenRules& rules) {
  Mapping block(value);
  Token token;
  if (const auto name = block.require("name", "who it is, for the log")) {
    if (const auto text = read_name(*name, check_token_name)) {
      known.tokens.take(*name, *text, "token");
      token.name = *text;
    }
  }
  std::optional<std::size_t> role;
  if (const auto word = block.require("role", "reader, operator or agent")) {
    role = word->word({"reader", "operator", "agent"});
  }
  if (role) {
    token.role = static_cast<Role>(*role);
    read_token_server(block, known, token);
    read_token_pools(block, known, token);
  } else {
    block.find("server");  // right or not, the role says
    block.find("pools");
  }
  read_proof(block, rules, token);
  return token;
}

// Whether all of them are loopback. `has_tls`: right or not.
bool read_listen(const Value& list, Known& known, bool has_tls, Api& out) {
  bool only_loopback = true;
  const std::size_t before = list.findings().size();
  list.each([&](const Value& item) {
    const auto address = item.socket_address();
    if (!address) return;
    known.listen(item, *address);
    out.listen.push_back(*address);
    if (address->address.is_loopback()) return;
    only_loopback = false;
    if (has_tls) return;
    item.reject("must be a loopback address (127.0.0.1 or ::1), is " + address->to_string() +
                ": others need api.tls, such as tls: {certificate: api.crt, key: api.key}");
  });
  if (out.listen.empty() && list.findings().size() == before) {
    list.reject("must have at least one ADDRESS@PORT; leave it out to listen on the socket alone");
  }
  return only_loopback;
}

}  // namespace

void read_api(const Value& value, Known& known, Api& out) {
  Mapping block(value);
  TokenRules rules;
  const auto listen = block.find("listen");
  const auto tls = block.find("tls");
  if (listen) rules.only_loopback = read_listen(*listen, known, tls.has_value(), out);
  if (const auto socket = block.find("socket")) read_socket(*socket, known.folder, out.socket);
  if (tls) {
    read_tls(*tls, known, out.tls);
    // What is wrong with it is told; it does not make the tokens wrong, too.
    rules.client_ca = !out.tls || !out.tls->files.client_ca.empty();
    if (!listen)
      tls->reject("needs api.listen: the socket has no TLS, its file's permissions decide");
  }
  if (const auto most = block.find("connections_per_address")) {
    if (const auto number = most->number(1, 1'000'000)) {
      out.connections_per_address = static_cast<unsigned>(*number);
    }
  }
  if (const auto list = block.find("tokens")) {
    if (!listen && list->kind() != Document::Kind::Null) {
      list->reject(
          "need api.listen, where they are shown; on the socket the file's permissions decide");
    }
    list->each([&](const Value& item) { out.tokens.push_back(read_token(item, known, rules)); });
  }
}

}  // namespace sluice::config
