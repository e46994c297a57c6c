#include "tools/sluiced/blueprint.h"

#include <algorithm>
#include <thread>
#include <tuple>
#include <utility>

#include "config/load.h"
#include "dns/ldns.h"
#include "dns/wire/name.h"
#include "dns/zone/zone_builder.h"
#include "tools/sluiced/digest.h"

namespace sluice {
namespace {

// A message of which `rrset`, at its owner's name, is the answer: rendered RRsets point into the
// question (dns/zone/rrset.h), so ldns can read one nowhere else.
std::vector<std::uint8_t> as_message(const dns::Name& owner, const dns::RRset& rrset) {
  const auto type = static_cast<std::uint16_t>(rrset.type);
  std::vector<std::uint8_t> message{0,
                                    0,
                                    0x84,
                                    0,
                                    0,
                                    1,
                                    static_cast<std::uint8_t>(rrset.count >> 8),
                                    static_cast<std::uint8_t>(rrset.count),
                                    0,
                                    0,
                                    0,
                                    0};
  message.insert(message.end(), owner.wire().begin(), owner.wire().end());
  message.insert(message.end(),
                 {static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type), 0, 1});
  message.insert(message.end(), rrset.octets.begin(), rrset.octets.end());
  return message;
}

// The targets of an NS RRset, in lower case without the final dot.
std::vector<std::string> name_servers(const dns::Name& apex, const dns::RRset& rrset) {
  const std::vector<std::uint8_t> message = as_message(apex, rrset);
  ldns_pkt* parsed = nullptr;
  if (ldns_wire2pkt(&parsed, message.data(), message.size()) != LDNS_STATUS_OK) return {};
  const dns::LdnsPacket packet(parsed);
  std::vector<std::string> names;
  const ldns_rr_list* answer = ldns_pkt_answer(packet.get());
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(answer); ++i) {
    ldns_rdf* target = ldns_rr_rdf(ldns_rr_list_rr(answer, i), 0);
    ldns_dname2canonical(target);
    std::string name = dns::LdnsText(ldns_rdf2str(target)).get();
    if (name.size() > 1 && name.back() == '.') name.pop_back();
    names.push_back(std::move(name));
  }
  return names;
}

// All mistakes of a file in one go: those in the records, too, when others keep it from loading.
std::vector<base::Error> with_record_errors(const std::string& file,
                                            std::vector<base::Error> errors) {
  config::Config zones_alone;
  zones_alone.file = file;
  zones_alone.zones = config::load_zones(file);
  const auto zones = dns::build_zones(zones_alone, {});
  if (zones) return errors;
  errors.insert(errors.end(), zones.error().begin(), zones.error().end());
  // The file itself first, then the zone files that it names.
  std::ranges::stable_sort(errors, {}, [&](const base::Error& error) {
    return std::tuple(error.where.file != file, error.where.file, error.where.line);
  });
  return errors;
}

}  // namespace

base::Result<config::Config, std::vector<base::Error>> read_config(const std::string& file) {
  auto config = config::load(file);
  if (!config) return base::Unexpected{with_record_errors(file, std::move(config).error())};
  return config;
}

base::Result<Blueprint, std::vector<base::Error>> draw_blueprint(
    config::Config config, const dns::SerialBases& serial_bases) {
  // Neither needs the other: names on one side, numbers on the other.
  std::shared_ptr<const health::Topology> topology;
  std::thread aside([&] { topology = std::make_shared<const health::Topology>(config); });
  auto zones = dns::build_zones(config, serial_bases);
  aside.join();
  if (!zones) return base::Unexpected{std::move(zones).error()};
  // Nobody compares those of a responder that is alone.
  std::string digest = config.store.etcd ? digest_of(config) : std::string();
  // Assigned from {} they would keep their memory.
  config.pools = std::vector<config::Pool>();
  for (config::Zone& zone : config.zones) zone.records = std::string();
  return Blueprint{std::move(config), *std::move(zones), std::move(topology), std::move(digest)};
}

base::Result<Blueprint, std::vector<base::Error>> read_blueprint(
    const std::string& file, const dns::SerialBases& serial_bases) {
  auto config = read_config(file);
  if (!config) return base::Unexpected{std::move(config).error()};
  return draw_blueprint(*std::move(config), serial_bases);
}

std::vector<base::Error> needs_restart(const config::Config& running, const config::Config& next) {
  std::vector<base::Error> errors;
  const auto fixed = [&](bool same, const char* path) {
    if (!same) {
      errors.push_back({{next.file, 0}, path, "differs from the running one: needs a restart"});
    }
  };
  fixed(running.user == next.user, "user");
  fixed(running.dns.identity == next.dns.identity, "dns.identity");
  fixed(running.dns.listen == next.dns.listen, "dns.listen");
  fixed(running.dns.workers == next.dns.workers, "dns.workers");
  fixed(running.dns.max_udp_payload == next.dns.max_udp_payload, "dns.max_udp_payload");
  fixed(running.dns.tcp == next.dns.tcp, "dns.tcp");
  fixed(running.api.listen == next.api.listen, "api.listen");
  fixed(running.api.socket.path == next.api.socket.path &&
            running.api.socket.group == next.api.socket.group &&
            running.api.socket.mode == next.api.socket.mode,
        "api.socket");
  fixed(running.api.tls.has_value() == next.api.tls.has_value(), "api.tls");
  fixed(running.store.directory == next.store.directory, "store.directory");
  fixed(running.store.etcd == next.store.etcd, "store.etcd");
  return errors;
}

std::vector<std::string> warnings(const Blueprint& blueprint) {
  std::vector<std::string> warnings;
  for (const base::Error& warning : blueprint.config.warnings) {
    warnings.push_back(base::to_string(warning));
  }
  for (const config::Zone& zone : blueprint.config.zones) {
    const auto apex = dns::Name::parse(zone.name);
    if (!apex) continue;
    const dns::Lookup lookup = blueprint.zones->find(*apex, dns::RRType::NS);
    if (lookup.kind != dns::Lookup::Kind::RRset) continue;
    for (const std::string& name : name_servers(*apex, blueprint.zones->rrset(lookup.where))) {
      if (name == blueprint.config.dns.identity) continue;
      warnings.push_back("zone " + zone.name + " lists the name server " + name +
                         ", which is not this responder (dns.identity: " +
                         blueprint.config.dns.identity + "): it answers without knowing the holds");
    }
  }
  constexpr std::size_t kNamed = 10;  // servers outside; the rest is told as a number
  std::size_t outside = 0;
  for (std::size_t id = 0; id < blueprint.zones->hosts().size(); ++id) {
    if (blueprint.zones->hosts()[id].in_zone || ++outside > kNamed) continue;
    warnings.push_back("server " + std::string(blueprint.topology->servers()[id].fqdn) +
                       " lies in no configured zone: its host record, which SRV answers point to, "
                       "is for somebody else to serve");
  }
  if (outside > kNamed) {
    warnings.push_back(std::to_string(outside - kNamed) +
                       " more servers lie in no configured zone");
  }
  return warnings;
}

}  // namespace sluice
