// An order that is carried out for this responder alone, while it is cut off from the others
// (health/cluster): it takes a server out, and is told the others once they can be reached.

#include "health/authority_alone.h"

#include <algorithm>
#include <utility>

namespace sluice::health {

void Authority::State::Alone::act(bool on) {
  state_.deciding_ = acts_ = on;
}

bool Authority::State::Alone::held(ServerId server, std::string_view service) const {
  return std::ranges::any_of(state_.holds_.of(state_.name(server)),
                             [&](const Hold& hold) { return hold.local && hold.covers(service); });
}

const Hold* Authority::State::Alone::hold_of(const DrainRequest& request) const {
  const Hold* hold =
      state_.holds_.find({request.server, request.service.value_or(""), Origin::Operator});
  return hold != nullptr && hold->local ? hold : nullptr;
}

// By what is answered now: what others know of the servers can't be seen from here.
std::optional<FloorCheck> Authority::State::Alone::broken_floor(const Target& target) const {
  for (const std::size_t slot : state_.slots_of(target)) {
    const ServiceSlot& service = state_.topology_->servers()[target.server].services[slot];
    for (const AnswerSetId id :
         state_.topology_->service_pools()[service.service_pool].answer_sets) {
      const Members& members = state_.membership_->answer_sets[id];
      const bool named = std::ranges::binary_search(members.servers, target.server);
      FloorCheck check;
      check.answer_set = state_.topology_->answer_sets()[id].owner;
      check.min_accepting = state_.topology_->answer_sets()[id].min_accepting;
      check.accepting =
          members.fallback == Fallback::None ? static_cast<unsigned>(members.servers.size()) : 0;
      check.would_leave = check.accepting - (named && check.accepting > 0 ? 1 : 0);
      if (breaks_floor(check)) return check;
    }
  }
  return std::nullopt;
}

// The members that there are, without those that are held: nobody else comes or goes.
Authority::State::Edition Authority::State::Alone::compose(
    const std::vector<ServicePoolId>& dirty) const {
  Edition edition;
  for (const ServicePoolId id : std::set<ServicePoolId>(dirty.begin(), dirty.end())) {
    const ServicePool& pool = state_.topology_->service_pools()[id];
    if (pool.answer_sets.empty()) continue;
    const Members& before = state_.membership_->answer_sets[pool.answer_sets.front()];
    const std::string& service = state_.topology_->services()[pool.service].name;
    auto members = state_.without_weights(before);
    std::erase_if(members->servers, [&](ServerId server) {
      return state_.holds_.held(state_.name(server), service);
    });
    if (members->servers.size() == before.servers.size()) continue;
    if (members->servers.empty()) {
      const bool last_resort =
          state_.topology_->pools()[pool.pool].when_all_held == config::WhenAllHeld::Addresses;
      members->fallback = last_resort ? Fallback::Addresses : Fallback::NoData;
    }
    members->generation = std::max(state_.membership_->generation, generation_) + kGenerationBlock;
    members->since = state_.clock_.now().wall;
    members->not_after = state_.cap_of(id, members->servers);
    edition.service_pools.emplace_back(id, std::move(members));
  }
  return edition;
}

void Authority::State::Alone::keep_what_was_not_adopted() {
  for (const auto& [key, hold] : std::exchange(adopting_, {})) {
    if (std::as_const(state_.holds_).find(key) == nullptr) state_.holds_.place(hold);
  }
}

// Others named these servers until now.
void Authority::State::Alone::adopt() {
  std::vector<HoldKey> keys;
  for (const auto& [server, holds] : state_.holds_.by_server()) {
    for (const Hold& hold : holds) {
      if (hold.local) keys.push_back(hold.key);
    }
  }
  std::vector<ServicePoolId> dirty;
  for (const HoldKey& key : keys) {
    Hold hold = *state_.holds_.find(key);
    adopting_[key] = hold;
    hold.local = false;
    hold.forced = true;
    hold.horizons.clear();
    state_.not_durable_[key] = ++state_.orders_;
    state_.say(EventType::Drain, key.server, key.service, {hold.by, "local-force"},
               "held by " + state_.settings_.responder +
                   " alone since it was cut off, from now on by all" +
                   (hold.reason.empty() ? "" : ": " + hold.reason));
    state_.holds_.place(std::move(hold));
    state_.commit_hold(key, [this, key](const Store::Stored& stored) {
      if (stored) adopting_.erase(key);
    });
    const auto id = state_.topology_->server(key.server);
    if (!id) continue;
    for (const ServiceSlot& slot : state_.topology_->servers()[*id].services) {
      dirty.push_back(slot.service_pool);
    }
  }
  const Edition edition =
      state_.compose(dirty, std::set<ServicePoolId>(dirty.begin(), dirty.end()));
  if (!edition.empty()) state_.publish(edition);
  for (const HoldKey& key : keys) {
    const auto id = state_.topology_->server(key.server);
    if (!id) continue;
    for (std::size_t slot = 0; slot < state_.slot_count(*id); ++slot) {
      Naming& naming = state_.at(*id, slot).naming;
      if (naming.named || !state_.held(*id, slot)) continue;
      naming.left_by(state_.publication_);
      state_.start_leaving({*id, slot}, state_.ttl(*id), Members::kNoEnd);
    }
  }
}

}  // namespace sluice::health
