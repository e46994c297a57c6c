#include "config/model.h"

#include <algorithm>

namespace sluice::config {

unsigned MinAccepting::of(std::size_t servers) const noexcept {
  switch (kind) {
    case Kind::Number:
      return number;
    case Kind::Percentage:
      return static_cast<unsigned>((servers * number + 99) / 100);  // rounded up
    case Kind::Table:
      break;
  }
  const auto above = by_size.upper_bound(static_cast<unsigned>(servers));
  return above == by_size.begin() ? std::min<unsigned>(1, static_cast<unsigned>(servers))
                                  : std::prev(above)->second;
}

std::vector<AnswerSet> answer_sets(const Config& config) {
  std::vector<AnswerSet> sets;
  for (std::uint32_t index = 0; index < config.pools.size(); ++index) {
    const Pool& pool = config.pools[index];
    sets.push_back({pool.fqdn, pool.service, index, nullptr});
    for (const Srv& srv : pool.srv) {
      sets.push_back({srv.name + "." + pool.fqdn, srv.service, index, &srv});
    }
    for (const Feature& feature : pool.features) {
      sets.push_back({feature.name + "." + pool.fqdn, feature.service, index, nullptr});
    }
  }
  return sets;
}

std::vector<ServerAt> servers(const Config& config) {
  std::vector<ServerAt> all;
  for (std::uint32_t index = 0; index < config.pools.size(); ++index) {
    for (const Server& server : config.pools[index].servers) all.push_back({index, &server});
  }
  return all;
}

const Zone* zone_of(const Config& config, std::string_view name) {
  const Zone* best = nullptr;
  for (const Zone& zone : config.zones) {
    const bool inside =
        name == zone.name || (name.size() > zone.name.size() && name.ends_with(zone.name) &&
                              name[name.size() - zone.name.size() - 1] == '.');
    if (inside && (best == nullptr || zone.name.size() > best->name.size())) best = &zone;
  }
  return best;
}

}  // namespace sluice::config
