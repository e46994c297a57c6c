#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model.h"
#include "health/snapshot.h"

// The configuration as the authority works with it: numbers in place of names, and who follows
// whom. Immutable; a reload makes a new one.
namespace sluice::health {

using PoolId = std::uint32_t;
using ServiceId = std::uint32_t;
using ServicePoolId = std::uint32_t;

struct TopologyService {
  std::string name;
  std::string title;
  std::vector<std::string> consolidates;
};

// One service on one server.
struct ServiceSlot {
  ServiceId service = 0;
  ServicePoolId service_pool = 0;
  config::Startup startup = config::Startup::Automatic;
};

struct TopologyServer {
  std::string fqdn;
  PoolId pool = 0;
  std::vector<base::IpAddress> addresses;
  std::uint8_t weight = 100;
  std::vector<ServiceSlot> services;  // in the order of the configuration

  // The place of a service in `services`, or nothing.
  std::optional<std::size_t> slot_of(ServiceId service) const noexcept;
};

struct TopologyAnswerSet {
  std::string owner;
  ServicePoolId service_pool = 0;
};

// The servers of one pool that run one service. Members, floors and fallbacks are decided here,
// once for all answer sets that follow this service in this pool.
struct ServicePool {
  PoolId pool = 0;
  ServiceId service = 0;
  std::vector<ServerId> servers;  // ascending
  std::vector<AnswerSetId> answer_sets;
};

struct TopologyPool {
  std::string fqdn;
  ServiceId service = 0;
  std::chrono::seconds ttl{30};
  unsigned min_accepting = 1;
  config::WhenAllHeld when_all_held = config::WhenAllHeld::NoData;
  bool dns_load_balancing = true;
  // Its servers, answer sets and service pools: `count` of each from `first` on.
  ServerId first_server = 0;
  std::uint32_t server_count = 0;
  AnswerSetId first_answer_set = 0;
  std::uint32_t answer_set_count = 0;
  ServicePoolId first_service_pool = 0;
  std::uint32_t service_pool_count = 0;
};

class Topology {
 public:
  explicit Topology(const config::Config& config);
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  const std::vector<TopologyPool>& pools() const noexcept { return pools_; }
  const std::vector<TopologyServer>& servers() const noexcept { return servers_; }
  const std::vector<TopologyService>& services() const noexcept { return services_; }
  const std::vector<TopologyAnswerSet>& answer_sets() const noexcept { return answer_sets_; }
  const std::vector<ServicePool>& service_pools() const noexcept { return service_pools_; }

  // By exact name, in lower case.
  std::optional<ServerId> server(std::string_view fqdn) const;
  std::optional<PoolId> pool(std::string_view fqdn) const;
  std::optional<ServiceId> service(std::string_view name) const;
  std::optional<AnswerSetId> answer_set(std::string_view owner) const;
  // The service that consolidates this component, if any does.
  std::optional<ServiceId> consolidator(std::string_view component) const;

 private:
  ServicePoolId service_pool(TopologyPool& pool, PoolId id, ServiceId service);
  void add_pool(const config::Pool& pool, PoolId id);

  std::vector<TopologyPool> pools_;
  std::vector<TopologyServer> servers_;
  std::vector<TopologyService> services_;
  std::vector<TopologyAnswerSet> answer_sets_;
  std::vector<ServicePool> service_pools_;
  // Views into the vectors above, which do not change once built.
  std::unordered_map<std::string_view, ServerId> server_by_name_;
  std::unordered_map<std::string_view, PoolId> pool_by_name_;
  std::unordered_map<std::string_view, AnswerSetId> answer_set_by_owner_;
};

}  // namespace sluice::health
