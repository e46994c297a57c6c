#include "health/topology.h"

#include <algorithm>
#include <cassert>

namespace sluice::health {
std::optional<std::size_t> TopologyServer::slot_of(ServiceId service) const noexcept {
  for (std::size_t slot = 0; slot < services.size(); ++slot) {
    if (services[slot].service == service) return slot;
  }
  return std::nullopt;
}

// Fills a topology. The flat lists get their room first, so that the views into them stay valid.
class TopologyBuilder {
 public:
  TopologyBuilder(Topology& out, const config::Config& config) : out_(out), config_(config) {}

  void build() {
    for (const config::Service& service : config_.services) {
      out_.services_.push_back({service.name, service.title, service.consolidates});
    }
    reserve();
    for (const config::Pool& pool : config_.pools) add_pool(pool);
    index_names();
  }

 private:
  // The servers and answer sets of one service pool, while its pool is gathered.
  struct Gathered {
    ServiceId service = 0;
    std::vector<ServerId> servers;
    std::vector<AnswerSetId> answer_sets;
  };

  void reserve() {
    std::size_t servers = 0;
    std::size_t slots = 0;
    std::size_t addresses = 0;
    std::size_t answer_sets = 0;
    std::size_t octets = 0;
    for (const config::Pool& pool : config_.pools) {
      const std::size_t below = pool.srv.size() + pool.features.size();
      answer_sets += 1 + below;
      octets += (1 + below) * (pool.fqdn.size() + 1);
      for (const config::Srv& srv : pool.srv) octets += srv.name.size();
      for (const config::Feature& feature : pool.features) octets += feature.name.size();
      servers += pool.servers.size();
      addresses += pool.last_resort.size();
      for (const config::Server& server : pool.servers) {
        octets += server.fqdn.size() + server.domain.size();
        addresses += server.addresses.size();
        slots += server.services.size();
      }
    }
    out_.pools_.reserve(config_.pools.size());
    out_.servers_.reserve(servers);
    out_.answer_sets_.reserve(answer_sets);
    out_.names_.reserve(octets);
    out_.addresses_.reserve(addresses);
    out_.slots_.reserve(slots);
    out_.service_pool_servers_.reserve(slots);
    out_.service_pool_answer_sets_.reserve(answer_sets);
  }

  std::string_view keep(std::string_view text) {
    out_.names_ += text;
    return std::string_view(out_.names_).substr(out_.names_.size() - text.size());
  }
  // `below` under the pool, in one piece.
  std::string_view keep(std::string_view below, std::string_view pool) {
    keep(below);
    keep(".");
    keep(pool);
    return std::string_view(out_.names_)
        .substr(out_.names_.size() - below.size() - 1 - pool.size());
  }

  template <class T>
  static std::span<const T> append(std::vector<T>& list, std::span<const T> items) {
    list.insert(list.end(), items.begin(), items.end());
    return std::span<const T>(list).last(items.size());
  }

  void add_pool(const config::Pool& from) {
    TopologyPool pool;
    pool.fqdn = keep(from.fqdn);
    pool.service = service(from.service);
    pool.ttl = from.ttl;
    pool.slow_start = from.slow_start;
    pool.when_all_held = from.when_all_held;
    pool.dns_load_balancing = from.dns_load_balancing;
    pool.answer_size = static_cast<std::uint16_t>(from.answer_size);
    pool.last_resort = append<base::IpAddress>(out_.addresses_, from.last_resort);
    pool.first_server = static_cast<ServerId>(out_.servers_.size());
    pool.server_count = static_cast<std::uint32_t>(from.servers.size());
    pool.first_answer_set = static_cast<AnswerSetId>(out_.answer_sets_.size());
    pool.first_service_pool = static_cast<ServicePoolId>(out_.service_pools_.size());
    gathered_.clear();
    // Every service that a name follows has a service pool, even one that no server runs.
    add_answer_set(pool, pool.fqdn, pool.service);
    for (const config::Srv& srv : from.srv) {
      add_answer_set(pool, keep(srv.name, from.fqdn), service(srv.service));
    }
    for (const config::Feature& feature : from.features) {
      add_answer_set(pool, keep(feature.name, from.fqdn), service(feature.service));
    }
    pool.answer_set_count =
        static_cast<std::uint32_t>(out_.answer_sets_.size()) - pool.first_answer_set;
    last_server_ = nullptr;
    for (const config::Server& server : from.servers) add_server(pool, server);
    set_floors(pool, from);
    pool.service_pool_count = static_cast<std::uint32_t>(gathered_.size());
    const auto id = static_cast<PoolId>(out_.pools_.size());
    for (const Gathered& gathered : gathered_) {
      out_.service_pools_.push_back(
          {id, gathered.service, append<ServerId>(out_.service_pool_servers_, gathered.servers),
           append<AnswerSetId>(out_.service_pool_answer_sets_, gathered.answer_sets)});
    }
    out_.pools_.push_back(pool);
  }

