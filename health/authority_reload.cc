// A new configuration, all at once. Numbers change with the topology, so everything is taken over
// by name; what waits for something (a drain's reply, a lift) keeps names, never numbers.

#include <algorithm>
#include <utility>

#include "health/authority_following.h"
#include "health/authority_reports.h"
#include "health/authority_state.h"

namespace sluice::health {

void Authority::State::reconfigure(std::shared_ptr<const Topology> topology,
                                   const config::Health& health) {
  const base::Now now = clock_.now();
  const std::shared_ptr<const Topology> before = std::exchange(topology_, std::move(topology));
  note_published_caps(*before);
  Servers old = std::exchange(servers_, {});
  settings_.health = health;
  remember_absent(old, *before, now);
  note_ttls(*before, now);
  std::vector<Period> periods;
  const Returns old_returns = std::exchange(returns_, {});
  servers_.all.reserve(topology_->servers().size());
  servers_.slots.reserve(topology_->slot_count());
  for (ServerId id = 0; id < topology_->servers().size(); ++id) {
    add_fresh(id, now);
    // What is new to this run may have been named before it, with the TTL that the pool had then.
    const auto kept = ttl_kept_until_.find(topology_->pools()[topology_->servers()[id].pool].fqdn);
    if (kept != ttl_kept_until_.end()) keep_until(id, now.to_mono(kept->second));
    adopt_absent(id);
    if (const auto was = before->server(name(id))) {
      take_over(id, old, *before, *was);
      take_over_returns(id, old_returns, *before, *was);
      note_periods(id, before->pools()[before->servers()[*was].pool].ttl, periods);
    } else {
      restore_horizons(id, now);
    }
  }
  regrace(*before);
  index_caps();
  // All of it is decided and told anew, below.
  following_->forget();
  reports_->renumber();
  deadlines_ = {};
  settling_ = {};
  ripening_ = {};
  for (ServerId id = 0; id < servers_.all.size(); ++id) {
    const Lease& lease = at(id).agent->lease;
    if (lease.current) watch(id, lease_end(lease));
    if (lease.guarded()) watch(id, *lease.guarded_until);
    if (const auto settles = at(id).agent->settles_at) settling_.push({*settles, id});
    if (holds_.by_server().contains(name(id))) ripening_.push({now.mono, id});
  }

  resume_slow_starts(now.mono);
  note_leaving(*before, periods);
  publish_all();
  before_reload_ = {};
  for (const Period& period : periods) {
    Naming& still = naming(period.who);
    if (!still.named) still.left_by(publication_);
    start_leaving(period.who, period.ttl, period.cap);
  }
  capped_.clear();
  for (const auto& [id, leaving] : caps_) capped_.insert(id);
  following_->know_all();
  reports_->share_all();
  flush_audit();
}

void Authority::State::keep_until(ServerId id, base::MonoTime horizon) {
  at(id).host.horizon = std::max(at(id).host.horizon, horizon);
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    Naming& naming = at(id, slot).naming;
    naming.horizon = std::max(naming.horizon, horizon);
  }
}

// Keeps what was known of a server under its new number.
void Authority::State::take_over(ServerId id, Servers& old, const Topology& before, ServerId was) {
  const TopologyServer& server = before.servers()[was];
  const auto& services = server.services;
  for (std::size_t slot = 0; slot < services.size(); ++slot) {
    const auto service = topology_->service(before.services()[services[slot].service].name);
    if (!service) continue;
    if (const auto place = topology_->servers()[id].slot_of(*service)) {
      at(id, *place) = std::move(old.slots[server.first_slot + slot]);
    }
  }
  at(id) = std::move(old.all[was]);
}

// Who is named with another TTL from the reload on: the period with the old one ends with it.
void Authority::State::note_periods(ServerId id, std::chrono::seconds old_ttl,
                                    std::vector<Period>& periods) const {
  if (old_ttl == ttl(id)) return;
  if (at(id).host.named) {
    periods.push_back({{id, std::nullopt}, old_ttl, cap_of(before_reload_.hosts, id)});
  }
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    if (!at(id, slot).naming.named) continue;
    const auto capped =
        before_reload_.sets.find(topology_->servers()[id].services[slot].service_pool);
    periods.push_back({{id, slot},
                       old_ttl,
                       capped == before_reload_.sets.end() ? Members::kNoEnd : capped->second});
  }
}

// What the TTLs of a planned drain were until now, in the numbers of the new topology: what caches
// were sent does not live longer for a reload.
void Authority::State::note_published_caps(const Topology& before) {
  for (const ServicePoolId id : capped_) {
    const ServicePool& was = before.service_pools()[id];
    if (was.answer_sets.empty()) continue;
    const base::MonoTime cap = membership_->answer_sets[was.answer_sets.front()].not_after;
    const auto pool = topology_->pool(before.pools()[was.pool].fqdn);
    if (cap == Members::kNoEnd || !pool) continue;
    for (const ServicePoolId now_is : service_pools_of(*pool)) {
      const ServiceId service = topology_->service_pools()[now_is].service;
      if (topology_->services()[service].name == before.services()[was.service].name) {
        before_reload_.sets[now_is] = cap;
      }
    }
  }
  for (const LeavingHost& leaving : membership_->leaving_hosts) {
    if (const auto now_is = topology_->server(before.servers()[leaving.server].fqdn)) {
      before_reload_.hosts.push_back({*now_is, leaving.not_after});
    }
  }
  std::ranges::sort(before_reload_.hosts, {}, &LeavingHost::server);
}

