#include "health/authority.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "health/authority_state.h"

namespace sluice::health {
namespace {

// Generations reserved on disk ahead of their use: one write for so many changes.
constexpr std::uint64_t kGenerationBlock = 1024;

}  // namespace

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
  servers_.reserve(topology_->servers().size());
  for (ServerId id = 0; id < topology_->servers().size(); ++id) {
    servers_.push_back(fresh_server(id, now));
  }
  restore(stored, now);

  auto before = std::make_shared<MembershipSnapshot>();
  before->generation = stored.generation;
  membership_ = std::move(before);
  publish_all();
}

// Every slot starts as if it had been named until now: the process before may have done so.
Authority::State::Server Authority::State::fresh_server(ServerId id, const base::Now& now) const {
  Server server;
  const base::MonoTime horizon = horizon_of(now.mono, ttl(id), settings_.health);
  server.slots.resize(topology_->servers()[id].services.size());
  for (Slot& slot : server.slots) {
    slot.naming.horizon = horizon;
    slot.service.since = now.wall;
  }
  server.host.horizon = horizon;
  server.host_hidden = holds_.hides_host(name(id));
  server.host.named = !server.host_hidden;
  return server;
}

void Authority::State::restore(const StoredState& stored, const base::Now& now) {
  const auto state_of = [&](const std::string& server,
                            const std::string& service) -> ServiceState& {
    const auto id = topology_->server(server);
    const auto service_id = topology_->service(service);
    if (id && service_id) {
      if (const auto slot = topology_->servers()[*id].slot_of(*service_id)) {
        return servers_[*id].slots[*slot].service;
      }
    }
    return absent_[{server, service}];
  };
  for (const PutHealth& known : stored.health) {
    state_of(known.server, known.service).last_known = known.health;
  }
  for (const PutForce& force : stored.forces) {
    state_of(force.server, force.service).forced = force.health;
  }
  for (ServerId id = 0; id < servers_.size(); ++id) restore_horizons(id, now);
}

// A hold knows from before when caches forget its server. A wall clock that was set back meanwhile
// can't make that later than if the server had been named until now.
void Authority::State::restore_horizons(ServerId id, const base::Now& now) {
  Server& server = servers_[id];
  bool all = true;
  for (std::size_t slot = 0; slot < server.slots.size(); ++slot) {
    std::optional<base::WallTime> known;
    for (const Hold* hold : std::as_const(holds_).covering(name(id), service_name(id, slot))) {
      const auto horizon = hold->horizons.find(service_name(id, slot));
      if (horizon != hold->horizons.end()) {
        known = std::max(known.value_or(horizon->second), horizon->second);
      }
    }
    Naming& naming = server.slots[slot].naming;
    if (known) naming.horizon = std::min(naming.horizon, now.to_mono(*known));
    all = all && known;
  }
  // The horizons on disk include that of a hidden host record.
  if (all && server.host_hidden) {
    server.host.horizon = {};
    for (const Slot& slot : server.slots) {
      server.host.horizon = std::max(server.host.horizon, slot.naming.horizon);
    }
  }
}

Standing Authority::State::standing(ServerId id, std::size_t index) const {
  const Server& server = servers_[id];
  const ServiceState& service = server.slots[index].service;
  Standing standing;
  standing.held = held(id, index);
  if (service.forced) {
    standing.forced = *service.forced == Health::Up ? Standing::Forced::Up : Standing::Forced::Down;
  }
  const auto claim_of = [](Health health) {
    switch (health) {
      case Health::Up:
        return Standing::Claim::Up;
      case Health::Down:
        return Standing::Claim::Down;
      case Health::Stopped:
        break;
    }
    return Standing::Claim::Stopped;
  };
  const bool grace = pools_[topology_->servers()[id].pool].grace;
  if (service.health && server.lease.current) {
    standing.claim = claim_of(*service.health);
    standing.ground = Standing::Ground::Pushed;
  } else if (service.health && server.lease.guarded()) {
    standing.claim = claim_of(*service.health);
    standing.ground = Standing::Ground::Guard;
  } else if (!service.health && grace) {
    standing.claim = claim_of(service.last_known.value_or(Health::Up));
    standing.ground = Standing::Ground::Grace;
  }
  return standing;
}

