#include "health/authority.h"

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
  started_wall_ = now.wall;
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
  restore_schedules(stored, now);

  auto before = std::make_shared<MembershipSnapshot>();
  before->generation = stored.generation;
  membership_ = std::move(before);
  publish_all();
  flush_audit();
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
bool Authority::add_figures(Figures& figures, std::size_t pools) const {
  return state_->add_figures(figures, pools);
}
const Histogram& Authority::drain_ack_seconds() const noexcept {
  return state_->drain_ack_seconds();
}
std::shared_ptr<const Topology> Authority::topology() const noexcept {
  return state_->topology();
}

}  // namespace sluice::health
