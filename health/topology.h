#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "health/name_index.h"
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

// Names and lists below are views into the topology that they come from.
struct TopologyServer {
  std::string_view fqdn;
  std::string_view domain;  // empty: none
  std::span<const base::IpAddress> addresses;
  std::span<const ServiceSlot> services;  // in the order of the configuration
  PoolId pool = 0;
  // Slots are numbered through all servers: its first one's number.
  std::uint32_t first_slot = 0;
  std::uint8_t weight = 100;

  // The place of a service in `services`, or nothing.
  std::optional<std::size_t> slot_of(ServiceId service) const noexcept;
};

struct TopologyAnswerSet {
  std::string_view owner;
  ServicePoolId service_pool = 0;
  unsigned min_accepting = 1;  // members that a drain must leave
};

// The servers of one pool that run one service. Members, floors and fallbacks are decided here,
// once for all answer sets that follow this service in this pool.
struct ServicePool {
  PoolId pool = 0;
  ServiceId service = 0;
  std::span<const ServerId> servers;  // ascending
  std::span<const AnswerSetId> answer_sets;
};

struct TopologyPool {
  std::string_view fqdn;
  std::chrono::seconds ttl{30};
  ServiceId service = 0;
  base::Duration slow_start{0};  // 0: none
  config::WhenAllHeld when_all_held = config::WhenAllHeld::NoData;
  bool dns_load_balancing = true;
  std::uint16_t answer_size = 0;                 // servers an answer; 0: all
  std::span<const base::IpAddress> last_resort;  // of WhenAllHeld::Addresses
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

  // Of all servers together.
  std::size_t slot_count() const noexcept { return slot_count_; }

 private:
  friend class TopologyBuilder;  // topology.cc

  std::vector<TopologyPool> pools_;
  std::vector<TopologyServer> servers_;
  std::vector<TopologyService> services_;
  std::vector<TopologyAnswerSet> answer_sets_;
  std::vector<ServicePool> service_pools_;
  std::size_t slot_count_ = 0;
  // What the views above point into. Flat, since there may be a million names.
  std::string names_;
  std::vector<base::IpAddress> addresses_;
  std::vector<ServiceSlot> slots_;  // servers of one pool that run the same share theirs
  std::vector<ServerId> service_pool_servers_;
  std::vector<AnswerSetId> service_pool_answer_sets_;

  NameIndex server_by_name_;
  NameIndex pool_by_name_;
  NameIndex answer_set_by_owner_;
};

}  // namespace sluice::health
