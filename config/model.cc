#include "config/model.h"

namespace sluice::config {

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
