#include "health/hold_set.h"

#include <algorithm>

namespace sluice::health {

const std::vector<Hold>& HoldSet::of(std::string_view server) const {
  static const std::vector<Hold> kNone;
  const auto found = by_server_.find(server);
  return found == by_server_.end() ? kNone : found->second;
}

const Hold* HoldSet::find(const HoldKey& key) const {
  const std::vector<Hold>& holds = of(key.server);
  const auto found = std::ranges::find(holds, key, &Hold::key);
  return found == holds.end() ? nullptr : &*found;
}

Hold* HoldSet::find(const HoldKey& key) {
  return const_cast<Hold*>(static_cast<const HoldSet*>(this)->find(key));
}

Hold& HoldSet::place(Hold hold) {
  local_ += hold.local ? 1 : 0;
  if (Hold* existing = find(hold.key)) {
    local_ -= existing->local ? 1 : 0;
    *existing = std::move(hold);
    return *existing;
  }
  std::vector<Hold>& holds = by_server_[hold.key.server];
  const auto at = std::ranges::upper_bound(holds, hold.key, {}, &Hold::key);
  return *holds.insert(at, std::move(hold));
}

void HoldSet::lift(const HoldKey& key) {
  const auto found = by_server_.find(key.server);
  if (found == by_server_.end()) return;
  std::erase_if(found->second, [&](const Hold& hold) {
    if (hold.key != key) return false;
    local_ -= hold.local ? 1 : 0;
    return true;
  });
  if (found->second.empty()) by_server_.erase(found);
}

bool HoldSet::held(std::string_view server, std::string_view service) const {
  return std::ranges::any_of(of(server), [&](const Hold& hold) { return hold.covers(service); });
}

std::vector<const Hold*> HoldSet::covering(std::string_view server,
                                           std::string_view service) const {
  std::vector<const Hold*> found;
  for (const Hold& hold : of(server)) {
    if (hold.covers(service)) found.push_back(&hold);
  }
  return found;
}

std::vector<Hold*> HoldSet::covering(std::string_view server, std::string_view service) {
  std::vector<Hold*> found;
  const auto holds = by_server_.find(server);
  if (holds == by_server_.end()) return found;
  for (Hold& hold : holds->second) {
    if (hold.covers(service)) found.push_back(&hold);
  }
  return found;
}

bool HoldSet::hides_host(std::string_view server) const {
  return std::ranges::any_of(of(server), &Hold::hide_host);
}

}  // namespace sluice::health
