#include "health/authority.h"

#include <utility>

#include "health/authority_alone.h"
#include "health/authority_following.h"
#include "health/authority_reports.h"
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
      reserved_(stored.generation + kGenerationBlock),
      deciding_(settings_.cluster == nullptr),
      following_(std::make_unique<Following>(*this)),
      reports_(std::make_unique<Reports>(*this)),
      alone_(std::make_unique<Alone>(*this)) {
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
  confirmations_ = {{settings_.responder, 0, true}};
  restore(stored, now);
  plan_grace_round(now);
  auto before = std::make_shared<MembershipSnapshot>();
  before->generation = stored.generation;
  before->answer_sets = base::PagedTable<Members>(topology_->answer_sets().size());
  membership_ = std::move(before);
  if (!deciding_) return;  // follow() is next
  restore_schedules(stored, now);
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

// In a cluster the turn comes first; and what came to nothing, since another responder had taken it
// meanwhile, is done once more.
template <class T>
void Authority::in_turn(std::function<void(Reply<T>)> act, Reply<T> done, bool alone) {
  Cluster* const cluster = state_->cluster();
  if (cluster == nullptr) return act(std::move(done));
  Cluster::Order order;
  order.act = [cluster, act = std::move(act), done](std::uint64_t number) {
    act([cluster, number, done](const Outcome<T>& outcome) {
      cluster->settled(number, [done, outcome] { done(outcome); });
    });
  };
  order.refuse = [done](const Refusal& refusal) { done(base::Unexpected{refusal}); };
  order.alone = alone;
  cluster->order(std::move(order));
}

void Authority::drain(const DrainRequest& request, const Actor& actor, Reply<DrainReply> done) {
  in_turn<DrainReply>(
      [this, request, actor](Reply<DrainReply> reply) {
        state_->drain(request, actor, std::move(reply));
      },
      std::move(done), request.local_force);
}
void Authority::plan(const PlanRequest& request, const Actor& actor, Reply<ScheduleView> done) {
  in_turn<ScheduleView>(
      [this, request, actor](Reply<ScheduleView> reply) {
        state_->plan(request, actor, std::move(reply));
      },
      std::move(done));
}
void Authority::cancel(ScheduleId id, const Actor& actor, Reply<ScheduleView> done) {
  in_turn<ScheduleView>(
      [this, id, actor](Reply<ScheduleView> reply) { state_->cancel(id, actor, std::move(reply)); },
      std::move(done));
}
void Authority::resume(const std::string& server, const std::optional<std::string>& service,
                       const Actor& actor, Reply<ResumeReply> done) {
  in_turn<ResumeReply>(
      [this, server, service, actor](Reply<ResumeReply> reply) {
        state_->resume(server, service, actor, std::move(reply));
      },
      std::move(done));
}
void Authority::force(const std::string& server, const std::optional<std::string>& service,
                      std::optional<Health> health, const Actor& actor, Reply<ResumeReply> done) {
  in_turn<ResumeReply>(
      [this, server, service, health, actor](Reply<ResumeReply> reply) {
        state_->force(server, service, health, actor, std::move(reply));
      },
      std::move(done));
}
void Authority::heartbeat(const std::string& server, const Heartbeat& heartbeat,
                          Reply<HeartbeatReply> done) {
  if (!state_->following().wants_turn(server, heartbeat)) {
    return state_->heartbeat(server, heartbeat, std::move(done));
  }
  // Whoever may not decide takes what it says all the same; its agent pushes the pause again. Taken
  // a second time it is no replay.
  const auto taken = std::make_shared<bool>(false);
  const auto take = [this, server, heartbeat, taken](Reply<HeartbeatReply> reply) {
    state_->heartbeat(server, heartbeat, std::move(reply), std::exchange(*taken, true));
  };
  in_turn<HeartbeatReply>(take,
                          [take, done = std::move(done)](const Outcome<HeartbeatReply>& outcome) {
                            if (outcome || outcome.error().kind != Refusal::Kind::Unavailable)
                              return done(outcome);
                            take(done);
                          });
}
void Authority::on_served(std::uint64_t publication) {
  state_->confirm({{state_->responder(), publication, true}});
}
void Authority::confirm(std::vector<Confirmation> all) {
  state_->confirm(std::move(all));
}
void Authority::follow(const SharedState& whole) {
  state_->following().follow(whole);
}
void Authority::follow(const SharedEdition& edition) {
  state_->following().follow(edition);
}
void Authority::take_turn(bool on) {
  state_->following().take_turn(on);
}
void Authority::act_alone(bool on) {
  state_->alone().act(on);
}
void Authority::answers_are(std::shared_ptr<const MembershipSnapshot> snapshot) {
  state_->answers_are(std::move(snapshot));
}
bool Authority::holds_alone() const {
  return state_->holds_alone();
}
void Authority::adopt_local() {
  state_->alone().adopt();
}
std::uint64_t Authority::generation_alone() const noexcept {
  return state_->alone().generation();
}
void Authority::renew() {
  state_->renew();
}
void Authority::hear(const AgentReport& report, bool vouched) {
  state_->reports().hear(report, vouched);
}
void Authority::judge_heard() {
  state_->reports().judge();
}
void Authority::orphan(const std::string& responder, const std::string& run) {
  state_->reports().orphan(responder, run);
}
void Authority::share_all() {
  state_->reports().share_all();
}
SharedPool Authority::shared_pool(PoolId pool) const {
  return state_->following().shared_pool(pool);
}
SharedHost Authority::shared_host(ServerId server) const {
  return state_->following().shared_host(server);
}
bool Authority::undecided() const noexcept {
  return state_->following().undecided();
}
std::uint64_t Authority::publication() const noexcept {
  return state_->publication();
}
std::uint64_t Authority::renewed() const noexcept {
  return state_->renewed();
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
