// GET /v1/names: what a shell's TAB asks. All pools with their state are megabytes where there are
// thousands of pools; names that begin alike are a few.

#include <algorithm>
#include <array>

#include "health/api/handlers.h"
#include "health/api/limit.h"
#include "health/api/replies.h"

namespace sluice::health::handlers {
namespace {

using nlohmann::ordered_json;

// Those that begin right, so many at most.
class NameList {
 public:
  NameList(std::string prefix, std::size_t most) : prefix_(std::move(prefix)), most_(most) {}

  // Whether more are wanted.
  bool add(std::string_view name, std::string_view of) {
    if (!name.starts_with(prefix_)) return true;
    more_ = names_.size() == most_;
    if (!more_) names_.push_back({{"name", name}, {"of", of}});
    return !more_;
  }
  HttpResponse response() && {
    return json_response(200, {{"names", std::move(names_)}, {"more", more_}});
  }

 private:
  std::string prefix_;
  std::size_t most_;
  ordered_json names_ = ordered_json::array();
  bool more_ = false;
};

const std::string& service_of(const Topology& topology, ServiceId id) {
  return topology.services()[id].name;
}

void list_servers(const Topology& topology, NameList& out) {
  for (const TopologyServer& each : topology.servers()) {
    if (!out.add(each.fqdn, topology.pools()[each.pool].fqdn)) return;
  }
}

void list_pools(const Topology& topology, NameList& out) {
  for (const TopologyPool& each : topology.pools()) {
    if (!out.add(each.fqdn, service_of(topology, each.service))) return;
  }
}

void list_services(const Topology& topology, NameList& out) {
  for (const TopologyService& each : topology.services()) {
    if (!out.add(each.name, each.title)) return;
  }
}

void list_owners(const Topology& topology, NameList& out) {
  // A, AAAA and SRV of one name are one answer set each; the name is one.
  std::string_view last;
  for (const TopologyAnswerSet& each : topology.answer_sets()) {
    if (each.owner == last) continue;
    last = each.owner;
    const ServicePool& pool = topology.service_pools()[each.service_pool];
    if (!out.add(each.owner, service_of(topology, pool.service))) return;
  }
}

struct Kind {
  std::string_view word;
  void (*list)(const Topology&, NameList&);
};
constexpr std::array kKinds{Kind{"server", list_servers}, Kind{"pool", list_pools},
                            Kind{"service", list_services}, Kind{"owner", list_owners}};

}  // namespace

void names(const ApiContext& api, Exchange exchange) {
  const std::string* word = exchange.parameter("kind");
  const auto* kind =
      std::ranges::find(kKinds, word == nullptr ? std::string_view() : *word, &Kind::word);
  if (kind == kKinds.end()) {
    return reply(exchange, bad_member("kind", "must be server, pool, service or owner"));
  }
  const auto limit = read_limit(exchange);
  if (!limit) return reply(exchange, limit.error());
  const std::string* begun = exchange.parameter("prefix");
  std::string prefix = begun == nullptr ? "" : *begun;
  std::ranges::transform(prefix, prefix.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  api.control([exchange, list = kind->list, prefix, most = *limit](Authority& authority) {
    // The topology never changes: it is searched on the API's thread, and no drain waits for that.
    exchange.reply([topology = authority.topology(), list, prefix, most] {
      NameList found(prefix, most);
      list(*topology, found);
      return std::move(found).response();
    });
  });
}

}  // namespace sluice::health::handlers
