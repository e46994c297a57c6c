// The lists of a pool: servers, srv, features.

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "config/blocks.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

// Takes the owner name of an answer set.
bool take_owner(const Value& at, const std::string& name, Known& known, const Pool& pool,
                const char* what) {
  if (pool.fqdn.empty()) return true;  // an error by itself
  const std::string owner = name + '.' + pool.fqdn;
  if (owner.size() > kMaxName) {
    at.reject("with the pool's name it has " + std::to_string(owner.size()) +
              " octets; a DNS name has at most 253");
    return false;
  }
  return known.owners.take(at, owner, what);
}

bool contains(std::span<const std::string> words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string listed(const base::SharedList<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void read_server_services(const Value& value, const PoolServices& of_pool, Server& out) {
  std::vector<std::string> services;
  const std::size_t before = value.findings().size();
  value.each([&](const Value& item) {
    const auto name = read_name(item, check_label);
    if (!name) return;
    if (of_pool.complete && !contains(of_pool.names, *name)) {
      return item.reject("the pool names no service " + *name + "; it names " +
                         listed(of_pool.names));
    }
    if (contains(services, *name)) {
      return item.reject(*name + " stands here twice");
    }
    services.push_back(*name);
  });
  out.services = std::move(services);
  if (out.services.empty() && value.findings().size() == before) {
    value.reject("must have at least one service; left out, the server runs all of its pool");
  }
}

Server read_server(const Value& value, Known& known, const PoolServices& of_pool,
                   std::map<base::IpAddress, int>& used) {
  Mapping block(value);
  Server server;
  // A host name in no configured zone is legal: its host record is somebody else's to serve.
  if (const auto fqdn = block.require("fqdn", "the server's own name")) {
    if (const auto name = read_name(*fqdn, check_server_name)) {
      known.owners.take(*fqdn, *name, "server");
      server.fqdn = *name;
    }
  }
  if (const auto list = block.require("addresses", "where clients reach the server")) {
    server.addresses = read_addresses(*list, used, "address");
  }
  block.read("weight", server.weight, 0, 255);
  server.services = of_pool.names;
  if (const auto list = block.find("services")) read_server_services(*list, of_pool, server);
  if (const auto startup = block.find("startup")) read_startup(*startup, of_pool, server);
  if (const auto domain = block.find("domain")) {
    server.domain = read_name(*domain, check_domain).value_or("");
  }
  return server;
}

}  // namespace

void read_startup(const Value& value, const PoolServices& of_pool, Server& out) {
  Mapping block(value);
  block.each([&](const Value& key, const Value& entry) {
    const auto name = read_name(key, check_label);
    if (!name) return;
    if (of_pool.complete && !contains(out.services, *name)) {
      return key.reject("the server runs no service " + *name + "; it runs " +
                        listed(out.services));
    }
    const auto word = entry.word({"automatic", "manual"});
    if (!word) return;
    const auto startup = *word == 0 ? Startup::Automatic : Startup::Manual;
    if (!out.startup.emplace(*name, startup).second) key.reject(*name + " stands here twice");
  });
}

std::optional<std::string> read_service(const Value& value, Known& known) {
  auto name = read_name(value, check_label);
  if (!name) return {};
  const auto* taken = known.services.find(*name);
  if (taken == nullptr) {
    value.reject("must be one of services:, is " + *name + known.services.hint(*name, "service"));
    return {};
  }
  if (taken->what == std::string_view("component")) {
    value.reject(*name + " is a component, line " + std::to_string(taken->line) +
                 ": name the service that consolidates it");
    return {};
  }
  return name;
}

std::vector<base::IpAddress> read_addresses(const Value& value,
                                            std::map<base::IpAddress, int>& used,
                                            std::string_view wanted) {
  std::vector<base::IpAddress> addresses;
  const std::size_t before = value.findings().size();
  value.each([&](const Value& item) {
    const auto address = item.address();
    if (!address) return;
    if (!address->is_one_machine()) {
      return item.reject("must be the address of one machine, is " + address->to_string());
    }
    const auto [place, fresh] = used.emplace(*address, item.line());
    if (!fresh) {
      // Two servers with one address: a drain of one would leave its address in the answers.
      return item.reject(address->to_string() + " is an address of this pool already, line " +
                         std::to_string(place->second));
    }
    addresses.push_back(*address);
  });
  if (addresses.empty() && value.findings().size() == before) {
    value.reject("must have at least one " + std::string(wanted));
  }
  return addresses;
}

void read_srv(const Value& list, Known& known, Pool& pool, std::vector<Mention>& mentions) {
  std::size_t index = 0;
  list.each([&](const Value& item) {
    Mapping block(item);
    Srv srv;
    if (const auto name = block.require("name", "_service._proto such as _sip._tcp")) {
      if (const auto relative = read_name(*name, check_srv_name)) {
        take_owner(*name, *relative, known, pool, "srv entry");
        srv.name = *relative;
      }
    }
    if (const auto service = block.require("service", "one of services:")) {
      srv.service = read_service(*service, known).value_or("");
      mentions.push_back({srv.service, service->line(), "srv", index});
    }
    if (const auto port = block.require("port", "1..65535")) {
      srv.port = static_cast<std::uint16_t>(port->number(1, 65535).value_or(0));
    }
    block.read("priority", srv.priority, 0, 65535);
    pool.srv.push_back(std::move(srv));
    ++index;
  });
}

void read_features(const Value& list, Known& known, Pool& pool, std::vector<Mention>& mentions) {
  std::size_t index = 0;
  list.each([&](const Value& item) {
    Mapping block(item);
    Feature feature;
    if (const auto name = block.require("name", "a name below the pool")) {
      if (const auto relative = read_name(*name, check_relative_name)) {
        take_owner(*name, *relative, known, pool, "feature");
        feature.name = *relative;
      }
    }
    const auto service = block.require("service", "one of services:");
    const auto floor = block.find("min_accepting");
    if (floor) feature.min_accepting = read_min_accepting(*floor);
    if (service) {
      feature.service = read_service(*service, known).value_or("");
      mentions.push_back(
          {feature.service, service->line(), "features", index, floor ? floor->line() : 0});
    }
    pool.features.push_back(std::move(feature));
    ++index;
  });
}

void read_servers(const Value& list, Known& known, const PoolServices& services, Pool& pool) {
  std::map<base::IpAddress, int> used;
  const std::size_t before = list.findings().size();
  list.each(
      [&](const Value& item) { pool.servers.push_back(read_server(item, known, services, used)); });
  if (pool.servers.empty() && list.findings().size() == before) {
    list.reject("must have at least one server");
  }
}

}  // namespace sluice::config
