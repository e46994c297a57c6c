#include "tools/sluicectl/pki/names.h"

#include <algorithm>
#include <utility>

#include "config/base/address.h"
#include "config/names.h"

namespace sluice::ctl::pki {
namespace {

base::Result<AltName, std::string> host_name(std::string_view text) {
  if (const auto address = base::IpAddress::parse(text)) {
    return AltName{AltName::Type::Address, address->to_string()};
  }
  auto name = config::check_dns_name(text);
  if (!name) return base::Unexpected{std::move(name).error()};
  return AltName{AltName::Type::Dns, *std::move(name)};
}

}  // namespace

std::string_view word_of(Kind kind) {
  switch (kind) {
    case Kind::Authority:
      return "ca";
    case Kind::Server:
      return "server";
    case Kind::Agent:
      return "agent";
    case Kind::Operator:
      return "operator";
    case Kind::Reader:
      return "reader";
  }
  return "";
}

CheckedHolder server_holder(std::string_view name, const std::vector<std::string>& others) {
  auto first = host_name(name);
  if (!first) return base::Unexpected{std::move(first).error()};
  Holder holder{.kind = Kind::Server, .name = first->text, .names = {*first}};
  for (const std::string& other : others) {
    auto also = host_name(other);
    if (!also) return base::Unexpected{std::move(also).error()};
    if (std::ranges::find(holder.names, *also) == holder.names.end()) {
      holder.names.push_back(*std::move(also));
    }
  }
  return holder;
}

CheckedHolder agent_holder(std::string_view server) {
  auto name = config::check_server_name(server);
  if (!name) return base::Unexpected{std::move(name).error()};
  return Holder{.kind = Kind::Agent, .name = *name, .names = {AltName{AltName::Type::Dns, *name}}};
}

CheckedHolder user_holder(Kind kind, std::string_view name) {
  auto token = config::check_token_name(name);
  if (!token) return base::Unexpected{std::move(token).error()};
  const auto at = name.rfind('@');
  const auto domain =
      config::check_dns_name(at == std::string_view::npos ? name : name.substr(at + 1));
  if (!domain) {
    return base::Unexpected{"must be a name such as anna, or a mail address: " + domain.error()};
  }
  if (at == std::string_view::npos) {
    return Holder{.kind = kind, .name = *domain, .names = {AltName{AltName::Type::Dns, *domain}}};
  }
  // A second @ would have to be quoted, and a file must not begin with a dot.
  const std::string_view local = name.substr(0, at);
  if (local.empty() || local.starts_with('.') || local.find('@') != std::string_view::npos) {
    return base::Unexpected{"must be a name such as anna, or a mail address, is " +
                            config::printable(name)};
  }
  return Holder{.kind = kind, .name = *token, .names = {AltName{AltName::Type::Mail, *token}}};
}

}  // namespace sluice::ctl::pki