// Periods that ended before, but whose end the workers have not confirmed: they end with the
// reload's publication instead.
void Authority::State::note_leaving(const Topology& before, std::vector<Period>& periods) {
  for (const Leaving& leaving : std::exchange(leaving_, {})) {
    const TopologyServer& was = before.servers()[leaving.who.server];
    const auto id = topology_->server(was.fqdn);
    if (!id) continue;
    if (!leaving.who.slot) {
      periods.push_back({{*id, std::nullopt}, leaving.ttl, leaving.cap});
      continue;
    }
    const auto service =
        topology_->service(before.services()[was.services[*leaving.who.slot].service].name);
    const auto slot =
        service ? topology_->servers()[*id].slot_of(*service) : std::optional<std::size_t>();
    if (slot) periods.push_back({{*id, slot}, leaving.ttl, leaving.cap});
  }
}

// What the caches keep of a pool's answers with the TTL before, for the time after a restart.
void Authority::State::note_ttls(const Topology& before, const base::Now& now) {
  std::erase_if(ttl_kept_until_,
                [&](const auto& kept) { return now.to_mono(kept.second) <= now.mono; });
  std::vector<Change> changes;
  for (const TopologyPool& pool : topology_->pools()) {
    const auto was = before.pool(pool.fqdn);
    if (was && before.pools()[*was].ttl == pool.ttl) continue;
    PutPoolTtl is{std::string(pool.fqdn), pool.ttl, {}};
    const auto kept = ttl_kept_until_.find(is.pool);
    if (kept != ttl_kept_until_.end()) is.kept_until = kept->second;
    if (was) {
      before_reload_.ttls[*topology_->pool(pool.fqdn)] = before.pools()[*was].ttl;
      const auto sent = horizon_of(now.mono, before.pools()[*was].ttl, settings_.health);
      is.kept_until = now.to_moment(std::max(now.to_mono(is.kept_until), sent));
      ttl_kept_until_[is.pool] = is.kept_until;
    }
    changes.emplace_back(std::move(is));
  }
  if (!changes.empty()) commit(std::move(changes), Store::Urgency::Behind);
}

// The health and the force of what the configuration no longer has, and until when caches may name
// it, for when it returns.
void Authority::State::remember_absent(const Servers& old, const Topology& before,
                                       const base::Now& now) {
  std::erase_if(absent_, [&](const auto& each) {
    const Absent& absent = each.second;
    return !absent.service.last_known && !absent.service.forced && absent.horizon <= now.mono;
  });
  for (ServerId was = 0; was < old.all.size(); ++was) {
    const TopologyServer& server = before.servers()[was];
    const auto id = topology_->server(server.fqdn);
    for (std::size_t slot = 0; slot < server.services.size(); ++slot) {
      const std::string& service = before.services()[server.services[slot].service].name;
      const auto service_id = topology_->service(service);
      if (id && service_id && topology_->servers()[*id].slot_of(*service_id)) continue;
      const Slot& was_slot = old.slots[server.first_slot + slot];
      Absent& absent = absent_[{std::string(server.fqdn), service}];
      absent.horizon = was_slot.naming.horizon;
      if (!was_slot.naming.out()) {
        const auto sent = horizon_of(now.mono, before.pools()[server.pool].ttl, settings_.health);
        absent.horizon = std::max(absent.horizon, sent);
      }
      const auto& known = was_slot.service;
      if (!known) continue;
      ServiceState& kept = absent.service;
      kept.last_known = known->last_known;
      kept.kept = known->kept;
      kept.forced = known->forced;
      kept.forced_by.edit() = *known->forced_by;
      kept.forced_since = known->forced_since;
    }
  }
}

void Authority::State::adopt_absent(ServerId id) {
  if (absent_.empty()) return;
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    const auto kept = absent_.find({std::string(name(id)), service_name(id, slot)});
    if (kept == absent_.end()) continue;
    Naming& naming = at(id, slot).naming;
    naming.horizon = std::max(naming.horizon, kept->second.horizon);
    const ServiceState& service = kept->second.service;
    if (service.last_known || service.forced) {
      at(id, slot).service.edit() = std::move(kept->second.service);
    }
    absent_.erase(kept);
  }
}

// A pool that was there keeps its grace, over or not; a new one starts its own with what is left of
// the authority's.
void Authority::State::regrace(const Topology& before) {
  const std::vector<Pool> old = std::exchange(pools_, {});
  pools_.resize(topology_->pools().size());
  for (PoolId id = 0; id < pools_.size(); ++id) {
    const TopologyPool& pool = topology_->pools()[id];
    if (const auto was = before.pool(pool.fqdn)) pools_[id].grace = old[*was].grace;
    for (std::uint32_t i = 0; i < pool.server_count; ++i) {
      if (!at(pool.first_server + i).agent->heard) ++pools_[id].unheard;
    }
  }
  next_grace_ = 0;
  grace_round_ = {};  // with the new settings, at the next tick
}

}  // namespace sluice::health
