#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"

// Whom a certificate is for, in the words of the command line.
namespace sluice::ctl::pki {

enum class Kind { Authority, Server, Agent, Operator, Reader };

// "server", as the command and the folder are called; of the authority "ca".
std::string_view word_of(Kind kind);

// A subject alternative name (RFC 5280 section 4.2.1.6).
struct AltName {
  enum class Type { Dns, Address, Mail };
  Type type = Type::Dns;
  std::string text;

  friend bool operator==(const AltName&, const AltName&) = default;
};

struct Holder {
  Kind kind = Kind::Server;
  std::string name;              // the common name, the file's name, and what `certificate:` says
  std::vector<AltName> names{};  // the first is `name`; none of an authority

  friend bool operator==(const Holder&, const Holder&) = default;
};

// The error says what would be right.
using CheckedHolder = base::Result<Holder, std::string>;

// NAME is a DNS name or an address, as the URLs of agents and sluicectl have it; so are the others.
CheckedHolder server_holder(std::string_view name, const std::vector<std::string>& others);
// The FQDN of a server of a pool.
CheckedHolder agent_holder(std::string_view server);
// A person or a program, by a name that a token may have: a DNS label such as anna, or a mail
// address.
CheckedHolder user_holder(Kind kind, std::string_view name);

}  // namespace sluice::ctl::pki
