#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "config/base/duration.h"
#include "config/blocks.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

// More than fit any answer: 65,535 octets hold 4,094 A records.
constexpr unsigned kMaxServers = 65535;

void read_pool_name(const Value& value, Known& known, Pool& out) {
  const auto name = read_name(value, check_dns_name);
  if (!name) return;
  known.owners.take(value, *name, "pool");
  out.fqdn = *name;
  if (known.all_zones && !known.in_zone(*name)) {
    value.reject(*name + " lies in no configured zone: add one to zones: that contains it");
  }
}

void read_ttl(const Value& value, std::chrono::seconds& out) {
  const auto ttl = value.duration(0s, 7 * 24h);
  if (!ttl) return;
  out = std::chrono::duration_cast<std::chrono::seconds>(*ttl);
  // RFC 2181 section 8: a TTL is a number of seconds.
  if (out != *ttl) value.reject("must be whole seconds, is " + base::to_text(*ttl));
}

void read_when_all_held(const Value& value, std::map<base::IpAddress, int>& used, Pool& out) {
  if (value.kind() != Document::Kind::Mapping) {
    if (value.is("nodata")) return;
    if (!value.is("serve_held")) {
      return value.reject("must be nodata, serve_held or {addresses: [...]}, is " + value.shown());
    }
    out.when_all_held = WhenAllHeld::ServeHeld;
    return;
  }
  Mapping block(value);
  const auto list = block.require("addresses", "what answers as the last resort");
  if (!list) return;
  out.when_all_held = WhenAllHeld::Addresses;
  // None of a server of the pool: a held server would come back (semantics.md section 3, rule 2).
  out.last_resort = read_addresses(*list, used, "address that answers as the last resort");
}

// More than the pool's servers is no mistake: servers come and go, the limit stays.
void read_answer_size(const Value& value, unsigned& out) {
  if (value.is("all")) return;
  if (const auto number = value.number(1, kMaxServers, "all or ")) {
    out = static_cast<unsigned>(*number);
  }
}

void read_order(const Value& value, Order& out) {
  constexpr std::array kOrders{Order::Rotate, Order::Random, Order::Weighted, Order::Fixed};
  if (const auto word = value.word({"rotate", "random", "weighted", "fixed"})) out = kOrders[*word];
}

// What the pool names: its service, then those of srv and features, each once.
PoolServices named_services(const Pool& pool, const std::vector<Mention>& mentions) {
  PoolServices services;
  std::vector<std::string> names;
  std::set<std::string_view> seen;
  const auto add = [&](const std::string& service) {
    services.complete = services.complete && !service.empty();
    if (!service.empty() && seen.insert(service).second) names.push_back(service);
  };
  add(pool.service);
  for (const Mention& mention : mentions) add(mention.service);
  services.names = std::move(names);
  return services;
}

// An answer set that no server can ever be in is a mistake.
void check_members(const Value& pool_value, int service_line, const Pool& pool,
                   const std::vector<Mention>& mentions) {
  std::set<std::string_view> run;
  for (const Server& server : pool.servers)
    run.insert(server.services.begin(), server.services.end());
  const auto check = [&](const std::string& service, int line, const std::string& path) {
    if (service.empty() || run.contains(service)) return;
    pool_value.findings().add(
        line, pool_value.path() + path,
        "no server of the pool runs " + service + ": add it to the services of one, or drop this");
  };
  check(pool.service, service_line, ".service");
  for (const Mention& mention : mentions) {
    check(mention.service, mention.line,
          '.' + std::string(mention.list) + '[' + std::to_string(mention.index) + "].service");
  }
}

// The addresses of all servers, so that the last resort is none of them.
std::map<base::IpAddress, int> addresses_of(const Pool& pool, int line) {
  std::map<base::IpAddress, int> used;
  for (const Server& server : pool.servers) {
    for (const base::IpAddress& address : server.addresses) used.emplace(address, line);
  }
  return used;
}

// A floor that no answer set could ever meet. A feature that has the pool's floor and that fewer
// servers run is none: give it one of its own.
void check_floors(const Value& pool_value, const Pool& pool, const std::vector<Mention>& mentions) {
  for (const Mention& mention : mentions) {
    if (mention.floor_line == 0) continue;
    const auto fault = unmet(*pool.features[mention.index].min_accepting, pool, mention.service);
    if (fault.empty()) continue;
    pool_value.findings().add(
        mention.floor_line,
        pool_value.path() + ".features[" + std::to_string(mention.index) + "].min_accepting",
        fault);
  }
}

