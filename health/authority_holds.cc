// Holds and their way to disk: placed in the answers first, lifted from the disk first
// (architecture.md section 3).

#include <algorithm>
#include <utility>

#include "health/authority_state.h"

namespace sluice::health {
namespace {

// What a hold remembers of a service that was not running when it was placed: no instance equals
// it, so the next start is a restart.
constexpr const char* kNoInstance = "stopped";

// `held`: those that still stand, for they are on disk.
Refusal lift_failed(const std::vector<HoldKey>& held, const std::string& why) {
  const std::string state = held.empty() ? "it is lifted, but a restart may bring it back"
                                         : name_of(held.front()) + " is still held";
  Refusal refusal = refuse(Refusal::Kind::StoreFailed, "the store failed, " + state + " (" + why +
                                                           "); asking again is harmless");
  refusal.in_force = !held.empty();
  return refusal;
}

}  // namespace

// With what is known now of each service that it covers: the instance that it is placed on, and,
// for one that is out already, the horizon.
Hold Authority::State::make_hold(const Target& target, Origin origin) const {
  const base::Now now = clock_.now();
  Hold hold;
  hold.key = key_of(target, origin);
  hold.since = now.wall;
  for (const std::size_t slot : slots_of(target)) {
    const std::string& service = service_name(target.server, slot);
    const ServiceState& state = *at(target.server, slot).service;
    if (state.instance) {
      hold.instances[service] = *state.instance;
    } else if (state.health == Health::Stopped) {
      hold.instances[service] = kNoInstance;
    }
    if (out_of_answers(target.server, slot)) {
      hold.horizons[service] = now.to_moment(horizon(target.server, slot));
    }
  }
  return hold;
}

// Puts a hold in force: in the answers, not on disk yet. Before the first publication, and where
// the configuration has no such server, that is all there is to do.
void Authority::State::place(Hold hold) {
  const HoldKey key = hold.key;
  holds_.place(std::move(hold));
  not_durable_[key] = ++orders_;
  lifting_.erase(key);
  note_hold(key);
}

void Authority::State::lift(const HoldKey& key) {
  holds_.lift(key);
  not_durable_.erase(key);
  lifting_.erase(key);
  note_hold(key);
}

void Authority::State::note_hold(const HoldKey& key) {
  index_expiry(key);
  const auto server = topology_->server(key.server);
  if (!server || publication_ == 0) return;
  republish_server(*server);
  tell_statuses(*server, clock_.now());
}

// Writes the hold as it is now, with `more` in the same transaction. A hold that was placed anew
// meanwhile is not made durable by the success of a write of the one before.
void Authority::State::commit_hold(const HoldKey& key, Done done, std::vector<Change> more) {
  const auto known = not_durable_.find(key);
  const std::uint64_t placement = known == not_durable_.end() ? 0 : known->second;
  more.emplace_back(PutHold{*holds_.find(key)});
  commit(std::move(more), Store::Urgency::First,
         [this, key, placement, done = std::move(done)](const Store::Stored& stored) {
           if (stored) note_durable(key, placement);
           if (done) done(stored);
         });
}

void Authority::State::note_durable(const HoldKey& key, std::uint64_t placement) {
  const auto known = not_durable_.find(key);
  if (known != not_durable_.end() && known->second == placement) not_durable_.erase(known);
}

// A change of a standing hold that nobody waits for. One whose erasure is queued stays erased.
void Authority::State::persist(const Hold& hold) {
  if (!lifting_.contains(hold.key)) commit_hold(hold.key, nullptr);
}

void Authority::State::erase_from_store(const HoldKey& key) {
  commit({EraseHold{key}}, Store::Urgency::First);
}

// The store works again: what its failure left in memory alone goes to disk. All of it together:
// with the erasure of a plan and without its hold a restart would know of neither.
void Authority::State::write_what_waits() {
  std::vector<Change> changes;
  const auto ended = std::exchange(not_erased_, {});
  for (const auto& [id, key] : ended) changes.emplace_back(EraseSchedule{id});
  const auto placements = not_durable_;
  for (const auto& [key, placement] : placements) {
    if (const Hold* hold = std::as_const(holds_).find(key)) changes.emplace_back(PutHold{*hold});
  }
  if (changes.empty()) return;
  changes.emplace_back(ReserveSchedules{schedule_});
  commit(std::move(changes), Store::Urgency::First,
         [this, ended, placements](const Store::Stored& stored) {
           if (!stored) {
             not_erased_.insert(ended.begin(), ended.end());
             return;
           }
           for (const auto& [key, placement] : placements) note_durable(key, placement);
         });
}

// Disk first, answers after: a hold that could come back with a restart is never called lifted. One
// that was never acknowledged is lifted at once, but an older one of its key may be on disk: for
// that, too, the reply waits. Of several responders (health/cluster) all are lifted at once: what
// is decided is with the engine before it is in answers, and both go there together. The erasure
// alone would leave the server out for good, were the turn lost between the two.
void Authority::State::lift_in_order(std::vector<HoldKey> keys, EventType why, const Actor& actor,
                                     std::function<void(Outcome<ResumeReply>)> then) {
  std::vector<Change> changes;
  const std::uint64_t order = ++orders_;
  std::erase_if(keys, [&](const HoldKey& key) {
    say(why, key.server, key.service, actor, "");
    changes.emplace_back(EraseHold{key});
    if (settings_.cluster == nullptr && !not_durable_.contains(key)) return false;
    // Else a restart would carry out once more the plan that brought it.
    for (const auto& [id, held] : not_erased_) {
      if (held == key) changes.emplace_back(EraseSchedule{id});
    }
    lift(key);
    return true;
  });
  for (const HoldKey& key : keys) lifting_[key] = order;
  if (changes.empty()) {
    then(ResumeReply{});
    return;
  }
  commit(std::move(changes), Store::Urgency::First,
         [this, keys, order, then = std::move(then)](const Store::Stored& stored) {
           finish_lifting(keys, order, stored);
           if (stored) {
             then(ResumeReply{});
           } else {
             then(base::Unexpected{lift_failed(keys, stored.error())});
           }
         });
}

void Authority::State::finish_lifting(const std::vector<HoldKey>& keys, std::uint64_t order,
                                      const Store::Stored& stored) {
  for (const HoldKey& key : keys) {
    // Replies come in the order of the queue: after a success the disk has no such hold, unless it
    // was placed anew meanwhile, and then its own write is on the way.
    if (stored) {
      if (holds_.find(key) != nullptr && !not_durable_.contains(key)) lift(key);
      continue;
    }
    const auto lifting = lifting_.find(key);
    if (lifting != lifting_.end() && lifting->second == order) lifting_.erase(lifting);
  }
}

}  // namespace sluice::health
