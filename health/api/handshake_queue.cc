#include "health/api/handshake_queue.h"

#include <cassert>

namespace sluice::health {

void HandshakeQueue::ready(Id id) {
  const auto [found, fresh] = known_.try_emplace(id);
  Known& known = found->second;
  if (!fresh && known.is_ready) return;
  known.is_ready = true;
  (known.has_place ? going_on_ : new_).push_back(id);
}

void HandshakeQueue::forget(Id id) {
  const auto found = known_.find(id);
  if (found == known_.end()) return;
  if (found->second.has_place) --under_way_;
  known_.erase(found);
  // At the front is somebody who has a place.
  while (!placed_.empty() && !known_.contains(placed_.front())) placed_.pop_front();
}

std::optional<HandshakeQueue::Id> HandshakeQueue::first(std::deque<Id>& queue, bool with_place) {
  while (!queue.empty()) {
    const auto found = known_.find(queue.front());
    if (found != known_.end() && found->second.is_ready && found->second.has_place == with_place) {
      return queue.front();
    }
    queue.pop_front();
  }
  return {};
}

std::optional<HandshakeQueue::Id> HandshakeQueue::next(base::MonoTime now) {
  if (const auto id = first(going_on_, true)) {
    going_on_.pop_front();
    known_.at(*id).is_ready = false;
    return id;
  }
  if (under_way_ >= limits_.places) return {};
  const auto id = first(new_, false);
  if (!id) return {};
  new_.pop_front();
  known_.at(*id) = {true, false, now};
  ++under_way_;
  placed_.push_back(*id);
  return id;
}

std::optional<base::MonoTime> HandshakeQueue::gives_way_at() const {
  if (under_way_ < limits_.places || waiting() == 0) return {};
  return known_.at(placed_.front()).since + limits_.patience;
}

std::optional<HandshakeQueue::Id> HandshakeQueue::gives_way(base::MonoTime now) const {
  const auto at = gives_way_at();
  // Whose answer is here waits for us, not we for it.
  if (!at || *at > now || known_.at(placed_.front()).is_ready) return {};
  return placed_.front();
}

}  // namespace sluice::health
