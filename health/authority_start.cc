// What a start knows from before: holds, health, forces, and until when caches may keep what the
// process before has sent.

#include <algorithm>
#include <cassert>
#include <utility>

#include "health/authority_state.h"

namespace sluice::health {
namespace {

// Rows of one request to the store: a drain that comes meanwhile waits for some milliseconds.
constexpr std::size_t kRowsARequest = 16;
// Caches that keep longer than this are no caches of ours; a wall clock that jumped says so.
constexpr std::chrono::hours kLongestKept{24 * 8};

}  // namespace

// Every slot starts as if it had been named until now: the process before may have done so.
void Authority::State::add_fresh(ServerId id, const base::Now& now) {
  Server& server = servers_.all.emplace_back();
  server.host.horizon = horizon_of(now.mono, ttl(id), settings_.health);
  server.host_hidden = holds_.hides_host(name(id));
  server.host.named = !server.host_hidden;
  assert(servers_.slots.size() == topology_->servers()[id].first_slot);
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    servers_.slots.emplace_back().naming.horizon = server.host.horizon;
  }
}

ServiceState& Authority::State::service_of(const std::string& server, const std::string& service) {
  const auto id = topology_->server(server);
  const auto service_id = topology_->service(service);
  if (id && service_id) {
    if (const auto slot = topology_->servers()[*id].slot_of(*service_id)) {
      return at(*id, *slot).service.edit();
    }
  }
  return absent_[{server, service}].service;
}

void Authority::State::restore(const StoredState& stored, const base::Now& now) {
  restore_ttls(stored, now);
  for (const PutHealth& known : stored.health) {
    ServiceState& state = service_of(known.server, known.service);
    state.last_known = state.kept = known.health;
  }
  for (const PutForce& force : stored.forces) restore_force(force);
  for (const auto& [server, holds] : holds_.by_server()) {
    if (const auto id = topology_->server(server)) restore_horizons(*id, now);
  }
}

// A hold knows from before when caches forget its server; not later than if the server had been
// named until now. After a reboot it knows by the wall clock.
void Authority::State::restore_horizons(ServerId id, const base::Now& now) {
  Server& server = at(id);
  bool all = true;
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    // Only what every hold that covers it says: one that knows no horizon was placed when the
    // service, or its host record, was still named.
    std::optional<base::MonoTime> known;
    for (const Hold* hold : std::as_const(holds_).covering(name(id), service_name(id, slot))) {
      const auto horizon = hold->horizons.find(service_name(id, slot));
      if (horizon == hold->horizons.end()) {
        known.reset();
        break;
      }
      const base::MonoTime says = now.to_mono(horizon->second);
      known = std::max(known.value_or(says), says);
    }
    Naming& naming = at(id, slot).naming;
    if (known) naming.horizon = std::min(naming.horizon, *known);
    all = all && known;
  }
  // The horizons on disk include that of a hidden host record.
  if (all && server.host_hidden) {
    server.host.horizon = {};
    for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
      server.host.horizon = std::max(server.host.horizon, at(id, slot).naming.horizon);
    }
  }
}

// Nobody was named with the TTL that is configured now before the first publication, but with the
// one that was in force last.
void Authority::State::restore_force(const PutForce& force) {
  ServiceState& state = service_of(force.server, force.service);
  state.forced = force.health;
  state.forced_by.edit() = force.by;
  state.forced_since = force.since;
}

void Authority::State::restore_ttls(const StoredState& stored, const base::Now& now) {
  std::vector<const PutPoolTtl*> known(pools_.size(), nullptr);
  for (const PutPoolTtl& each : stored.pool_ttls) {
    if (const auto id = topology_->pool(each.pool)) known[*id] = &each;
  }
  std::vector<Change> changes;
  const auto flush = [&] {
    store_.commit(std::exchange(changes, {}), Store::Urgency::Behind, nullptr);
  };
  for (PoolId id = 0; id < pools_.size(); ++id) {
    const TopologyPool& pool = topology_->pools()[id];
    PutPoolTtl is{std::string(pool.fqdn), pool.ttl, {}};
    if (const PutPoolTtl* was = known[id]) {
      is.kept_until = was->kept_until;
      const base::MonoTime sent = horizon_of(now.mono, was->ttl, settings_.health);
      if (was->ttl != pool.ttl) {
        is.kept_until = now.to_moment(std::max(now.to_mono(is.kept_until), sent));
      }
      const base::MonoTime kept =
          std::min(now.to_mono(is.kept_until), now.mono + base::Duration(kLongestKept));
      const base::MonoTime horizon = std::max(sent, kept);
      for (std::uint32_t i = 0; i < pool.server_count; ++i) {
        const ServerId server = pool.first_server + i;
        at(server).host.horizon = horizon;
        for (std::size_t slot = 0; slot < slot_count(server); ++slot) {
          at(server, slot).naming.horizon = horizon;
        }
      }
      if (now.to_mono(is.kept_until) > now.mono) ttl_kept_until_[is.pool] = is.kept_until;
      if (was->ttl == pool.ttl) continue;
    }
    changes.emplace_back(std::move(is));
    if (changes.size() == kRowsARequest) flush();
  }
  if (!changes.empty()) flush();
  restore_caps(stored.schedules, known, now);
}

}  // namespace sluice::health