Decision Authority::State::decide_pool(ServicePoolId id) const {
  const ServicePool& pool = topology_->service_pools()[id];
  std::vector<Standing> standings;
  standings.reserve(pool.servers.size());
  for (const ServerId server : pool.servers) {
    standings.push_back(standing(server, *topology_->servers()[server].slot_of(pool.service)));
  }
  return decide(standings, topology_->pools()[pool.pool].when_all_held);
}

std::shared_ptr<const Members> Authority::State::members_of(ServicePoolId id,
                                                            std::uint64_t generation) const {
  const ServicePool& pool = topology_->service_pools()[id];
  const Decision decision = decide_pool(id);
  auto members = std::make_shared<Members>();
  members->generation = generation;
  members->fallback = decision.fallback;
  for (std::size_t i = 0; i < pool.servers.size(); ++i) {
    if (is_in(decision.rules[i])) members->servers.push_back(pool.servers[i]);
  }
  return members;
}

Authority::State::Edition Authority::State::compose(std::vector<ServicePoolId> dirty) const {
  std::ranges::sort(dirty);
  dirty.erase(std::unique(dirty.begin(), dirty.end()), dirty.end());
  Edition edition;
  for (const ServicePoolId id : dirty) {
    const ServicePool& pool = topology_->service_pools()[id];
    for (const ServerId server : pool.servers) {
      if (holds_.hides_host(name(server)) == servers_[server].host_hidden) continue;
      if (std::ranges::find(edition.hosts, server) == edition.hosts.end()) {
        edition.hosts.push_back(server);
      }
    }
    if (pool.answer_sets.empty()) continue;
    auto members = members_of(id, membership_->generation + 1);
    // They all have the same members: the first stands for them.
    const Members* before = membership_->answer_sets.find(pool.answer_sets.front());
    if (before != nullptr && before->same_answer(*members)) continue;
    edition.service_pools.emplace_back(id, std::move(members));
  }
  return edition;
}

void Authority::State::publish(const Edition& edition) {
  auto next = std::make_shared<MembershipSnapshot>(*membership_);
  next->generation = membership_->generation + 1;
  std::vector<AnswerSetId> changed;
  for (const auto& [id, members] : edition.service_pools) {
    for (const AnswerSetId set : topology_->service_pools()[id].answer_sets) {
      next->answer_sets.set(set, members);
      changed.push_back(set);
    }
  }
  for (const ServerId server : edition.hosts) {
    const auto at = std::ranges::lower_bound(next->hidden_hosts, server);
    if (servers_[server].host_hidden) {
      next->hidden_hosts.erase(at);
    } else {
      next->hidden_hosts.insert(at, server);
    }
  }
  membership_ = std::move(next);
  publication_ = publisher_.publish(membership_, changed, edition.hosts);
  for (const auto& [id, members] : edition.service_pools) note_names(id, *members);
  for (const ServerId server : edition.hosts) note_host(server);
  reserve_generations();
}

void Authority::State::republish(std::vector<ServicePoolId> dirty) {
  const Edition edition = compose(std::move(dirty));
  if (!edition.empty()) publish(edition);
}

void Authority::State::publish_all() {
  auto blank = std::make_shared<MembershipSnapshot>();
  blank->generation = membership_->generation;
  blank->answer_sets = base::PagedTable<Members>(topology_->answer_sets().size());
  for (ServerId id = 0; id < servers_.size(); ++id) {
    if (servers_[id].host_hidden) blank->hidden_hosts.push_back(id);
  }
  membership_ = std::move(blank);
  std::vector<ServicePoolId> all(topology_->service_pools().size());
  for (ServicePoolId id = 0; id < all.size(); ++id) all[id] = id;
  publish(compose(std::move(all)));
}

void Authority::State::republish_server(ServerId id) {
  std::vector<ServicePoolId> dirty;
  for (const ServiceSlot& slot : topology_->servers()[id].services) {
    dirty.push_back(slot.service_pool);
  }
  republish(std::move(dirty));
}

// Who is named by answers has changed with the newest publication: keeps the namings true to it.
void Authority::State::note_names(ServicePoolId id, const Members& members) {
  const ServicePool& pool = topology_->service_pools()[id];
  const std::string& service = topology_->services()[pool.service].name;
  for (const ServerId server : pool.servers) {
    const std::size_t slot = *topology_->servers()[server].slot_of(pool.service);
    Naming& naming = servers_[server].slots[slot].naming;
    const bool named = std::ranges::binary_search(members.servers, server);
    if (named && !naming.named) {
      naming.enter();
      // Served while held: the horizon on disk is no longer true.
      for (Hold* hold : holds_.covering(name(server), service)) {
        if (hold->horizons.erase(service) > 0) persist(*hold);
      }
    } else if (!named && naming.named) {
      naming.leave(publication_);
      start_leaving({server, slot}, ttl(server));
    }
  }
}

