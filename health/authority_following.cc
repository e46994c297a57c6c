// One of several responders (health/cluster): what another one decided, held and answered as it
// was decided; and how this one begins to decide itself.

#include "health/authority_following.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "health/authority_alone.h"
#include "health/authority_reports.h"
#include "health/slow_start.h"

namespace sluice::health {

// --- everything anew

// What waits for a reply is void: whoever asked is told so, or asked again, by the cluster.
void Authority::State::Following::forget_shared(std::uint64_t publication) {
  state_.self_ = std::make_shared<State*>(&state_);
  // What was published is what others have, too: that is waited for on.
  std::erase_if(state_.served_waits_,
                [&](const ServedWait& wait) { return wait.publication > publication; });
  state_.not_durable_.clear();
  state_.not_erased_.clear();
  state_.lifting_.clear();
  state_.unaudited_.clear();
  state_.store_failing_ = false;
  state_.plans_.clear();
  state_.expiries_.clear();
  for (Slot& slot : state_.servers_.slots) {
    if (!slot.service) continue;
    ServiceState& service = slot.service.edit();
    service.forced.reset();
    service.lift = ServiceState::Lift::No;
  }
  for (auto& [key, absent] : state_.absent_) absent.service.forced.reset();
}

void Authority::State::Following::follow(const SharedState& whole) {
  assert(!state_.deciding_);
  const base::Now now = state_.clock_.now();
  forget_shared(whole.publication);
  state_.alone_->answered(whole.generation_alone);
  // What this responder knows of holds by itself stays: when caches forgot whom they cover.
  const HoldSet before = std::exchange(state_.holds_, {});
  for (const Hold& hold : whole.stored.holds) {
    Hold mine = hold;
    const Hold* known = before.find(hold.key);
    if (known != nullptr && known->since == hold.since) mine.horizons = known->horizons;
    state_.holds_.place(std::move(mine));
    state_.index_expiry(hold.key);
    if (const auto id = state_.topology_->server(hold.key.server))
      state_.ripening_.push({now.mono, *id});
  }
  for (const auto& [server, holds] : before.by_server()) {
    for (const Hold& hold : holds) {
      if (hold.local && std::as_const(state_.holds_).find(hold.key) == nullptr)
        state_.holds_.place(hold);
    }
  }
  state_.alone_->keep_what_was_not_adopted();
  decide_all_ = true;
  known_pools_.clear();
  undecided_.clear();
  for (const PutForce& force : whole.stored.forces) state_.restore_force(force);
  state_.schedule_ = std::max(state_.schedule_, whole.stored.schedule);
  for (const PlannedDrain& plan : whole.stored.schedules) follow_plan(plan, now);
  state_.index_caps();
  for (const AgentReport& report : whole.agents) state_.reports_->hear(report, false);
  state_.reports_->judge();

  auto next = std::make_shared<MembershipSnapshot>(*state_.membership_);
  next->answer_sets = base::PagedTable<Members>(state_.topology_->answer_sets().size());
  for (AnswerSetId set = 0; set < state_.topology_->answer_sets().size(); ++set) {
    if (state_.membership_->answer_sets.size() > set &&
        state_.membership_->answer_sets.find(set) != nullptr) {
      next->answer_sets.set(set, state_.membership_->answer_sets.share(set));
    }
  }
  // What this responder decided beyond that was never answered.
  next->generation = 0;
  next->renewed = whole.renewed;
  next->host_changes.clear();
  state_.accepting_.resize(state_.topology_->service_pools().size(), 0);
  Edition edition;
  follow_all_hosts(whole.hosts, *next, edition);
  for (const SharedPool& pool : whole.pools) follow_pool(pool, now, Extent::All, edition);
  decide_for_now(whole.generation, edition);
  follow_caps(edition);
  show(edition, std::move(next), whole.publication, whole.generation);
  for (ServerId id = 0; id < state_.servers_.all.size(); ++id) {
    if (!state_.holds_.of(state_.name(id)).empty()) state_.restore_horizons(id, now);
  }
  for (ServerId id = 0; id < state_.servers_.all.size(); ++id) state_.tell_statuses(id, now);
}

// Answer sets that nobody decided yet: a first start, or a configuration that is ahead of the
// others. Until they are decided (by this responder, soon) the answers are what it would decide.
void Authority::State::Following::decide_for_now(std::uint64_t generation, Edition& edition) {
  std::set<ServicePoolId> decided;
  for (const auto& [id, members] : edition.service_pools) decided.insert(id);
  for (ServicePoolId id = 0; id < state_.topology_->service_pools().size(); ++id) {
    const auto sets = state_.topology_->service_pools()[id].answer_sets;
    if (sets.empty() || decided.contains(id) || known_pools_.contains(id)) continue;
    undecided_.insert(id);
    const Decision decision = state_.decide_pool(id);
    state_.accepting_[id] = decision.accepting;
    edition.service_pools.emplace_back(id, state_.members_of(id, decision, generation));
  }
}

// --- one edition

void Authority::State::Following::follow(const SharedEdition& shared) {
  assert(!state_.deciding_);
  const base::Now now = state_.clock_.now();
  std::set<ServerId> touched;
  for (const Change& change : shared.changes) follow_change(change, now, touched);
  state_.index_caps();
  auto next = std::make_shared<MembershipSnapshot>(*state_.membership_);
  next->renewed = std::max(next->renewed, shared.renewed);
  Edition edition;
  follow_hosts(shared.hosts, *next, edition);
  for (const SharedPool& pool : shared.pools) follow_pool(pool, now, Extent::Changed, edition);
  follow_caps(edition);
  show(edition, std::move(next), shared.publication, shared.generation);
  for (const auto& [id, members] : edition.service_pools) {
    for (const ServerId server : state_.topology_->service_pools()[id].servers)
      touched.insert(server);
  }
  for (const ServerId id : touched) {
    state_.tell_statuses(id, now);
    state_.finish_lifts(id);
  }
}

void Authority::State::Following::follow_change(const Change& change, const base::Now& now,
                                                std::set<ServerId>& touched) {
  const auto touch = [&](const std::string& server) {
    if (const auto id = state_.topology_->server(server)) touched.insert(*id);
  };
  if (const auto* hold = std::get_if<PutHold>(&change)) {
    follow_hold(hold->hold, now);
    touch(hold->hold.key.server);
  } else if (const auto* erased = std::get_if<EraseHold>(&change)) {
    state_.holds_.lift(erased->key);
    state_.index_expiry(erased->key);
    if (erased->key.origin == Origin::Host) {
      state_.service_of(erased->key.server, erased->key.service).lift = ServiceState::Lift::No;
    }
    touch(erased->key.server);
  } else if (const auto* force = std::get_if<PutForce>(&change)) {
    state_.restore_force(*force);
    touch(force->server);
  } else if (const auto* plan = std::get_if<PutSchedule>(&change)) {
    follow_plan(plan->plan, now);
  } else if (const auto* over = std::get_if<EraseSchedule>(&change)) {
    state_.plans_.erase(over->id);
  } else if (const auto* numbers = std::get_if<ReserveSchedules>(&change)) {
    state_.schedule_ = std::max(state_.schedule_, numbers->up_to);
  }
}

void Authority::State::Following::follow_hold(const Hold& hold, const base::Now& now) {
  Hold mine = hold;
  const Hold* known = std::as_const(state_.holds_).find(hold.key);
  const bool same = known != nullptr && known->since == hold.since;
  if (same) mine.horizons = known->horizons;
  const auto id = state_.topology_->server(hold.key.server);
  for (std::size_t slot = 0; id && !same && slot < state_.slot_count(*id); ++slot) {
    const std::string& service = state_.service_name(*id, slot);
    if (!mine.covers(service) || !state_.out_of_answers(*id, slot)) continue;
    mine.horizons[service] = now.to_moment(state_.horizon(*id, slot));
    state_.ripening_.push({state_.horizon(*id, slot), *id});
  }
  if (hold.key.origin == Origin::Host) {
    ServiceState& service = state_.service_of(hold.key.server, hold.key.service);
    if (hold.lift_asked) {
      service.lift = ServiceState::Lift::Asked;
    } else if (service.lift == ServiceState::Lift::Asked) {
      service.lift = ServiceState::Lift::No;
    }
  }
  state_.holds_.place(std::move(mine));
  state_.index_expiry(hold.key);
}

void Authority::State::Following::follow_plan(const PlannedDrain& drain, const base::Now& now) {
  Plan plan;
  plan.drain = drain;
  plan.not_after = state_.caches_end(drain, now);
  if (const auto known = state_.plans_.find(drain.id); known != state_.plans_.end()) {
    plan.drain.capped_since = known->second.drain.capped_since;
  }
  state_.plans_.insert_or_assign(drain.id, std::move(plan));
  state_.schedule_ = std::max(state_.schedule_, drain.id);
}

// --- answers

std::shared_ptr<Members> Authority::State::Following::members_of(ServicePoolId id,
                                                                 const SharedSet& set) const {
  auto members = std::make_shared<Members>();
  members->generation = set.generation;
  members->fallback = set.fallback;
  members->since = set.since;
  const ServicePool& pool = state_.topology_->service_pools()[id];
  for (const std::string& server : set.servers) {
    // A configuration that is behind the decider's does not know them all.
    const auto known = state_.topology_->server(server);
    if (!known || !std::ranges::binary_search(pool.servers, *known)) continue;
    if (!state_.alone_->held(*known, set.service)) {
      members->servers.push_back(*known);
    } else {
      members->generation = std::max(members->generation, state_.alone_->generation());
    }
  }
  std::ranges::sort(members->servers);
  for (const auto& [server, tenths] : set.slow_starts) {
    const auto known = state_.topology_->server(server);
    if (known && std::ranges::binary_search(members->servers, *known)) {
      members->slow_starts.edit().push_back({*known, tenths});
    }
  }
  if (members->slow_starts) {
    std::ranges::sort(members->slow_starts.edit(), {}, &SlowStart::server);
  }
  members->not_after = state_.cap_of(id, members->servers);
  return members;
}

void Authority::State::Following::follow_pool(const SharedPool& shared, const base::Now& now,
                                              Extent extent, Edition& edition) {
  const auto pool = state_.topology_->pool(shared.pool);
  if (!pool) return;
  const TopologyPool& where = state_.topology_->pools()[*pool];
  for (std::uint32_t i = 0; i < where.server_count; ++i) {
    const ServerId id = where.first_server + i;
    const auto guarded = shared.guarded.find(std::string(state_.name(id)));
    if (guarded != shared.guarded.end()) {
      Lease& lease = state_.at(id).agent.edit().lease;
      lease.guarded_until = now.to_mono(guarded->second);
      if (!lease.current) state_.watch(id, *lease.guarded_until);
    } else if (state_.at(id).agent->lease.guarded_until) {
      state_.at(id).agent.edit().lease.guarded_until.reset();
    }
  }
  for (const SharedSet& set : shared.sets) {
    const auto service = state_.topology_->service(set.service);
    if (!service) continue;
    for (const ServicePoolId id : state_.service_pools_of(*pool)) {
      const ServicePool& mine = state_.topology_->service_pools()[id];
      if (mine.service != *service || mine.answer_sets.empty()) continue;
      auto members = members_of(id, set);
      state_.accepting_[id] =
          set.fallback == Fallback::None ? static_cast<unsigned>(members->servers.size()) : 0;
      known_pools_.insert(id);
      undecided_.erase(id);
      const Members* before = state_.membership_->answer_sets.find(mine.answer_sets.front());
      if (extent == Extent::Changed && before != nullptr &&
          before->generation == members->generation && before->same_answer(*members)) {
        continue;
      }
      edition.service_pools.emplace_back(id, std::move(members));
    }
  }
}

void Authority::State::Following::follow_hosts(const std::vector<SharedHost>& hosts,
                                               MembershipSnapshot& next, Edition& edition) {
  for (const SharedHost& host : hosts) {
    const auto id = state_.topology_->server(host.server);
    if (!id) continue;
    state_.note_change(next, *id, host.generation);
    if (state_.at(*id).host_hidden != host.hidden) edition.hosts.push_back(*id);
  }
}

void Authority::State::Following::follow_all_hosts(const std::vector<SharedHost>& hosts,
                                                   MembershipSnapshot& next, Edition& edition) {
  std::set<ServerId> hidden;
  for (const SharedHost& host : hosts) {
    const auto id = state_.topology_->server(host.server);
    if (!id) continue;
    state_.note_change(next, *id, host.generation);
    if (host.hidden) hidden.insert(*id);
  }
  for (ServerId id = 0; id < state_.servers_.all.size(); ++id) {
    if (state_.at(id).host_hidden == hidden.contains(id)) continue;
    edition.hosts.push_back(id);
    if (!hidden.contains(id) &&
        !std::ranges::binary_search(next.host_changes, id, {}, &HostChange::server)) {
      state_.note_change(next, id, 0);  // of a hold that came to nothing
    }
  }
}

// Plans that came or went with it: TTLs of others end otherwise, too.
void Authority::State::Following::follow_caps(Edition& edition) const {
  std::set<ServicePoolId> included;
  for (const auto& [id, members] : edition.service_pools) included.insert(id);
  std::set<ServicePoolId> dirty = state_.capped_;
  for (const auto& [id, leaving] : state_.caps_) dirty.insert(id);
  for (const ServicePoolId id : dirty) {
    const auto sets = state_.topology_->service_pools()[id].answer_sets;
    if (sets.empty() || included.contains(id)) continue;
    const Members* before = state_.membership_->answer_sets.find(sets.front());
    if (before == nullptr) continue;
    const base::MonoTime cap = state_.cap_of(id, before->servers);
    if (cap == before->not_after) continue;
    auto members = state_.without_weights(*before);
    if (before->slow_starts) members->slow_starts.edit() = *before->slow_starts;
    members->not_after = cap;
    edition.service_pools.emplace_back(id, std::move(members));
  }
}

void Authority::State::Following::show(const Edition& edition,
                                       std::shared_ptr<MembershipSnapshot> next,
                                       std::uint64_t publication, std::uint64_t generation) {
  const bool moved = generation > state_.membership_->generation;
  next->generation = std::max(next->generation, generation);
  if (state_.holds_alone())
    next->generation = std::max(next->generation, state_.alone_->generation());
  if (state_.publication_ > 0 && edition.empty() && !moved &&
      next->renewed == state_.membership_->renewed &&
      state_.leaving_hosts_ == state_.membership_->leaving_hosts) {
    state_.publication_ = publication;  // of which nothing is to be seen in answers
    return;
  }
  state_.put_in_answers(edition, std::move(next));
  state_.capped_.clear();
  for (const auto& [id, leaving] : state_.caps_) state_.capped_.insert(id);
  if (moved) state_.tell_generation(edition);
}

SharedPool Authority::State::Following::shared_pool(PoolId id) const {
  const base::Now now = state_.clock_.now();
  SharedPool shared;
  shared.pool = state_.topology_->pools()[id].fqdn;
  for (const ServicePoolId service_pool : state_.service_pools_of(id)) {
    const ServicePool& pool = state_.topology_->service_pools()[service_pool];
    if (pool.answer_sets.empty()) continue;
    const Members* members = state_.membership_->answer_sets.find(pool.answer_sets.front());
    if (members == nullptr) continue;
    SharedSet set;
    set.service = state_.topology_->services()[pool.service].name;
    set.generation = members->generation;
    set.fallback = members->fallback;
    set.since = members->since;
    for (const ServerId server : members->servers) set.servers.emplace_back(state_.name(server));
    for (const SlowStart& slow : *members->slow_starts) {
      set.slow_starts.emplace_back(state_.name(slow.server), slow.tenths);
    }
    shared.sets.push_back(std::move(set));
  }
  const TopologyPool& pool = state_.topology_->pools()[id];
  for (std::uint32_t i = 0; i < pool.server_count; ++i) {
    const ServerId server = pool.first_server + i;
    const Lease& lease = state_.at(server).agent->lease;
    if (lease.guarded()) {
      shared.guarded.emplace(state_.name(server), now.to_wall(*lease.guarded_until));
    }
  }
  return shared;
}

// Nothing of it is to be seen in answers, but whoever decides next must know of it.
void Authority::State::Following::tell_guard(PoolId id) {
  if (state_.settings_.cluster == nullptr) return;
  const TopologyPool& pool = state_.topology_->pools()[id];
  const AnswerSetId first[] = {pool.first_answer_set};
  state_.publication_ = state_.publisher_.adjust(state_.membership_, first);
}

SharedHost Authority::State::Following::shared_host(ServerId id) const {
  SharedHost host{std::string(state_.name(id)), state_.at(id).host_hidden,
                  state_.membership_->generation};
  const auto& changes = state_.membership_->host_changes;
  const auto change = std::ranges::lower_bound(changes, id, {}, &HostChange::server);
  if (change != changes.end() && change->server == id) host.generation = change->generation;
  return host;
}

// --- the turn

void Authority::State::Following::forget() {
  known_pools_.clear();
  undecided_.clear();
  unsettled_.clear();
}

void Authority::State::Following::know_all() {
  for (ServicePoolId id = 0; id < state_.topology_->service_pools().size(); ++id) {
    known_pools_.insert(id);
  }
}

void Authority::State::Following::take_turn(bool on) {
  if (on == state_.deciding_) return;
  state_.deciding_ = on;
  if (on) take_what_is_left(state_.clock_.now());
}

// What the turn is needed for: a pause to place, or one that its host has lifted.
bool Authority::State::Following::wants_turn(const std::string& server,
                                             const Heartbeat& heartbeat) const {
  if (state_.deciding_) return false;
  const auto id = state_.topology_->server(server);
  if (!id) return false;
  for (const auto& [service, report] : heartbeat.services) {
    const bool stands =
        std::as_const(state_.holds_).find({server, service, Origin::Host}) != nullptr;
    if (stands != report.paused.has_value()) return true;
  }
  return false;
}

// Its lease is over, and answers name it all the same: nobody has judged that.
bool Authority::State::Following::went_silent(ServerId id) const {
  const Agent& agent = *state_.at(id).agent;
  if (!agent.heard || agent.lease.current || agent.lease.guarded()) return false;
  for (std::size_t slot = 0; slot < state_.slot_count(id); ++slot) {
    if (state_.at(id, slot).naming.named) return true;
  }
  return false;
}

// What came while others decided, or nobody did.
void Authority::State::Following::take_what_is_left(const base::Now& now) {
  std::vector<ServicePoolId> dirty;
  std::vector<ServerId> silent;
  if (decide_all_) {
    for (ServerId id = 0; id < state_.servers_.all.size(); ++id) unsettled_.insert(id);
  }
  for (const ServerId id : std::exchange(unsettled_, {})) {
    for (std::size_t slot = 0; slot < state_.slot_count(id); ++slot)
      state_.apply_instance(id, slot);
    if (went_silent(id)) silent.push_back(id);
    for (const ServiceSlot& slot : state_.topology_->servers()[id].services) {
      dirty.push_back(slot.service_pool);
    }
  }
  // Together: whether it is a mass loss shows in all of them.
  for (const ServerId id : silent) state_.at(id).agent.edit().lease.current = true;
  for (const ServerId id : silent) state_.end_lease(id, now);
  for (const auto& [server, holds] : state_.holds_.by_server()) {
    // Of an edition that nobody finished: held, and not out yet.
    const auto id = state_.topology_->server(server);
    for (std::size_t slot = 0; id && slot < state_.slot_count(*id); ++slot) {
      if (!state_.at(*id, slot).naming.named || !state_.held(*id, slot)) continue;
      dirty.push_back(state_.topology_->servers()[*id].services[slot].service_pool);
    }
  }
  for (const ServicePoolId id : undecided_) dirty.push_back(id);
  if (std::exchange(decide_all_, false)) {
    for (ServicePoolId id = 0; id < state_.topology_->service_pools().size(); ++id)
      dirty.push_back(id);
  }
  const Edition edition = state_.compose(std::move(dirty), std::exchange(undecided_, {}));
  for (const auto& [id, members] : edition.service_pools) known_pools_.insert(id);
  if (!edition.empty()) state_.publish(edition);
  state_.recap();
}

}  // namespace sluice::health
