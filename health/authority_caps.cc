// TTLs that end in time: what is planned, in the answers until then (semantics.md section 7).

#include <algorithm>
#include <utility>

#include "health/authority_state.h"

namespace sluice::health {

// Which servers of a service pool are to be forgotten by caches, and by when.
void Authority::State::index_caps() {
  caps_.clear();
  leaving_hosts_.clear();
  for (const auto& [id, plan] : plans_) {
    const std::optional<std::string> service =
        plan.drain.service.empty() ? std::nullopt : std::optional(plan.drain.service);
    const auto target = resolve(plan.drain.server, service);
    if (!target) continue;
    for (const std::size_t slot : slots_of(*target)) {
      caps_[topology_->servers()[target->server].services[slot].service_pool].push_back(
          {target->server, plan.not_after});
    }
    if (!plan.drain.hide_host) continue;
    const auto place =
        std::ranges::lower_bound(leaving_hosts_, target->server, {}, &LeavingHost::server);
    if (place != leaving_hosts_.end() && place->server == target->server) {
      place->not_after = std::min(place->not_after, plan.not_after);
    } else {
      leaving_hosts_.insert(place, {target->server, plan.not_after});
    }
  }
}

base::MonoTime Authority::State::cap_of(ServicePoolId id,
                                        const std::vector<ServerId>& members) const {
  base::MonoTime cap = Members::kNoEnd;
  const auto found = caps_.find(id);
  if (found == caps_.end()) return cap;
  for (const LeavingHost& leaving : found->second) {
    if (std::ranges::binary_search(members, leaving.server)) {
      cap = std::min(cap, leaving.not_after);
    }
  }
  return cap;
}

base::MonoTime Authority::State::cap_of(const std::vector<LeavingHost>& hosts, ServerId server) {
  const auto found = std::ranges::lower_bound(hosts, server, {}, &LeavingHost::server);
  return found != hosts.end() && found->server == server ? found->not_after : Members::kNoEnd;
}

// Publishes what the plans of now make of TTLs: the same members, the same generation.
void Authority::State::recap() {
  std::vector<ServicePoolId> dirty;
  for (const auto& [id, leaving] : caps_) dirty.push_back(id);
  index_caps();
  for (const auto& [id, leaving] : caps_) dirty.push_back(id);
  // begin_planned() has dropped its plan from caps_ already: what is published may still have it.
  dirty.insert(dirty.end(), capped_.begin(), capped_.end());
  capped_.clear();
  for (const auto& [id, leaving] : caps_) capped_.insert(id);
  adjust(std::move(dirty));
}

// The process before capped the TTLs of the planned servers' names: caches keep what was sent
// before that for a TTL, and nothing else beyond the plan's time. `known`: what each pool was
// served with; null where that is not known.
void Authority::State::restore_caps(const std::vector<PlannedDrain>& plans,
                                    const std::vector<const PutPoolTtl*>& known,
                                    const base::Now& now) {
  for (const PlannedDrain& drain : plans) {
    const std::optional<std::string> service =
        drain.service.empty() ? std::nullopt : std::optional(drain.service);
    const auto target = resolve(drain.server, service);
    if (!drain.capped_since || !target) continue;
    const PutPoolTtl* served = known[topology_->servers()[target->server].pool];
    if (served == nullptr) continue;
    const base::MonoTime uncapped =
        horizon_of(now.to_mono(*drain.capped_since), served->ttl, settings_.health);
    const base::MonoTime capped = horizon_of(now.mono, served->ttl, settings_.health,
                                             now.to_mono(not_after(drain, settings_.health)));
    const base::MonoTime bound = std::max({uncapped, capped, now.to_mono(served->kept_until)});
    const auto apply = [&](Naming& naming) { naming.horizon = std::min(naming.horizon, bound); };
    for (const std::size_t slot : slots_of(*target)) apply(at(target->server, slot).naming);
    if (drain.hide_host) apply(at(target->server).host);
  }
}

}  // namespace sluice::health
