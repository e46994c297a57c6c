// Servers that came back and grow to their weight: the same members, the same generation, other
// weights. Kept in memory alone: after a restart of the authority everybody has the whole weight,
// as after any start.

#include <algorithm>
#include <utility>

#include "health/authority_state.h"
#include "health/slow_start.h"

namespace sluice::health {
namespace {

// Weights are published so often at most, however many servers grow: what came back together grows
// together, and a mass return does not keep this thread from drains.
constexpr base::Duration kStepGap = std::chrono::milliseconds(100);
// In one tick: with their answer sets a millisecond or two, and a drain waits no longer. What is
// left is due at once.
constexpr std::size_t kStepsATick = 256;

}  // namespace

unsigned Authority::State::tenths(ServerId id, std::size_t slot, base::MonoTime now) const {
  const auto found = returns_.find({id, slot});
  if (found == returns_.end()) return kWholeWeight;
  return tenths_after(std::chrono::floor<base::Duration>(now - found->second), slow_start(id));
}

// `members` as they will be: who is not named yet comes back with them, unless everything is
// published at once. Members that a fallback brings did not come back; they have their whole
// weights, and those of them that stay when it ends go on with them.
void Authority::State::add_slow_starts(ServicePoolId id, Members& members, bool all_new) const {
  const ServicePool& pool = topology_->service_pools()[id];
  if (topology_->pools()[pool.pool].slow_start == base::Duration(0)) return;
  if (members.fallback != Fallback::None) return;
  const base::MonoTime now = clock_.now().mono;
  for (const ServerId server : members.servers) {
    const std::size_t slot = *topology_->servers()[server].slot_of(pool.service);
    const bool returns = !at(server, slot).naming.named && !all_new;
    const unsigned now_has = returns ? 1 : tenths(server, slot, now);
    if (now_has == kWholeWeight) continue;
    members.slow_starts.edit().push_back({server, static_cast<std::uint8_t>(now_has)});
  }
}

void Authority::State::begin_slow_start(ServerId server, std::size_t slot) {
  const base::MonoTime now = clock_.now().mono;
  returns_[{server, slot}] = now;
  steps_.push({now + step_after(1, slow_start(server)), now, server, slot});
}

std::optional<base::MonoTime> Authority::State::next_step() const {
  if (steps_.empty()) return std::nullopt;
  return std::max(steps_.top().at, stepped_ + kStepGap);
}

void Authority::State::step_weights(const base::Now& now) {
  const auto next = next_step();
  if (!next || *next > now.mono) return;
  std::vector<ServicePoolId> dirty;
  std::size_t count = 0;
  for (; count < kStepsATick && !steps_.empty() && steps_.top().at <= now.mono; ++count) {
    const Step step = steps_.top();
    steps_.pop();
    const auto found = returns_.find({step.server, step.slot});
    if (found == returns_.end() || found->second != step.returned) continue;  // it left meanwhile
    dirty.push_back(topology_->servers()[step.server].services[step.slot].service_pool);
    const unsigned has = tenths(step.server, step.slot, now.mono);
    if (has == kWholeWeight) {
      returns_.erase(found);
    } else {
      const auto after = step_after(has, slow_start(step.server));
      steps_.push({step.returned + after, step.returned, step.server, step.slot});
    }
  }
  if (count < kStepsATick) stepped_ = now.mono;
  adjust(std::move(dirty));
}

std::shared_ptr<Members> Authority::State::without_weights(const Members& members) {
  auto copy = std::make_shared<Members>();
  copy->generation = members.generation;
  copy->fallback = members.fallback;
  copy->since = members.since;
  copy->servers = members.servers;
  return copy;
}

// Publishes what is different of these though the members are the same: weights, and TTLs that end
// in time.
void Authority::State::adjust(std::vector<ServicePoolId> dirty) {
  if (!deciding_) return;
  std::ranges::sort(dirty);
  dirty.erase(std::unique(dirty.begin(), dirty.end()), dirty.end());
  const auto published = membership_;
  auto next = std::make_shared<MembershipSnapshot>(*published);
  next->leaving_hosts = leaving_hosts_;
  std::vector<AnswerSetId> changed;
  std::vector<ServicePoolId> adjusted;
  for (const ServicePoolId id : dirty) {
    const auto sets = topology_->service_pools()[id].answer_sets;
    if (sets.empty()) continue;
    const Members& before = published->answer_sets[sets.front()];
    auto members = without_weights(before);
    members->not_after = cap_of(id, members->servers);
    add_slow_starts(id, *members, false);
    if (members->same_answer(before)) continue;
    adjusted.push_back(id);
    for (const AnswerSetId set : sets) {
      next->answer_sets.set(set, members);
      changed.push_back(set);
    }
  }
  if (changed.empty() && next->leaving_hosts == published->leaving_hosts) return;
  membership_ = std::move(next);
  publication_ = publisher_.adjust(membership_, changed);
  ++publications_total_;
  for (const ServicePoolId id : adjusted) note_caps(id, *published);
  note_host_caps(*published);
}

// A reload: what is under way goes on under the server's new number.
void Authority::State::take_over_returns(ServerId id, const Returns& old, const Topology& before,
                                         ServerId was) {
  for (auto each = old.lower_bound({was, 0}); each != old.end() && each->first.first == was;
       ++each) {
    const ServiceId service = before.servers()[was].services[each->first.second].service;
    const auto now_is = topology_->service(before.services()[service].name);
    const auto slot = now_is ? topology_->servers()[id].slot_of(*now_is) : std::nullopt;
    if (slot) returns_[{id, *slot}] = each->second;
  }
}

// The pool's new `slow_start` holds for them too.
void Authority::State::resume_slow_starts(base::MonoTime now) {
  steps_ = {};
  for (auto each = returns_.begin(); each != returns_.end();) {
    const auto [server, slot] = each->first;
    const unsigned has = tenths(server, slot, now);
    if (has == kWholeWeight) {
      each = returns_.erase(each);
      continue;
    }
    const auto after = step_after(has, slow_start(server));
    steps_.push({each->second + after, each->second, server, slot});
    ++each;
  }
}

}  // namespace sluice::health
