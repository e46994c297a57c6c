#include "health/topology.h"

#include <algorithm>
#include <cassert>

namespace sluice::health {
namespace {

template <class Map>
std::optional<typename Map::mapped_type> look_up(const Map& map, std::string_view key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::optional<std::size_t> TopologyServer::slot_of(ServiceId service) const noexcept {
  for (std::size_t slot = 0; slot < services.size(); ++slot) {
    if (services[slot].service == service) return slot;
  }
  return std::nullopt;
}

Topology::Topology(const config::Config& config) {
  for (const config::Service& service : config.services) {
    services_.push_back({service.name, service.title, service.consolidates});
  }
  for (const config::AnswerSet& set : config::answer_sets(config)) {
    answer_sets_.push_back({set.owner, 0});
  }
  pools_.reserve(config.pools.size());
  for (PoolId id = 0; id < config.pools.size(); ++id) add_pool(config.pools[id], id);

  const auto sets = config::answer_sets(config);
  for (AnswerSetId id = 0; id < sets.size(); ++id) {
    TopologyPool& pool = pools_[sets[id].pool];
    if (pool.answer_set_count++ == 0) pool.first_answer_set = id;
    const auto service = this->service(sets[id].service);
    assert(service);  // the loader checked it
    for (std::uint32_t offset = 0; offset < pool.service_pool_count; ++offset) {
      ServicePool& candidate = service_pools_[pool.first_service_pool + offset];
      if (candidate.service != *service) continue;
      candidate.answer_sets.push_back(id);
      answer_sets_[id].service_pool = pool.first_service_pool + offset;
    }
  }
  // The strings no longer move: views into them may be kept.
  for (ServerId id = 0; id < servers_.size(); ++id) server_by_name_.emplace(servers_[id].fqdn, id);
  for (PoolId id = 0; id < pools_.size(); ++id) pool_by_name_.emplace(pools_[id].fqdn, id);
  for (AnswerSetId id = 0; id < answer_sets_.size(); ++id) {
    answer_set_by_owner_.emplace(answer_sets_[id].owner, id);
  }
}

void Topology::add_pool(const config::Pool& from, PoolId id) {
  TopologyPool pool;
  pool.fqdn = from.fqdn;
  const auto follows = service(from.service);
  assert(follows);
  pool.service = *follows;
  pool.ttl = from.ttl;
  pool.min_accepting = from.min_accepting;
  pool.when_all_held = from.when_all_held;
  pool.dns_load_balancing = from.dns_load_balancing;
  pool.first_server = static_cast<ServerId>(servers_.size());
  pool.server_count = static_cast<std::uint32_t>(from.servers.size());
  pool.first_service_pool = static_cast<ServicePoolId>(service_pools_.size());
  // Every service that a name follows has a service pool, even one that no server runs.
  service_pool(pool, id, pool.service);
  for (const config::Srv& srv : from.srv) service_pool(pool, id, *service(srv.service));
  for (const config::Feature& feature : from.features) {
    service_pool(pool, id, *service(feature.service));
  }
  for (const config::Server& server : from.servers) {
    TopologyServer entry{server.fqdn, id, server.addresses, server.weight, {}};
    const auto server_id = static_cast<ServerId>(servers_.size());
    for (const std::string& name : server.services) {
      const ServiceId service_id = *service(name);
      const ServicePoolId group = service_pool(pool, id, service_id);
      service_pools_[group].servers.push_back(server_id);
      const auto startup = server.startup.find(name);
      entry.services.push_back(
          {service_id, group,
           startup == server.startup.end() ? config::Startup::Automatic : startup->second});
    }
    servers_.push_back(std::move(entry));
  }
  pools_.push_back(std::move(pool));
}

ServicePoolId Topology::service_pool(TopologyPool& pool, PoolId id, ServiceId service) {
  for (std::uint32_t offset = 0; offset < pool.service_pool_count; ++offset) {
    const ServicePoolId existing = pool.first_service_pool + offset;
    if (service_pools_[existing].service == service) return existing;
  }
  service_pools_.push_back({id, service, {}, {}});
  return pool.first_service_pool + pool.service_pool_count++;
}

std::optional<ServerId> Topology::server(std::string_view fqdn) const {
  return look_up(server_by_name_, fqdn);
}

std::optional<PoolId> Topology::pool(std::string_view fqdn) const {
  return look_up(pool_by_name_, fqdn);
}

std::optional<AnswerSetId> Topology::answer_set(std::string_view owner) const {
  return look_up(answer_set_by_owner_, owner);
}

// Services are few (a console's page): a scan beats a table.
std::optional<ServiceId> Topology::service(std::string_view name) const {
  for (ServiceId id = 0; id < services_.size(); ++id) {
    if (services_[id].name == name) return id;
  }
  return std::nullopt;
}

std::optional<ServiceId> Topology::consolidator(std::string_view component) const {
  for (ServiceId id = 0; id < services_.size(); ++id) {
    if (std::ranges::find(services_[id].consolidates, component) !=
        services_[id].consolidates.end()) {
      return id;
    }
  }
  return std::nullopt;
}

}  // namespace sluice::health
