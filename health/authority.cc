#include "health/authority.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "health/authority_state.h"

namespace sluice::health {

Authority::State::State(std::shared_ptr<const Topology> topology, Settings settings,
                        const base::Clock& clock, Publisher& publisher, Store& store,
                        StoredState stored, Events events)
    : topology_(std::move(topology)),
      settings_(std::move(settings)),
      clock_(clock),
      publisher_(publisher),
      store_(store),
      events_(std::move(events)),
      reserved_(stored.generation + kGenerationBlock) {
  const base::Now now = clock_.now();
  started_ = alive_ = lease_floor_ = now.mono;
  for (Hold& hold : stored.holds) holds_.place(std::move(hold));
  pools_.resize(topology_->pools().size());
  for (PoolId pool = 0; pool < pools_.size(); ++pool) {
    pools_[pool].unheard = topology_->pools()[pool].server_count;
  }
  servers_.all.reserve(topology_->servers().size());
  servers_.slots.reserve(topology_->slot_count());
  for (ServerId id = 0; id < topology_->servers().size(); ++id) add_fresh(id, now);
  restore(stored, now);
  plan_grace_round(now);

  auto before = std::make_shared<MembershipSnapshot>();
  before->generation = stored.generation;
  membership_ = std::move(before);
  publish_all();
}

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

void Authority::State::restore(const StoredState& stored, const base::Now& now) {
  const auto state_of = [&](const std::string& server,
                            const std::string& service) -> ServiceState& {
    const auto id = topology_->server(server);
    const auto service_id = topology_->service(service);
    if (id && service_id) {
      if (const auto slot = topology_->servers()[*id].slot_of(*service_id)) {
        return at(*id, *slot).service.edit();
      }
    }
    return absent_[{server, service}];
  };
  for (const PutHealth& known : stored.health) {
    state_of(known.server, known.service).last_known = known.health;
  }
  for (const PutForce& force : stored.forces) {
    ServiceState& state = state_of(force.server, force.service);
    state.forced = force.health;
    state.forced_by = force.by;
    state.forced_since = force.since;
  }
  for (const auto& [server, holds] : holds_.by_server()) {
    if (const auto id = topology_->server(server)) restore_horizons(*id, now);
  }
}

// A hold knows from before when caches forget its server. A wall clock that was set back meanwhile
// can't make that later than if the server had been named until now.
void Authority::State::restore_horizons(ServerId id, const base::Now& now) {
  Server& server = at(id);
  bool all = true;
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    // Only what every hold that covers it says: one that knows no horizon was placed when the
    // service, or its host record, was still named.
    std::optional<base::WallTime> known;
    for (const Hold* hold : std::as_const(holds_).covering(name(id), service_name(id, slot))) {
      const auto horizon = hold->horizons.find(service_name(id, slot));
      if (horizon == hold->horizons.end()) {
        known.reset();
        break;
      }
      known = std::max(known.value_or(horizon->second), horizon->second);
    }
    Naming& naming = at(id, slot).naming;
    if (known) naming.horizon = std::min(naming.horizon, now.to_mono(*known));
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

void Authority::State::say(EventType type, ServerId server, std::string_view service,
                           std::string by, std::string text) const {
  if (!events_) return;
  Event event;
  event.at = clock_.now().wall;
  event.type = type;
  event.server = name(server);
  event.service = service;
  event.by = std::move(by);
  event.text = std::move(text);
  event.generation = membership_->generation;
  events_(event);
}

// --- the door

Authority::Authority(std::shared_ptr<const Topology> topology, Settings settings,
                     const base::Clock& clock, Publisher& publisher, Store& store,
                     StoredState stored, Events events)
    : state_(std::make_unique<State>(std::move(topology), std::move(settings), clock, publisher,
                                     store, std::move(stored), std::move(events))) {}
Authority::~Authority() = default;

void Authority::drain(const DrainRequest& request, const Actor& actor, Reply<DrainReply> done) {
  state_->drain(request, actor, std::move(done));
}
void Authority::plan(const PlanRequest& request, const Actor& actor, Reply<ScheduleView> done) {
  state_->plan(request, actor, std::move(done));
}
void Authority::cancel(ScheduleId id, const Actor& actor, Reply<ScheduleView> done) {
  state_->cancel(id, actor, std::move(done));
}
void Authority::resume(const std::string& server, const std::optional<std::string>& service,
                       const Actor& actor, Reply<ResumeReply> done) {
  state_->resume(server, service, actor, std::move(done));
}
void Authority::force(const std::string& server, const std::optional<std::string>& service,
                      std::optional<Health> health, const Actor& actor, Reply<ResumeReply> done) {
  state_->force(server, service, health, actor, std::move(done));
}
void Authority::heartbeat(const std::string& server, const Heartbeat& heartbeat,
                          Reply<HeartbeatReply> done) {
  state_->heartbeat(server, heartbeat, std::move(done));
}
void Authority::on_served(std::uint64_t publication) {
  state_->on_served(publication);
}
void Authority::tick() {
  state_->tick();
}
std::optional<base::MonoTime> Authority::next_deadline() const {
  return state_->next_deadline();
}
void Authority::reconfigure(std::shared_ptr<const Topology> topology,
                            const config::Health& health) {
  state_->reconfigure(std::move(topology), health);
}
std::uint64_t Authority::generation() const noexcept {
  return state_->generation();
}
std::vector<PoolView> Authority::pools(PoolId first, std::size_t count) const {
  return state_->pools(first, count);
}
std::optional<PoolView> Authority::pool(std::string_view fqdn) const {
  return state_->pool(fqdn);
}
std::optional<ServerView> Authority::server(std::string_view fqdn) const {
  return state_->server(fqdn);
}
Outcome<Verdict> Authority::verdict(std::string_view server,
                                    const std::optional<std::string>& service) const {
  return state_->verdict(server, service);
}
std::optional<Explanation> Authority::explain(std::string_view owner) const {
  return state_->explain(owner);
}
std::vector<OrphanView> Authority::orphans() const {
  return state_->orphans();
}
std::vector<ScheduleView> Authority::schedules() const {
  return state_->schedules();
}
Figures Authority::figures() const {
  return state_->figures();
}
const Histogram& Authority::drain_ack_seconds() const noexcept {
  return state_->drain_ack_seconds();
}
std::shared_ptr<const Topology> Authority::topology() const noexcept {
  return state_->topology();
}

}  // namespace sluice::health
