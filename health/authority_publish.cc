// Who is in each answer, and how that is published (semantics.md section 3, architecture.md
// section 3).

#include <algorithm>
#include <map>
#include <utility>

#include "health/authority_alone.h"
#include "health/authority_following.h"
#include "health/authority_state.h"
#include "health/slow_start.h"

namespace sluice::health {

Standing Authority::State::standing(ServerId id, std::size_t index) const {
  const Lease& lease = at(id).agent->lease;
  const ServiceState& service = *at(id, index).service;
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
  bool grace = pools_[topology_->servers()[id].pool].grace;
  if (settings_.cluster != nullptr && !at(id, index).naming.named) {
    // Others may have decided long ago that it is out.
    grace = grace && !following_->knows(topology_->servers()[id].services[index].service_pool);
  }
  if (service.health && lease.current) {
    standing.claim = claim_of(*service.health);
    standing.ground = Standing::Ground::Pushed;
  } else if (service.health && lease.guarded()) {
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

std::shared_ptr<Members> Authority::State::members_of(ServicePoolId id, const Decision& decision,
                                                      std::uint64_t generation) const {
  const ServicePool& pool = topology_->service_pools()[id];
  auto members = std::make_shared<Members>();
  members->generation = generation;
  members->fallback = decision.fallback;
  members->since = clock_.now().wall;
  for (std::size_t i = 0; i < pool.servers.size(); ++i) {
    if (is_in(decision.rules[i])) members->servers.push_back(pool.servers[i]);
  }
  members->not_after = cap_of(id, members->servers);
  return members;
}

Authority::State::Edition Authority::State::compose(std::vector<ServicePoolId> dirty,
                                                    const std::set<ServicePoolId>& anew) {
  std::ranges::sort(dirty);
  dirty.erase(std::unique(dirty.begin(), dirty.end()), dirty.end());
  Edition edition;
  for (const ServicePoolId id : dirty) {
    const ServicePool& pool = topology_->service_pools()[id];
    for (const ServerId server : pool.servers) {
      if (holds_.hides_host(name(server)) == at(server).host_hidden) continue;
      if (std::ranges::find(edition.hosts, server) == edition.hosts.end()) {
        edition.hosts.push_back(server);
      }
    }
    if (pool.answer_sets.empty()) continue;
    const Decision decision = decide_pool(id);
    accepting_[id] = decision.accepting;
    auto members = members_of(id, decision, membership_->generation + 1);
    // They all have the same members: the first stands for them.
    const Members* before = membership_->answer_sets.find(pool.answer_sets.front());
    const bool is_new = before == nullptr || anew.contains(id);
    if (!is_new && before->same_members(*members)) continue;
    add_slow_starts(id, *members, is_new);
    edition.service_pools.emplace_back(id, std::move(members));
  }
  return edition;
}

void Authority::State::publish(const Edition& edition, Renewal renewal) {
  auto next = std::make_shared<MembershipSnapshot>(*membership_);
  // Numbers that others use meanwhile are left to them.
  next->generation =
      std::max(next->generation, alone_->generation()) + (alone_->acts() ? kGenerationBlock : 1);
  if (alone_->acts()) alone_->answered(next->generation);
  if (renewal == Renewal::All) next->renewed = next->generation;
  for (const ServerId server : edition.hosts) note_change(*next, server, next->generation);
  put_in_answers(edition, std::move(next));
  tell_generation(edition);
  reserve_generations();
}

void Authority::State::note_change(MembershipSnapshot& snapshot, ServerId server,
                                   std::uint64_t generation) {
  auto& changes = snapshot.host_changes;
  const auto place = std::ranges::lower_bound(changes, server, {}, &HostChange::server);
  if (place != changes.end() && place->server == server) {
    place->generation = generation;
  } else {
    changes.insert(place, {server, generation});
  }
}

// `next`: all but what the edition brings to it.
void Authority::State::put_in_answers(const Edition& edition,
                                      std::shared_ptr<MembershipSnapshot> next) {
  const auto published = membership_;
  next->leaving_hosts = leaving_hosts_;
  std::vector<AnswerSetId> changed;
  for (const auto& [id, members] : edition.service_pools) {
    for (const AnswerSetId set : topology_->service_pools()[id].answer_sets) {
      next->answer_sets.set(set, members);
      changed.push_back(set);
    }
  }
  for (const ServerId server : edition.hosts) {
    const auto place = std::ranges::lower_bound(next->hidden_hosts, server);
    if (at(server).host_hidden) {
      next->hidden_hosts.erase(place);
    } else {
      next->hidden_hosts.insert(place, server);
    }
  }
  membership_ = std::move(next);
  publication_ = publisher_.publish(membership_, changed, edition.hosts);
  ++publications_total_;
  for (const auto& [id, members] : edition.service_pools) {
    note_caps(id, *published);
    note_names(id, *members, cap_before(id, *published));
  }
  note_host_caps(*published);
  for (const ServerId server : edition.hosts) note_host(server, *published);
}

void Authority::State::republish(std::vector<ServicePoolId> dirty) {
  if (!deciding_) return;
  const Edition edition = alone_->acts() ? alone_->compose(dirty) : compose(std::move(dirty));
  if (!edition.empty()) publish(edition);
}

void Authority::State::publish_all() {
  auto blank = std::make_shared<MembershipSnapshot>();
  blank->generation = membership_->generation;
  blank->answer_sets = base::PagedTable<Members>(topology_->answer_sets().size());
  blank->leaving_hosts = before_reload_.hosts;
  blank->renewed = membership_->renewed;
  for (ServerId id = 0; id < servers_.all.size(); ++id) {
    if (at(id).host_hidden) blank->hidden_hosts.push_back(id);
  }
  membership_ = std::move(blank);
  accepting_.assign(topology_->service_pools().size(), 0);
  std::vector<ServicePoolId> all(topology_->service_pools().size());
  for (ServicePoolId id = 0; id < all.size(); ++id) all[id] = id;
  publish(compose(std::move(all)), Renewal::All);
}

void Authority::State::republish_server(ServerId id) {
  std::vector<ServicePoolId> dirty;
  for (const ServiceSlot& slot : topology_->servers()[id].services) {
    dirty.push_back(slot.service_pool);
  }
  republish(std::move(dirty));
}

// Who is named by answers has changed with the newest publication: keeps the namings true to it.
// Those that leave were named with TTLs that ended at `cap`.
void Authority::State::note_names(ServicePoolId id, const Members& members, base::MonoTime cap) {
  const ServicePool& pool = topology_->service_pools()[id];
  const std::string& service = topology_->services()[pool.service].name;
  for (const ServerId server : pool.servers) {
    const std::size_t slot = *topology_->servers()[server].slot_of(pool.service);
    Naming& naming = at(server, slot).naming;
    const bool named = std::ranges::binary_search(members.servers, server);
    if (named && !naming.named) {
      naming.enter();
      if (members.tenths(server) < kWholeWeight) begin_slow_start(server, slot);
      // Served while held: the horizon on disk is no longer true.
      for (Hold* hold : holds_.covering(name(server), service)) {
        if (hold->horizons.erase(service) > 0) persist(*hold);
      }
    } else if (!named && naming.named) {
      naming.leave(publication_);
      returns_.erase({server, slot});
      start_leaving({server, slot}, ttl_before(server), cap);
    }
  }
}

void Authority::State::note_host(ServerId id, const MembershipSnapshot& before) {
  Server& server = at(id);
  server.host_hidden = !server.host_hidden;
  if (server.host_hidden) {
    server.host.leave(publication_);
    start_leaving({id, std::nullopt}, ttl_before(id), cap_of(before.leaving_hosts, id));
  } else {
    server.host.enter();
  }
}

// Before the newest publication the names of this server had this TTL.
std::chrono::seconds Authority::State::ttl_before(ServerId server) const {
  const auto known = before_reload_.ttls.find(topology_->servers()[server].pool);
  return known == before_reload_.ttls.end() ? ttl(server) : known->second;
}

void Authority::State::start_leaving(Named who, std::chrono::seconds ttl, base::MonoTime cap) {
  leaving_.push_back({publication_, who, ttl, cap});
}

// Before the newest publication the members of this pool were named with TTLs that ended then.
base::MonoTime Authority::State::cap_before(ServicePoolId id,
                                            const MembershipSnapshot& before) const {
  const auto sets = topology_->service_pools()[id].answer_sets;
  if (const Members* members = before.answer_sets.find(sets.front())) return members->not_after;
  const auto known = before_reload_.sets.find(id);
  return known == before_reload_.sets.end() ? Members::kNoEnd : known->second;
}

// Who is named with shorter TTLs from the newest publication on: the period before it ends with it.
void Authority::State::note_caps(ServicePoolId id, const MembershipSnapshot& before) {
  const ServicePool& pool = topology_->service_pools()[id];
  const base::MonoTime was = cap_before(id, before);
  const Members& members = membership_->answer_sets[pool.answer_sets.front()];
  if (members.not_after >= was) return;
  for (const ServerId server : members.servers) {
    const std::size_t slot = *topology_->servers()[server].slot_of(pool.service);
    if (at(server, slot).naming.named) start_leaving({server, slot}, ttl_before(server), was);
  }
}

void Authority::State::note_host_caps(const MembershipSnapshot& before) {
  for (const LeavingHost& leaving : membership_->leaving_hosts) {
    const base::MonoTime was = cap_of(before.leaving_hosts, leaving.server);
    if (leaving.not_after >= was || !at(leaving.server).host.named) continue;
    start_leaving({leaving.server, std::nullopt}, ttl_before(leaving.server), was);
  }
}

Naming& Authority::State::naming(const Named& who) {
  return who.slot ? at(who.server, *who.slot).naming : at(who.server).host;
}

void Authority::State::confirm(std::vector<Confirmation> all) {
  confirmations_ = std::move(all);
  std::uint64_t everybody = UINT64_MAX;
  std::uint64_t living = UINT64_MAX;
  for (const Confirmation& one : confirmations_) {
    everybody = std::min(everybody, one.publication);
    if (one.alive) living = std::min(living, one.publication);
  }
  living_ = living;
  note_served(everybody);
  end_served_waits(clock_.now().mono);
}

std::vector<std::string> Authority::State::others() const {
  std::vector<std::string> names;
  for (const Confirmation& one : confirmations_) {
    if (one.responder != settings_.responder) names.push_back(one.responder);
  }
  return names;
}

void Authority::State::name_responders(std::uint64_t publication,
                                       std::vector<std::string>& confirmed,
                                       std::vector<std::string>& unconfirmed) const {
  for (const Confirmation& one : confirmations_) {
    (one.publication >= publication ? confirmed : unconfirmed).push_back(one.responder);
  }
}

void Authority::State::note_served(std::uint64_t publication) {
  if (publication <= served_) return;
  served_ = publication;
  const base::Now now = clock_.now();
  std::vector<std::pair<ServerId, std::size_t>> ended;
  while (!leaving_.empty() && leaving_.front().publication <= served_) {
    const Leaving& leaving = leaving_.front();
    naming(leaving.who)
        .confirm(leaving.publication,
                 horizon_of(now.mono, leaving.ttl, settings_.health, leaving.cap));
    const std::size_t slots = slot_count(leaving.who.server);
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
      hold->horizons[service] = now.to_moment(horizon(server, slot));
      touched[hold->key] = hold;
    }
    // It may be drained then.
    if (held(server, slot)) ripening_.push({horizon(server, slot), server});
  }
  for (const auto& [key, hold] : touched) persist(*hold);
}

void Authority::State::end_served_waits(base::MonoTime now) {
  while (!served_waits_.empty()) {
    const ServedWait& first = served_waits_.front();
    if (first.publication > std::max(served_, living_) && first.deadline > now) return;
    const auto then = std::move(served_waits_.front().then);
    served_waits_.pop_front();
    then();
  }
}

void Authority::State::after_served(std::uint64_t publication, std::function<void()> then) {
  if (std::max(served_, living_) >= publication) {
    then();
    return;
  }
  const base::MonoTime deadline = settings_.confirm_timeout == base::Duration(0)
                                      ? base::MonoTime::max()
                                      : clock_.now().mono + settings_.confirm_timeout;
  const auto place =
      std::ranges::upper_bound(served_waits_, publication, {}, &ServedWait::publication);
  served_waits_.insert(place, {publication, deadline, std::move(then)});
}

void Authority::State::reserve_generations() {
  if (membership_->generation + kGenerationBlock / 2 < reserved_) return;
  reserved_ = membership_->generation + kGenerationBlock;
  commit({ReserveGenerations{reserved_}}, Store::Urgency::First,
         [this](const Store::Stored& stored) {
           if (!stored) reserved_ = 0;  // the next publication tries again
         });
}

void Authority::State::tell_generation(const Edition& edition) {
  if (!events_) return;
  // A whole site may change at once: its first names tell which one it is.
  constexpr std::size_t kNamed = 3;
  std::string text;
  std::size_t sets = 0;
  for (const auto& [id, members] : edition.service_pools) {
    for (const AnswerSetId set : topology_->service_pools()[id].answer_sets) {
      if (sets++ >= kNamed) continue;
      text.append(text.empty() ? "" : ", ").append(topology_->answer_sets()[set].owner);
    }
  }
  for (const ServerId server : edition.hosts) {
    if (sets++ < kNamed) text.append(text.empty() ? "" : ", ").append(name(server));
  }
  if (sets > kNamed) text += " and " + std::to_string(sets - kNamed) + " more";
  say(EventType::Generation, "", "", {}, std::move(text));
}

base::MonoTime Authority::State::horizon(ServerId id, std::size_t slot) const {
  const Server& server = at(id);
  const base::MonoTime own = at(id, slot).naming.horizon;
  return server.host_hidden ? std::max(own, server.host.horizon) : own;
}

bool Authority::State::out_of_answers(ServerId id, std::size_t slot) const {
  const Server& server = at(id);
  return at(id, slot).naming.out() && (!server.host_hidden || server.host.out());
}

}  // namespace sluice::health
