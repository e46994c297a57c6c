// One of several responders (health/cluster): what another one decided, held and answered as it
// was decided; and how this one begins to decide itself.

#include <algorithm>
#include <cassert>
#include <utility>

#include "health/authority_state.h"
#include "health/slow_start.h"

namespace sluice::health {

// --- everything anew

// What waits for a reply is void: whoever asked is told so, or asked again, by the cluster.
void Authority::State::forget_shared(std::uint64_t publication) {
  self_ = std::make_shared<State*>(this);
  // What was published is what others have, too: that is waited for on.
  std::erase_if(served_waits_,
                [&](const ServedWait& wait) { return wait.publication > publication; });
  not_durable_.clear();
  not_erased_.clear();
  lifting_.clear();
  unaudited_.clear();
  store_failing_ = false;
  plans_.clear();
  expiries_.clear();
  for (Slot& slot : servers_.slots) {
    if (!slot.service) continue;
    ServiceState& service = slot.service.edit();
    service.forced.reset();
    service.lift = ServiceState::Lift::No;
  }
  for (auto& [key, absent] : absent_) absent.service.forced.reset();
}

void Authority::State::follow(const SharedState& whole) {
  assert(!deciding_);
  const base::Now now = clock_.now();
  forget_shared(whole.publication);
  generation_alone_ = std::max(generation_alone_, whole.generation_alone);
  // What this responder knows of holds by itself stays: when caches forgot whom they cover.
  const HoldSet before = std::exchange(holds_, {});
  for (const Hold& hold : whole.stored.holds) {
    Hold mine = hold;
    const Hold* known = before.find(hold.key);
    if (known != nullptr && known->since == hold.since) mine.horizons = known->horizons;
    holds_.place(std::move(mine));
    index_expiry(hold.key);
    if (const auto id = topology_->server(hold.key.server)) ripening_.push({now.mono, *id});
  }
  for (const auto& [server, holds] : before.by_server()) {
    for (const Hold& hold : holds) {
      if (hold.local && std::as_const(holds_).find(hold.key) == nullptr) holds_.place(hold);
    }
  }
  for (const auto& [key, hold] : std::exchange(adopting_, {})) {
    if (std::as_const(holds_).find(key) == nullptr) holds_.place(hold);
  }
  decide_all_ = true;
  known_pools_.clear();
  undecided_.clear();
  for (const PutForce& force : whole.stored.forces) follow_force(force);
  schedule_ = std::max(schedule_, whole.stored.schedule);
  for (const PlannedDrain& plan : whole.stored.schedules) follow_plan(plan, now);
  index_caps();
  for (const AgentReport& report : whole.agents) hear(report, false);
  judge_heard();

  auto next = std::make_shared<MembershipSnapshot>(*membership_);
  next->answer_sets = base::PagedTable<Members>(topology_->answer_sets().size());
  for (AnswerSetId set = 0; set < topology_->answer_sets().size(); ++set) {
    if (membership_->answer_sets.size() > set && membership_->answer_sets.find(set) != nullptr) {
      next->answer_sets.set(set, membership_->answer_sets.share(set));
    }
  }
  // What this responder decided beyond that was never answered.
  next->generation = 0;
  next->renewed = whole.renewed;
  next->host_changes.clear();
  accepting_.resize(topology_->service_pools().size(), 0);
  Edition edition;
  follow_all_hosts(whole.hosts, *next, edition);
  for (const SharedPool& pool : whole.pools) follow_pool(pool, now, Extent::All, edition);
  decide_for_now(whole.generation, edition);
  follow_caps(edition);
  show(edition, std::move(next), whole.publication, whole.generation);
  for (ServerId id = 0; id < servers_.all.size(); ++id) {
    if (!holds_.of(name(id)).empty()) restore_horizons(id, now);
  }
  for (ServerId id = 0; id < servers_.all.size(); ++id) tell_statuses(id, now);
}

// Answer sets that nobody decided yet: a first start, or a configuration that is ahead of the
// others. Until they are decided (by this responder, soon) the answers are what it would decide.
void Authority::State::decide_for_now(std::uint64_t generation, Edition& edition) {
  std::set<ServicePoolId> decided;
  for (const auto& [id, members] : edition.service_pools) decided.insert(id);
  for (ServicePoolId id = 0; id < topology_->service_pools().size(); ++id) {
    const auto sets = topology_->service_pools()[id].answer_sets;
    if (sets.empty() || decided.contains(id) || known_pools_.contains(id)) continue;
    undecided_.insert(id);
    const Decision decision = decide_pool(id);
    accepting_[id] = decision.accepting;
    edition.service_pools.emplace_back(id, members_of(id, decision, generation));
  }
}

// --- one edition

void Authority::State::follow(const SharedEdition& shared) {
  assert(!deciding_);
  const base::Now now = clock_.now();
  std::set<ServerId> touched;
  for (const Change& change : shared.changes) follow_change(change, now, touched);
  index_caps();
  auto next = std::make_shared<MembershipSnapshot>(*membership_);
  next->renewed = std::max(next->renewed, shared.renewed);
  Edition edition;
  follow_hosts(shared.hosts, *next, edition);
  for (const SharedPool& pool : shared.pools) follow_pool(pool, now, Extent::Changed, edition);
  follow_caps(edition);
  show(edition, std::move(next), shared.publication, shared.generation);
  for (const auto& [id, members] : edition.service_pools) {
    for (const ServerId server : topology_->service_pools()[id].servers) touched.insert(server);
  }
  for (const ServerId id : touched) {
    tell_statuses(id, now);
    finish_lifts(id);
  }
}

void Authority::State::follow_change(const Change& change, const base::Now& now,
                                     std::set<ServerId>& touched) {
  const auto touch = [&](const std::string& server) {
    if (const auto id = topology_->server(server)) touched.insert(*id);
  };
  if (const auto* hold = std::get_if<PutHold>(&change)) {
    follow_hold(hold->hold, now);
    touch(hold->hold.key.server);
  } else if (const auto* erased = std::get_if<EraseHold>(&change)) {
    holds_.lift(erased->key);
    index_expiry(erased->key);
    if (erased->key.origin == Origin::Host) {
      service_of(erased->key.server, erased->key.service).lift = ServiceState::Lift::No;
    }
    touch(erased->key.server);
  } else if (const auto* force = std::get_if<PutForce>(&change)) {
    follow_force(*force);
    touch(force->server);
  } else if (const auto* plan = std::get_if<PutSchedule>(&change)) {
    follow_plan(plan->plan, now);
  } else if (const auto* over = std::get_if<EraseSchedule>(&change)) {
    plans_.erase(over->id);
  } else if (const auto* numbers = std::get_if<ReserveSchedules>(&change)) {
    schedule_ = std::max(schedule_, numbers->up_to);
  }
}

void Authority::State::follow_hold(const Hold& hold, const base::Now& now) {
  Hold mine = hold;
  const Hold* known = std::as_const(holds_).find(hold.key);
  const bool same = known != nullptr && known->since == hold.since;
  if (same) mine.horizons = known->horizons;
  const auto id = topology_->server(hold.key.server);
  for (std::size_t slot = 0; id && !same && slot < slot_count(*id); ++slot) {
    const std::string& service = service_name(*id, slot);
    if (!mine.covers(service) || !out_of_answers(*id, slot)) continue;
    mine.horizons[service] = now.to_moment(horizon(*id, slot));
    ripening_.push({horizon(*id, slot), *id});
  }
  if (hold.key.origin == Origin::Host) {
    ServiceState& service = service_of(hold.key.server, hold.key.service);
    if (hold.lift_asked) {
      service.lift = ServiceState::Lift::Asked;
    } else if (service.lift == ServiceState::Lift::Asked) {
      service.lift = ServiceState::Lift::No;
    }
  }
  holds_.place(std::move(mine));
  index_expiry(hold.key);
}

void Authority::State::follow_force(const PutForce& force) {
  ServiceState& state = service_of(force.server, force.service);
  state.forced = force.health;
  state.forced_by.edit() = force.by;
  state.forced_since = force.since;
}

void Authority::State::follow_plan(const PlannedDrain& drain, const base::Now& now) {
  Plan plan;
  plan.drain = drain;
  plan.not_after = caches_end(drain, now);
  if (const auto known = plans_.find(drain.id); known != plans_.end()) {
    plan.drain.capped_since = known->second.drain.capped_since;
  }
  plans_.insert_or_assign(drain.id, std::move(plan));
  schedule_ = std::max(schedule_, drain.id);
}

// --- answers

std::shared_ptr<Members> Authority::State::members_of(ServicePoolId id,
                                                      const SharedSet& set) const {
  auto members = std::make_shared<Members>();
  members->generation = set.generation;
  members->fallback = set.fallback;
  members->since = set.since;
  const ServicePool& pool = topology_->service_pools()[id];
  for (const std::string& server : set.servers) {
    // A configuration that is behind the decider's does not know them all.
    const auto known = topology_->server(server);
    if (!known || !std::ranges::binary_search(pool.servers, *known)) continue;
    if (!held_alone(*known, set.service)) {
      members->servers.push_back(*known);
    } else {
      members->generation = std::max(members->generation, generation_alone_);
    }
  }
  std::ranges::sort(members->servers);
  for (const auto& [server, tenths] : set.slow_starts) {
    const auto known = topology_->server(server);
    if (known && std::ranges::binary_search(members->servers, *known)) {
      members->slow_starts.edit().push_back({*known, tenths});
    }
  }
  if (members->slow_starts) {
    std::ranges::sort(members->slow_starts.edit(), {}, &SlowStart::server);
  }
  members->not_after = cap_of(id, members->servers);
  return members;
}

void Authority::State::follow_pool(const SharedPool& shared, const base::Now& now, Extent extent,
                                   Edition& edition) {
  const auto pool = topology_->pool(shared.pool);
  if (!pool) return;
  const TopologyPool& where = topology_->pools()[*pool];
  for (std::uint32_t i = 0; i < where.server_count; ++i) {
    const ServerId id = where.first_server + i;
    const auto guarded = shared.guarded.find(std::string(name(id)));
    if (guarded != shared.guarded.end()) {
      Lease& lease = at(id).agent.edit().lease;
      lease.guarded_until = now.to_mono(guarded->second);
      if (!lease.current) watch(id, *lease.guarded_until);
    } else if (at(id).agent->lease.guarded_until) {
      at(id).agent.edit().lease.guarded_until.reset();
    }
  }
  for (const SharedSet& set : shared.sets) {
    const auto service = topology_->service(set.service);
    if (!service) continue;
    for (const ServicePoolId id : service_pools_of(*pool)) {
      const ServicePool& mine = topology_->service_pools()[id];
      if (mine.service != *service || mine.answer_sets.empty()) continue;
      auto members = members_of(id, set);
      accepting_[id] =
          set.fallback == Fallback::None ? static_cast<unsigned>(members->servers.size()) : 0;
      known_pools_.insert(id);
      undecided_.erase(id);
      const Members* before = membership_->answer_sets.find(mine.answer_sets.front());
      if (extent == Extent::Changed && before != nullptr &&
          before->generation == members->generation && before->same_answer(*members)) {
        continue;
      }
      edition.service_pools.emplace_back(id, std::move(members));
    }
  }
}

void Authority::State::follow_hosts(const std::vector<SharedHost>& hosts, MembershipSnapshot& next,
                                    Edition& edition) {
  for (const SharedHost& host : hosts) {
    const auto id = topology_->server(host.server);
    if (!id) continue;
    note_change(next, *id, host.generation);
    if (at(*id).host_hidden != host.hidden) edition.hosts.push_back(*id);
  }
}

void Authority::State::follow_all_hosts(const std::vector<SharedHost>& hosts,
                                        MembershipSnapshot& next, Edition& edition) {
  std::set<ServerId> hidden;
  for (const SharedHost& host : hosts) {
    const auto id = topology_->server(host.server);
    if (!id) continue;
    note_change(next, *id, host.generation);
    if (host.hidden) hidden.insert(*id);
  }
  for (ServerId id = 0; id < servers_.all.size(); ++id) {
    if (at(id).host_hidden == hidden.contains(id)) continue;
    edition.hosts.push_back(id);
    if (!hidden.contains(id) &&
        !std::ranges::binary_search(next.host_changes, id, {}, &HostChange::server)) {
      note_change(next, id, 0);  // of a hold that came to nothing
    }
  }
}

// Plans that came or went with it: TTLs of others end otherwise, too.
void Authority::State::follow_caps(Edition& edition) const {
  std::set<ServicePoolId> included;
  for (const auto& [id, members] : edition.service_pools) included.insert(id);
  std::set<ServicePoolId> dirty = capped_;
  for (const auto& [id, leaving] : caps_) dirty.insert(id);
  for (const ServicePoolId id : dirty) {
    const auto sets = topology_->service_pools()[id].answer_sets;
    if (sets.empty() || included.contains(id)) continue;
    const Members* before = membership_->answer_sets.find(sets.front());
    if (before == nullptr) continue;
    const base::MonoTime cap = cap_of(id, before->servers);
    if (cap == before->not_after) continue;
    auto members = without_weights(*before);
    if (before->slow_starts) members->slow_starts.edit() = *before->slow_starts;
    members->not_after = cap;
    edition.service_pools.emplace_back(id, std::move(members));
  }
}

void Authority::State::show(const Edition& edition, std::shared_ptr<MembershipSnapshot> next,
                            std::uint64_t publication, std::uint64_t generation) {
  const bool moved = generation > membership_->generation;
  next->generation = std::max(next->generation, generation);
  if (holds_alone()) next->generation = std::max(next->generation, generation_alone_);
  if (publication_ > 0 && edition.empty() && !moved && next->renewed == membership_->renewed &&
      leaving_hosts_ == membership_->leaving_hosts) {
    publication_ = publication;  // of which nothing is to be seen in answers
    return;
  }
  put_in_answers(edition, std::move(next));
  capped_.clear();
  for (const auto& [id, leaving] : caps_) capped_.insert(id);
  if (moved) tell_generation(edition);
}

SharedPool Authority::State::shared_pool(PoolId id) const {
  const base::Now now = clock_.now();
  SharedPool shared;
  shared.pool = topology_->pools()[id].fqdn;
  for (const ServicePoolId service_pool : service_pools_of(id)) {
    const ServicePool& pool = topology_->service_pools()[service_pool];
    if (pool.answer_sets.empty()) continue;
    const Members* members = membership_->answer_sets.find(pool.answer_sets.front());
    if (members == nullptr) continue;
    SharedSet set;
    set.service = topology_->services()[pool.service].name;
    set.generation = members->generation;
    set.fallback = members->fallback;
    set.since = members->since;
    for (const ServerId server : members->servers) set.servers.emplace_back(name(server));
    for (const SlowStart& slow : *members->slow_starts) {
      set.slow_starts.emplace_back(name(slow.server), slow.tenths);
    }
    shared.sets.push_back(std::move(set));
  }
  const TopologyPool& pool = topology_->pools()[id];
  for (std::uint32_t i = 0; i < pool.server_count; ++i) {
    const ServerId server = pool.first_server + i;
    const Lease& lease = at(server).agent->lease;
    if (lease.guarded()) {
      shared.guarded.emplace(name(server), now.to_wall(*lease.guarded_until));
    }
  }
  return shared;
}

// Nothing of it is to be seen in answers, but whoever decides next must know of it.
void Authority::State::tell_guard(PoolId id) {
  if (settings_.cluster == nullptr) return;
  const TopologyPool& pool = topology_->pools()[id];
  const AnswerSetId first[] = {pool.first_answer_set};
  publication_ = publisher_.adjust(membership_, first);
}

SharedHost Authority::State::shared_host(ServerId id) const {
  SharedHost host{std::string(name(id)), at(id).host_hidden, membership_->generation};
  const auto& changes = membership_->host_changes;
  const auto change = std::ranges::lower_bound(changes, id, {}, &HostChange::server);
  if (change != changes.end() && change->server == id) host.generation = change->generation;
  return host;
}

// --- the turn

void Authority::State::take_turn(bool on) {
  if (on == deciding_) return;
  deciding_ = on;
  if (on) take_what_is_left(clock_.now());
}

// Its lease is over, and answers name it all the same: nobody has judged that.
bool Authority::State::went_silent(ServerId id) const {
  const Agent& agent = *at(id).agent;
  if (!agent.heard || agent.lease.current || agent.lease.guarded()) return false;
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    if (at(id, slot).naming.named) return true;
  }
  return false;
}