void Authority::State::note_host(ServerId id) {
  Server& server = servers_[id];
  server.host_hidden = !server.host_hidden;
  if (server.host_hidden) {
    server.host.leave(publication_);
    start_leaving({id, std::nullopt}, ttl(id));
  } else {
    server.host.enter();
  }
}

void Authority::State::start_leaving(Named who, std::chrono::seconds ttl) {
  leaving_.push_back({publication_, who, ttl});
}

Naming& Authority::State::naming(const Named& who) {
  Server& server = servers_[who.server];
  return who.slot ? server.slots[*who.slot].naming : server.host;
}

void Authority::State::on_served(std::uint64_t publication) {
  if (publication <= served_) return;
  served_ = publication;
  const base::Now now = clock_.now();
  std::vector<std::pair<ServerId, std::size_t>> ended;
  while (!leaving_.empty() && leaving_.front().publication <= served_) {
    const Leaving& leaving = leaving_.front();
    naming(leaving.who)
        .confirm(leaving.publication, horizon_of(now.mono, leaving.ttl, settings_.health));
    const std::size_t slots = servers_[leaving.who.server].slots.size();
    for (std::size_t slot = 0; slot < slots; ++slot) {
      if (!leaving.who.slot || slot == *leaving.who.slot)
        ended.emplace_back(leaving.who.server, slot);
    }
    leaving_.pop_front();
  }
  // The horizons go to disk behind the acknowledgement: without them a restart only waits longer.
  std::map<HoldKey, const Hold*> touched;
  for (const auto& [server, slot] : ended) {
    if (!out_of_answers(server, slot)) continue;
    const std::string& service = service_name(server, slot);
    for (Hold* hold : holds_.covering(name(server), service)) {
      hold->horizons[service] = now.to_wall(horizon(server, slot));
      touched[hold->key] = hold;
    }
  }
  for (const auto& [key, hold] : touched) persist(*hold);
  while (!served_waits_.empty() && served_waits_.front().first <= served_) {
    const auto then = std::move(served_waits_.front().second);
    served_waits_.pop_front();
    then();
  }
}

void Authority::State::after_served(std::function<void()> then) {
  if (served_ >= publication_) {
    then();
  } else {
    served_waits_.emplace_back(publication_, std::move(then));
  }
}

void Authority::State::reserve_generations() {
  if (membership_->generation + kGenerationBlock / 2 < reserved_) return;
  reserved_ = membership_->generation + kGenerationBlock;
  store_.commit({ReserveGenerations{reserved_}}, Store::Urgency::First,
                [self = std::weak_ptr(self_)](const Store::Stored& stored) {
                  const auto state = self.lock();
                  if (state && !stored) ++(*state)->store_failures_total_;
                });
}

base::MonoTime Authority::State::horizon(ServerId id, std::size_t slot) const {
  const Server& server = servers_[id];
  const base::MonoTime own = server.slots[slot].naming.horizon;
  return server.host_hidden ? std::max(own, server.host.horizon) : own;
}

bool Authority::State::out_of_answers(ServerId id, std::size_t slot) const {
  const Server& server = servers_[id];
  return server.slots[slot].naming.out() && (!server.host_hidden || server.host.out());
}

// --- time

base::MonoTime Authority::State::lease_end(const Server& server) const {
  return std::max(*server.lease.last_push + settings_.health.lease, lease_floor_);
}

void Authority::State::watch(ServerId server, base::MonoTime at) {
  deadlines_.push({at, server});
}