  // Once it is known how many servers could be in each answer set.
  void set_floors(const TopologyPool& pool, const config::Pool& from) {
    const std::size_t first_feature = pool.answer_set_count - from.features.size();
    for (std::uint32_t i = 0; i < pool.answer_set_count; ++i) {
      TopologyAnswerSet& set = out_.answer_sets_[pool.first_answer_set + i];
      const auto* own = i < first_feature ? nullptr : &from.features[i - first_feature];
      const config::MinAccepting& floor =
          own != nullptr && own->min_accepting ? *own->min_accepting : from.min_accepting;
      set.min_accepting =
          floor.of(gathered_[set.service_pool - pool.first_service_pool].servers.size());
    }
  }

  void add_answer_set(const TopologyPool& pool, std::string_view owner, ServiceId service) {
    const std::size_t offset = gather(service);
    gathered_[offset].answer_sets.push_back(static_cast<AnswerSetId>(out_.answer_sets_.size()));
    out_.answer_sets_.push_back(
        {owner, pool.first_service_pool + static_cast<ServicePoolId>(offset), 1});
  }

  void add_server(const TopologyPool& pool, const config::Server& from) {
    const auto id = static_cast<ServerId>(out_.servers_.size());
    TopologyServer server;
    server.fqdn = keep(from.fqdn);
    if (!from.domain.empty()) server.domain = keep(from.domain);
    server.addresses = append<base::IpAddress>(out_.addresses_, from.addresses);
    server.pool = static_cast<PoolId>(out_.pools_.size());
    server.weight = from.weight;
    server.first_slot = static_cast<std::uint32_t>(out_.slot_count_);
    const bool as_last = last_server_ != nullptr && last_server_->services == from.services &&
                         last_server_->startup == from.startup;
    server.services = as_last ? out_.servers_.back().services : add_slots(pool, from);
    for (const ServiceSlot& slot : server.services) {
      gathered_[slot.service_pool - pool.first_service_pool].servers.push_back(id);
    }
    out_.slot_count_ += server.services.size();
    out_.servers_.push_back(server);
    last_server_ = &from;
  }

  std::span<const ServiceSlot> add_slots(const TopologyPool& pool, const config::Server& from) {
    for (const std::string& name : from.services) {
      const ServiceId id = service(name);
      const auto offset = static_cast<ServicePoolId>(gather(id));
      const auto startup = from.startup.find(name);
      out_.slots_.push_back(
          {id, pool.first_service_pool + offset,
           startup == from.startup.end() ? config::Startup::Automatic : startup->second});
    }
    return std::span<const ServiceSlot>(out_.slots_).last(from.services.size());
  }

  // The place in gathered_ of the service, which has one from here on.
  std::size_t gather(ServiceId service) {
    for (std::size_t offset = 0; offset < gathered_.size(); ++offset) {
      if (gathered_[offset].service == service) return offset;
    }
    gathered_.push_back({service, {}, {}});
    return gathered_.size() - 1;
  }

  ServiceId service(std::string_view name) const {
    const auto id = out_.service(name);
    assert(id);  // the loader checked it
    return *id;
  }

  void index_names() {
    out_.server_by_name_ = NameIndex(out_.servers_.size());
    for (ServerId id = 0; id < out_.servers_.size(); ++id) {
      out_.server_by_name_.add(out_.servers_[id].fqdn, id);
    }
    out_.pool_by_name_ = NameIndex(out_.pools_.size());
    for (PoolId id = 0; id < out_.pools_.size(); ++id) {
      out_.pool_by_name_.add(out_.pools_[id].fqdn, id);
    }
    out_.answer_set_by_owner_ = NameIndex(out_.answer_sets_.size());
    for (AnswerSetId id = 0; id < out_.answer_sets_.size(); ++id) {
      out_.answer_set_by_owner_.add(out_.answer_sets_[id].owner, id);
    }
  }

  Topology& out_;
  const config::Config& config_;
  std::vector<Gathered> gathered_;  // of the pool that is being added
  const config::Server* last_server_ = nullptr;
};

Topology::Topology(const config::Config& config) {
  TopologyBuilder(*this, config).build();
}

std::optional<ServerId> Topology::server(std::string_view fqdn) const {
  return server_by_name_.find(fqdn, [&](std::uint32_t id) { return servers_[id].fqdn; });
}

std::optional<PoolId> Topology::pool(std::string_view fqdn) const {
  return pool_by_name_.find(fqdn, [&](std::uint32_t id) { return pools_[id].fqdn; });
}

std::optional<AnswerSetId> Topology::answer_set(std::string_view owner) const {
  return answer_set_by_owner_.find(owner, [&](std::uint32_t id) { return answer_sets_[id].owner; });
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