// What came while others decided, or nobody did.
void Authority::State::take_what_is_left(const base::Now& now) {
  std::vector<ServicePoolId> dirty;
  std::vector<ServerId> silent;
  if (decide_all_) {
    for (ServerId id = 0; id < servers_.all.size(); ++id) unsettled_.insert(id);
  }
  for (const ServerId id : std::exchange(unsettled_, {})) {
    for (std::size_t slot = 0; slot < slot_count(id); ++slot) apply_instance(id, slot);
    if (went_silent(id)) silent.push_back(id);
    for (const ServiceSlot& slot : topology_->servers()[id].services) {
      dirty.push_back(slot.service_pool);
    }
  }
  // Together: whether it is a mass loss shows in all of them.
  for (const ServerId id : silent) at(id).agent.edit().lease.current = true;
  for (const ServerId id : silent) end_lease(id, now);
  for (const auto& [server, holds] : holds_.by_server()) {
    // Of an edition that nobody finished: held, and not out yet.
    const auto id = topology_->server(server);
    for (std::size_t slot = 0; id && slot < slot_count(*id); ++slot) {
      if (!at(*id, slot).naming.named || !held(*id, slot)) continue;
      dirty.push_back(topology_->servers()[*id].services[slot].service_pool);
    }
  }
  for (const ServicePoolId id : undecided_) dirty.push_back(id);
  if (std::exchange(decide_all_, false)) {
    for (ServicePoolId id = 0; id < topology_->service_pools().size(); ++id) dirty.push_back(id);
  }
  const Edition edition = compose(std::move(dirty), std::exchange(undecided_, {}));
  for (const auto& [id, members] : edition.service_pools) known_pools_.insert(id);
  if (!edition.empty()) publish(edition);
  recap();
}

}  // namespace sluice::health