void Authority::State::tick() {
  const base::Now now = clock_.now();
  // next_deadline() is never further away than a heartbeat. Who slept for longer was itself stopped
  // or starved, and must not judge leases before the agents have had their chance.
  if (now.mono - alive_ > 2 * settings_.health.heartbeat) {
    lease_floor_ = now.mono + settings_.health.lease;
  }
  alive_ = now.mono;
  while (!deadlines_.empty() && deadlines_.top().at <= now.mono) {
    const ServerId id = deadlines_.top().server;
    deadlines_.pop();
    Server& server = servers_[id];
    if (server.lease.current) {
      const base::MonoTime end = lease_end(server);
      if (end > now.mono) {
        watch(id, end);  // pushed meanwhile: heartbeats never touch the queue
      } else {
        end_lease(id, now);
      }
    } else if (server.lease.guarded()) {
      if (*server.lease.guarded_until > now.mono) {
        watch(id, *server.lease.guarded_until);
      } else {
        server.lease.guarded_until.reset();
        say("lease", id, "", "", "the mass-loss guard ended: out until its agent pushes");
        republish_server(id);
      }
    }
  }
  end_grace(now);
  for (std::size_t i = 0; i < lift_waits_.size();) {
    if (lift_waits_[i].deadline > now.mono) {
      ++i;
      continue;
    }
    LiftWait wait = std::move(lift_waits_[i]);
    lift_waits_.erase(lift_waits_.begin() + static_cast<std::ptrdiff_t>(i));
    for (const std::string& service : wait.services) {
      const auto target = resolve(wait.server, service);
      if (!target) continue;
      ServiceState& state = servers_[target->server].slots[*target->slot].service;
      if (state.lift == ServiceState::Lift::Asked) state.lift = ServiceState::Lift::No;
    }
    wait.finish(false);
  }
}

std::optional<base::MonoTime> Authority::State::next_deadline() const {
  base::MonoTime next = alive_ + settings_.health.heartbeat;
  if (!deadlines_.empty()) next = std::min(next, deadlines_.top().at);
  for (const LiftWait& wait : lift_waits_) next = std::min(next, wait.deadline);
  return next;
}

void Authority::State::end_lease(ServerId id, const base::Now& now) {
  Server& server = servers_[id];
  if (!server.lease.guarded_until) {
    const TopologyPool& pool = topology_->pools()[topology_->servers()[id].pool];
    std::vector<Lease> leases;
    leases.reserve(pool.server_count);
    for (std::uint32_t i = 0; i < pool.server_count; ++i) {
      leases.push_back(servers_[pool.first_server + i].lease);
    }
    const Loss loss = judge_loss(leases, settings_.health, now.mono);
    if (loss.mass) {
      for (const std::size_t lost : loss.lost) {
        servers_[pool.first_server + lost].lease.guarded_until =
            now.mono + settings_.health.mass_loss_hold;
      }
      say("mass-loss", id, "", "",
          std::to_string(loss.lost.size()) + " of " + std::to_string(loss.current_before) +
              " agents of " + pool.fqdn + " went silent at once: their last known health stands");
    }
  }
  server.lease.current = false;
  if (server.lease.guarded_until) {
    watch(id, *server.lease.guarded_until);
  } else {
    say("lease", id, "", "", "the lease ran out: its agent went silent");
  }
  republish_server(id);
}

void Authority::State::end_grace(const base::Now& now) {
  if (!any_grace_) return;
  const base::MonoTime started = std::max(started_, lease_floor_ - settings_.health.lease);
  if (now.mono < started + settings_.health.lease) return;
  any_grace_ = false;
  std::vector<ServicePoolId> dirty;
  for (PoolId id = 0; id < pools_.size(); ++id) {
    if (!pools_[id].grace) continue;
    const TopologyPool& pool = topology_->pools()[id];
    if (in_grace({started, pool.server_count, pools_[id].unheard}, settings_.health, now.mono)) {
      any_grace_ = true;
      continue;
    }
    pools_[id].grace = false;
    for (const ServicePoolId service_pool : service_pools_of(id)) dirty.push_back(service_pool);
  }
  if (!dirty.empty()) republish(std::move(dirty));
}

std::vector<ServicePoolId> Authority::State::service_pools_of(PoolId id) const {
  const TopologyPool& pool = topology_->pools()[id];
  std::vector<ServicePoolId> all;
  for (std::uint32_t i = 0; i < pool.service_pool_count; ++i) {
    all.push_back(pool.first_service_pool + i);
  }
  return all;
}

void Authority::State::say(std::string type, ServerId server, std::string_view service,
                           std::string by, std::string text) const {
  if (!events_) return;
  events_({clock_.now().wall, std::move(type), name(server), std::string(service), std::move(by),
           std::move(text), membership_->generation});
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
std::vector<PoolView> Authority::pools() const {
  return state_->pools();
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
