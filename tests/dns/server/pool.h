#pragma once

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model.h"
#include "dns/answer/serving_publisher.h"
#include "dns/wire/types.h"
#include "dns/zone/zone_builder.h"
#include "tests/dns/server/client.h"

namespace sluice::dns::test {

// One pool, "pool.example", whose A RRset tells which publication an answer is of: server N has
// the address 10.0.0.N, and show(N) makes it the only member.
class Pool {
 public:
  static constexpr unsigned kServers = 200;

  static constexpr std::size_t kCountingWorkers = 2;

  Pool() : publisher_(build(), {}, kCountingWorkers) { show(1); }

  ServingPublisher& publisher() { return publisher_; }
  const base::SnapshotCell<ServingSnapshot>& cell() const { return publisher_.cell(); }

  // Returns the publication from which on "pool.example A" is these servers (1 to kServers).
  std::uint64_t show(std::vector<unsigned> members) {
    health::Members answer;
    answer.generation = ++generation_;
    for (const unsigned number : members) answer.servers.push_back(number - 1);
    health::MembershipSnapshot snapshot;
    snapshot.generation = generation_;
    snapshot.answer_sets = base::PagedTable<health::Members>(1);
    snapshot.answer_sets.set(0, std::make_shared<health::Members>(std::move(answer)));
    const health::AnswerSetId changed[] = {0};
    return publisher_.publish(std::make_shared<health::MembershipSnapshot>(std::move(snapshot)),
                              changed, {});
  }
  // The member of show(1), of whom caches must know nothing after `not_after`.
  std::uint64_t cap(base::MonoTime not_after) {
    health::Members answer;
    answer.generation = generation_;
    answer.servers = {0};
    answer.not_after = not_after;
    health::MembershipSnapshot snapshot;
    snapshot.generation = generation_;
    snapshot.answer_sets = base::PagedTable<health::Members>(1);
    snapshot.answer_sets.set(0, std::make_shared<health::Members>(std::move(answer)));
    const health::AnswerSetId changed[] = {0};
    return publisher_.adjust(std::make_shared<health::MembershipSnapshot>(std::move(snapshot)),
                             changed);
  }
  // The same member by other settings, as a reload brings them.
  std::uint64_t renew(ResponseSettings settings) {
    publisher_.prepare(build(), std::move(settings));
    return show(1);
  }
  // A reload that changes nothing; it comes with the next show().
  void prepare() { publisher_.prepare(build()); }
  std::uint64_t show(unsigned member) { return show(std::vector{member}); }

 private:
  static std::shared_ptr<const ZoneSet> build() {
    config::Config config;
    config.services.push_back({"front-end", "front-end", {}});
    config::Zone& zone = config.zones.emplace_back();
    zone.name = "pool.example";
    zone.records =
        "@ 300 IN SOA ns1 hostmaster 1 3600 600 86400 10\n"
        "@ 300 IN NS ns1\n"
        "ns1 300 IN A 192.0.2.1\n"
        "large 300 IN TXT \"" +
        std::string(250, 'x') + "\" \"" + std::string(250, 'y') + "\" \"" + std::string(250, 'z') +
        "\"\n";
    config::Pool& pool = config.pools.emplace_back();
    pool.fqdn = "pool.example";
    pool.service = "front-end";
    for (unsigned number = 1; number <= kServers; ++number) {
      config::Server& server = pool.servers.emplace_back();
      server.fqdn = "s" + std::to_string(number) + ".pool.example";
      server.addresses = {base::IpAddress::v4({10, 0, 0, static_cast<std::uint8_t>(number)})};
      server.services = {"front-end"};
    }
    auto zones = build_zones(config, {});
    if (!zones) std::abort();
    return *zones;
  }

  std::uint64_t generation_ = 0;
  ServingPublisher publisher_;
};

// A query without OPT.
inline Octets query(std::uint16_t id, std::string_view name = "pool.example",
                    RRType type = RRType::A) {
  Octets octets{static_cast<std::uint8_t>(id >> 8),
                static_cast<std::uint8_t>(id & 0xFF),
                0,
                0,
                0,
                1,
                0,
                0,
                0,
                0,
                0,
                0};
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('.'), name.size());
    octets.push_back(static_cast<std::uint8_t>(end));
    octets.insert(octets.end(), name.begin(), name.begin() + static_cast<std::ptrdiff_t>(end));
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  const auto number = static_cast<std::uint16_t>(type);
  const std::initializer_list<int> end = {0, number >> 8, number & 0xFF, 0, 1};
  for (const int octet : end) octets.push_back(static_cast<std::uint8_t>(octet));
  return octets;
}

inline unsigned id_of(const Octets& answer) {
  return static_cast<unsigned>(answer.at(0) << 8 | answer.at(1));
}
inline unsigned rcode_of(const Octets& answer) {
  return answer.at(3) & 0x0FU;
}
inline unsigned count_of(const Octets& answer) {
  return static_cast<unsigned>(answer.at(6) << 8 | answer.at(7));
}

// Of an answer to query(): which server it names, when it names one alone (the last octet of the
// message is that of its address); 0: none.
inline unsigned member_of(const Octets& answer) {
  return count_of(answer) == 1 ? answer.back() : 0U;
}

}  // namespace sluice::dns::test
