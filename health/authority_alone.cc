// An order that is carried out for this responder alone, while it is cut off from the others
// (health/cluster): it takes a server out, and is told the others once they can be reached.

#include <algorithm>
#include <utility>

#include "health/authority_state.h"

namespace sluice::health {

void Authority::State::act_alone(bool on) {
  deciding_ = alone_ = on;
}

bool Authority::State::held_alone(ServerId server, std::string_view service) const {
  return std::ranges::any_of(holds_.of(name(server)),
                             [&](const Hold& hold) { return hold.local && hold.covers(service); });
}

std::vector<std::string> Authority::State::others() const {
  std::vector<std::string> names;
  for (const Confirmation& one : confirmations_) {
    if (one.responder != settings_.responder) names.push_back(one.responder);
  }
  return names;
}

const Hold* Authority::State::local_hold(const DrainRequest& request) const {
  const Hold* hold = holds_.find({request.server, request.service.value_or(""), Origin::Operator});
  return hold != nullptr && hold->local ? hold : nullptr;
}

// By what is answered now: what others know of the servers can't be seen from here.
std::optional<FloorCheck> Authority::State::broken_floor_alone(const Target& target) const {
  for (const std::size_t slot : slots_of(target)) {
    const ServiceSlot& service = topology_->servers()[target.server].services[slot];
    for (const AnswerSetId id : topology_->service_pools()[service.service_pool].answer_sets) {
      const Members& members = membership_->answer_sets[id];
      const bool named = std::ranges::binary_search(members.servers, target.server);
      FloorCheck check;
      check.answer_set = topology_->answer_sets()[id].owner;
      check.min_accepting = topology_->answer_sets()[id].min_accepting;
      check.accepting =
          members.fallback == Fallback::None ? static_cast<unsigned>(members.servers.size()) : 0;
      check.would_leave = check.accepting - (named && check.accepting > 0 ? 1 : 0);
      if (breaks_floor(check)) return check;
    }
  }
  return std::nullopt;
}

// The members that there are, without those that are held: nobody else comes or goes.
Authority::State::Edition Authority::State::compose_alone(
    const std::vector<ServicePoolId>& dirty) const {
  Edition edition;
  for (const ServicePoolId id : std::set<ServicePoolId>(dirty.begin(), dirty.end())) {
    const ServicePool& pool = topology_->service_pools()[id];
    if (pool.answer_sets.empty()) continue;
    const Members& before = membership_->answer_sets[pool.answer_sets.front()];
    const std::string& service = topology_->services()[pool.service].name;
    auto members = without_weights(before);
    std::erase_if(members->servers,
                  [&](ServerId server) { return holds_.held(name(server), service); });
    if (members->servers.size() == before.servers.size()) continue;
    if (members->servers.empty()) {
      const bool last_resort =
          topology_->pools()[pool.pool].when_all_held == config::WhenAllHeld::Addresses;
      members->fallback = last_resort ? Fallback::Addresses : Fallback::NoData;
    }
    members->generation = std::max(membership_->generation, generation_alone_) + kGenerationBlock;
    members->since = clock_.now().wall;
    members->not_after = cap_of(id, members->servers);
    edition.service_pools.emplace_back(id, std::move(members));
  }
  return edition;
}

// Others named these servers until now.
void Authority::State::adopt_local() {
  std::vector<HoldKey> keys;
  for (const auto& [server, holds] : holds_.by_server()) {
    for (const Hold& hold : holds) {
      if (hold.local) keys.push_back(hold.key);
    }
  }
  std::vector<ServicePoolId> dirty;
  for (const HoldKey& key : keys) {
    Hold hold = *holds_.find(key);
    adopting_[key] = hold;
    hold.local = false;
    hold.forced = true;
    hold.horizons.clear();
    not_durable_[key] = ++orders_;
    say(EventType::Drain, key.server, key.service, {hold.by, "local-force"},
        "held by " + settings_.responder + " alone since it was cut off, from now on by all" +
            (hold.reason.empty() ? "" : ": " + hold.reason));
    holds_.place(std::move(hold));
    commit_hold(key, [this, key](const Store::Stored& stored) {
      if (stored) adopting_.erase(key);
    });
    const auto id = topology_->server(key.server);
    if (!id) continue;
    for (const ServiceSlot& slot : topology_->servers()[*id].services) {
      dirty.push_back(slot.service_pool);
    }
  }
  const Edition edition = compose(dirty, std::set<ServicePoolId>(dirty.begin(), dirty.end()));
  if (!edition.empty()) publish(edition);
  for (const HoldKey& key : keys) {
    const auto id = topology_->server(key.server);
    if (!id) continue;
    for (std::size_t slot = 0; slot < slot_count(*id); ++slot) {
      Naming& naming = at(*id, slot).naming;
      if (naming.named || !held(*id, slot)) continue;
      naming.left_by(publication_);
      start_leaving({*id, slot}, ttl(*id), Members::kNoEnd);
    }
  }
}

}  // namespace sluice::health
