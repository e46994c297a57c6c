// What the metrics page shows.

#include <algorithm>
#include <map>
#include <utility>

#include "health/authority_state.h"

namespace sluice::health {

bool Authority::State::add_figures(Figures& figures, std::size_t pools) const {
  const base::Now now = clock_.now();
  if (figures.names != topology_) {
    figures = {};
    figures.names = topology_;
    figures.services.reserve(topology_->service_pools().size());
    figures.mass_loss_guard.reserve(pools_.size());
  }
  for (; pools > 0 && figures.pools < pools_.size(); --pools, ++figures.pools) {
    const auto id = static_cast<PoolId>(figures.pools);
    for (const ServicePoolId service_pool : service_pools_of(id)) {
      add_service_figures(service_pool, now, figures);
    }
    figures.mass_loss_guard.emplace_back(topology_->pools()[id].fqdn, guard_active(id));
  }
  if (figures.pools < pools_.size()) return false;
  add_hold_figures(now, figures);
  figures.schedules = static_cast<std::uint32_t>(plans_.size());
  figures.generation = membership_->generation;
  figures.heartbeats_total = heartbeats_total_;
  figures.store_failures_total = store_failures_total_;
  figures.lease_losses_total = lease_losses_total_;
  figures.publications_total = publications_total_;
  figures.refusals_total = refusals_total_;
  return true;
}

void Authority::State::add_hold_figures(const base::Now& now, Figures& figures) const {
  for (const auto& [server, holds] : holds_.by_server()) {
    for (const Hold& hold : holds) {
      const auto origin = static_cast<std::size_t>(hold.key.origin);
      ++figures.holds.at(origin);
      for (std::size_t age = 0; age < Figures::kHoldAges.size(); ++age) {
        if (now.wall - hold.since >= Figures::kHoldAges.at(age)) {
          ++figures.holds_by_age.at(origin).at(age);
        }
      }
      if (hold.expiry && hold.expiry->alarmed) ++figures.holds_alarming;
    }
  }
}

void Authority::State::add_service_figures(ServicePoolId id, const base::Now& now,
                                           Figures& figures) const {
  const ServicePool& pool = topology_->service_pools()[id];
  Figures::ServiceCount count;
  count.pool = topology_->pools()[pool.pool].fqdn;
  count.service = topology_->services()[pool.service].name;
  count.accepting = accepting_[id];
  for (const AnswerSetId set : pool.answer_sets) {
    count.min_accepting =
        std::max(count.min_accepting, topology_->answer_sets()[set].min_accepting);
  }
  Figures::Draining draining{count.pool, count.service, 0, 0, 0};
  std::map<std::string, std::uint64_t, std::less<>> sessions;  // by counter, of all servers
  bool any_held = false;
  for (const ServerId server : pool.servers) {
    const std::size_t slot = *topology_->servers()[server].slot_of(pool.service);
    const Status is = status(server, slot, now);
    ++count.by_status.at(static_cast<std::size_t>(is));
    const ServiceState& state = *at(server, slot).service;
    if (at(server).agent->lease.current && state.health != Health::Stopped) {
      state.sessions.each([&](std::string_view counter, std::uint64_t number) {
        sessions[std::string(counter)] += number;
      });
    }
    if (!held(server, slot)) continue;
    any_held = true;
    if (is == Status::Draining) {
      ++draining.servers;
      for (const Hold* hold : holds_.covering(name(server), count.service)) {
        const std::chrono::duration<double> age = now.wall - hold->since;
        draining.oldest_seconds = std::max(draining.oldest_seconds, age.count());
      }
    }
    if (!out_of_answers(server, slot)) continue;
    const std::chrono::duration<double> left = horizon(server, slot) - now.mono;
    draining.horizon_seconds = std::max(draining.horizon_seconds, left.count());
  }
  for (const auto& [counter, sum] : sessions) {
    figures.sessions.push_back({count.pool, count.service, counter, sum});
  }
  if (any_held) figures.draining.push_back(draining);
  figures.services.push_back(count);
}

}  // namespace sluice::health
