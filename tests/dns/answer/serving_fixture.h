#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/model.h"
#include "dns/answer/respond.h"
#include "dns/answer/serving_publisher.h"
#include "dns/zone/zone_builder.h"
#include "health/snapshot.h"

// A pool that is served, as tests, fuzzers and benchmarks of the answer path need it.
namespace sluice::dns::fixture {

inline constexpr const char* kRecords =
    "@      300 IN SOA ns1 hostmaster 7 3600 600 86400 10\n"
    "@      300 IN NS  ns1\n"
    "@      300 IN NS  ns2\n"
    "ns1    300 IN A   127.0.0.1\n"
    "ns2    300 IN A   127.0.0.2\n"
    "ns2    300 IN AAAA ::2\n"
    "web    300 IN A   192.0.2.80\n"
    "@      300 IN TXT \"the pool\"\n"
    "@      300 IN MX  10 mail\n"
    "mail   300 IN A   192.0.2.25\n"
    "alias  300 IN CNAME web\n"
    "twice  300 IN CNAME alias\n"
    "pool   300 IN CNAME @\n"
    "sips   300 IN CNAME _sip._tcp\n"
    "out    300 IN CNAME www.example.net.\n"
    "gone   300 IN CNAME nowhere\n"
    "empty  300 IN CNAME sub.deep\n"
    "loop1  300 IN CNAME loop2\n"
    "loop2  300 IN CNAME loop1\n"
    "a.sub.deep 300 IN A 192.0.2.81\n"
    "*.wild 300 IN A   192.0.2.90\n"
    "*.wild 300 IN MX  10 mail\n"
    "x.y.wild 300 IN TXT \"not a wildcard\"\n"
    "*.wc   300 IN CNAME web\n"
    "child  300 IN NS  ns.child\n"
    "child  300 IN NS  ns1\n"
    "ns.child 300 IN A 192.0.2.99\n"
    "ns.child 300 IN AAAA 2001:db8::99\n"
    "below.child 300 IN TXT \"occluded\"\n"
    "tocut  300 IN CNAME www.child\n"
    "ptr    300 IN PTR fe01\n"
    "hosts  300 IN MX  5 fe01\n"
    "hosts  300 IN MX  6 @\n";

inline base::IpAddress ip(const std::string& text) {
  return *base::IpAddress::parse(text);
}

// What is asked for in pool_config(), as a question has it.
inline const std::string kPool = "pool01.contoso.example.";
inline const std::string kSip = "_sip._tcp." + kPool;

// One pool of `servers`, each with an IPv4 and an IPv6 address, under pool01.contoso.example.
inline config::Config pool_config(unsigned servers = 3, std::string records = kRecords) {
  config::Config config;
  config.file = "sluice.yaml";
  config.zones.push_back({"pool01.contoso.example", std::move(records), {"sluice.yaml", 10}});
  config::Pool pool;
  pool.fqdn = "pool01.contoso.example";
  pool.service = "front-end";
  for (unsigned index = 1; index <= servers; ++index) {
    config::Server server;
    const std::string number = (index < 10 ? "0" : "") + std::to_string(index);
    server.fqdn = "fe" + number + ".pool01.contoso.example";
    server.addresses = {base::IpAddress::v4({10, 99, static_cast<std::uint8_t>(index >> 8),
                                             static_cast<std::uint8_t>(index)}),
                        base::IpAddress::v6({0xfd, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                             static_cast<std::uint8_t>(index >> 8),
                                             static_cast<std::uint8_t>(index)})};
    pool.servers.push_back(std::move(server));
  }
  pool.srv = {{"_sip._tcp", "front-end", 5060, 10}};
  pool.features = {{"attendant", "attendant"}};
  config.pools.push_back(std::move(pool));
  return config;
}

inline constexpr health::AnswerSetId kPoolSet = 0;
inline constexpr health::AnswerSetId kSrvSet = 1;
inline constexpr health::AnswerSetId kFeatureSet = 2;

inline std::shared_ptr<const ZoneSet> zones_of(const config::Config& config,
                                               const SerialBases& bases = {}) {
  auto zones = build_zones(config, bases);
  if (!zones) throw std::runtime_error(base::to_string(zones.error()));
  return *zones;
}

// Plays the authority: says who is in, generation after generation.
class Serving {
 public:
  explicit Serving(const config::Config& config, const SerialBases& bases = {})
      : publisher_(zones_of(config, bases)) {
    const auto sets = config::answer_sets(config);
    members_.answer_sets = base::PagedTable<health::Members>(sets.size());
    for (health::AnswerSetId id = 0; id < sets.size(); ++id) {
      std::vector<health::ServerId> all;
      health::ServerId number = 0;
      for (const config::ServerAt& at : config::servers(config)) {
        if (at.pool == sets[id].pool) all.push_back(number);
        ++number;
      }
      set(id, std::move(all));
    }
    publish({}, {});
  }

  void set(health::AnswerSetId id, std::vector<health::ServerId> servers,
           health::Fallback fallback = health::Fallback::None,
           std::vector<health::SlowStart> slow_starts = {}) {
    auto members = std::make_shared<health::Members>();
    members->generation = members_.generation + 1;
    members->fallback = fallback;
    members->servers = std::move(servers);
    if (!slow_starts.empty()) members->slow_starts.edit() = std::move(slow_starts);
    members_.answer_sets.set(id, std::move(members));
  }
  // The members stay, and caches must have forgotten them by then.
  void cap(health::AnswerSetId id, base::MonoTime not_after) {
    const health::Members& before = members_.answer_sets[id];
    auto members = std::make_shared<health::Members>();
    members->generation = before.generation;
    members->fallback = before.fallback;
    members->servers = before.servers;
    if (before.slow_starts) members->slow_starts.edit() = *before.slow_starts;
    members->not_after = not_after;
    members_.answer_sets.set(id, std::move(members));
  }
  void leave(std::vector<health::LeavingHost> hosts) { members_.leaving_hosts = std::move(hosts); }
  void hide(std::vector<health::ServerId> servers) { members_.hidden_hosts = std::move(servers); }

  std::uint64_t publish(const std::vector<health::AnswerSetId>& changed,
                        const std::vector<health::ServerId>& changed_hosts = {}) {
    ++members_.generation;
    if (std::exchange(renews_, false)) members_.renewed = members_.generation;
    for (const health::ServerId server : changed_hosts) note_change(server);
    return publisher_.publish(std::make_shared<const health::MembershipSnapshot>(members_), changed,
                              changed_hosts);
  }

  // The next publication renews every zone, as that of a start or a reload.
  void renew() { renews_ = true; }

  // The same generation with other weights or ends.
  std::uint64_t adjust(const std::vector<health::AnswerSetId>& changed) {
    return publisher_.adjust(std::make_shared<const health::MembershipSnapshot>(members_), changed);
  }

  ServingPublisher& publisher() { return publisher_; }
  std::uint64_t generation() const { return members_.generation; }

 private:
  void note_change(health::ServerId server) {
    auto& changes = members_.host_changes;
    const auto place = std::ranges::lower_bound(changes, server, {}, &health::HostChange::server);
    if (place != changes.end() && place->server == server) {
      place->generation = members_.generation;
    } else {
      changes.insert(place, {server, members_.generation});
    }
  }

  ServingPublisher publisher_;
  health::MembershipSnapshot members_;
  bool renews_ = true;
};

}  // namespace sluice::dns::fixture