// All but the TTL. `judged`: the servers are all there, and understood.
void read_policy(Mapping& block, bool judged, int servers_line, Pool& pool) {
  if (const auto value = block.find("min_accepting")) {
    pool.min_accepting = read_min_accepting(*value);
    const std::string fault = judged ? unmet(pool.min_accepting, pool, pool.service) : "";
    if (!fault.empty()) value->reject(fault);
  }
  if (const auto value = block.find("when_all_held")) {
    auto used = addresses_of(pool, servers_line);
    read_when_all_held(*value, used, pool);
  }
  block.read("dns_load_balancing", pool.dns_load_balancing);
  if (const auto value = block.find("order")) read_order(*value, pool.order);
  if (const auto value = block.find("answer_size")) read_answer_size(*value, pool.answer_size);
  block.read("slow_start", pool.slow_start, 0s, 1h);
}

// Takes the names of the srv entries and features of a list's further pools; the first one's were
// taken as they were read, and tell their mistakes there.
void take_names(const Value& list, const Pool& pool, Known& known) {
  const auto take = [&](const std::string& name, const char* what) {
    const std::string owner = name + '.' + pool.fqdn;
    if (owner.size() > kMaxName) {
      list.reject(owner + " has " + std::to_string(owner.size()) +
                  " octets; a DNS name has at most 253");
    } else if (!known.owners.claim(owner, {list.line(), what, nullptr})) {
      list.reject(known.owners.clash(owner));
    }
  };
  for (const Srv& srv : pool.srv) take(srv.name, "srv entry");
  for (const Feature& feature : pool.features) take(feature.name, "feature");
}

// Many pools that are alike but for their names and servers: the list has these, the block the
// rest.
void read_list(const Value& value, Mapping& block, const Value& list, Known& known,
               std::vector<Pool>& out) {
  for (const char* key : {"fqdn", "servers"}) {
    if (const auto other = block.find(key)) {
      other->reject("must not stand beside list: the list names the pools and their servers");
    }
  }
  Pool common;
  if (const auto ttl = block.find("ttl")) read_ttl(*ttl, common.ttl);
  ServerList servers(list, known, out);
  servers.read(common.ttl);
  if (!servers.pools().empty()) common.fqdn = servers.pools().front().fqdn;
  const auto service = block.require("service", "one of services:");
  if (service) common.service = read_service(*service, known).value_or("");
  std::vector<Mention> mentions;
  if (const auto srv = block.find("srv")) read_srv(*srv, known, common, mentions);
  if (const auto features = block.find("features")) {
    read_features(*features, known, common, mentions);
  }
  const PoolServices services = named_services(common, mentions);
  Server alike;
  alike.services = services.names;
  if (const auto startup = block.find("startup")) read_startup(*startup, services, alike);
  read_policy(block, false, list.line(), common);
  servers.check(common);

  const std::size_t before = value.findings().size();
  for (Pool& pool : servers.pools()) {
    const bool first = pool.fqdn == common.fqdn;
    Pool whole = common;
    whole.fqdn = std::move(pool.fqdn);
    whole.servers = std::move(pool.servers);
    for (Server& server : whole.servers) {
      server.services = alike.services;
      server.startup = alike.startup;
    }
    if (!first && value.findings().size() == before) take_names(list, whole, known);
    pool = std::move(whole);
  }
}

void read_pool(const Value& value, Known& known, std::vector<Pool>& out) {
  Mapping block(value);
  if (const auto list = block.find("list")) return read_list(value, block, *list, known, out);
  Pool& pool = out.emplace_back();
  if (const auto fqdn = block.require("fqdn", "the name that the servers answer for")) {
    read_pool_name(*fqdn, known, pool);
  }
  const auto service = block.require("service", "one of services:");
  if (service) pool.service = read_service(*service, known).value_or("");
  std::vector<Mention> mentions;
  if (const auto list = block.find("srv")) read_srv(*list, known, pool, mentions);
  if (const auto list = block.find("features")) read_features(*list, known, pool, mentions);
  const std::size_t before = value.findings().size();
  const auto servers = block.require("servers", "at least one");
  if (const auto ttl = block.find("ttl")) read_ttl(*ttl, pool.ttl);
  if (servers) read_servers(*servers, known, named_services(pool, mentions), pool);
  // What depends on the servers is judged when they are all understood.
  const bool understood = value.findings().size() == before;
  if (understood && service) check_members(value, service->line(), pool, mentions);
  if (understood) check_floors(value, pool, mentions);
  read_policy(block, understood, servers ? servers->line() : value.line(), pool);
}

}  // namespace

void read_pools(const Value& value, Known& known, std::vector<Pool>& out) {
  value.each([&](const Value& item) { read_pool(item, known, out); });
}

}  // namespace sluice::config
