#include "health/cluster/roster.h"

#include <algorithm>
#include <utility>

namespace sluice::cluster {

bool Roster::take(const Record& record, const base::Now& now, Age age) {
  if (const auto* about = std::get_if<ResponderRecord>(&record)) {
    responders_[about->name].about = *about;
    return true;
  }
  if (const auto* forgotten = std::get_if<ForgottenResponder>(&record)) {
    responders_.erase(forgotten->name);
    return true;
  }
  if (const auto* alive = std::get_if<AliveRecord>(&record)) {
    // Of one that was forgotten only its lease is left, which ends.
    if (!alive->run.empty() || responders_.contains(alive->name)) {
      responders_[alive->name].run = alive->run;
    }
    return true;
  }
  if (const auto* served = std::get_if<ServedRecord>(&record)) {
    Responder& responder = responders_[served->name];
    responder.served = *served;
    if (age == Age::Listed) return true;
    std::vector<base::Duration>& offsets = offsets_[served->name];
    if (offsets.size() == kOffsets) offsets.erase(offsets.begin());
    offsets.push_back(served->at - now.wall);
    return true;
  }
  return false;
}

std::optional<base::Duration> Roster::clock_offset(std::string_view name) const {
  const auto found = offsets_.find(name);
  if (found == offsets_.end()) return std::nullopt;
  return *std::ranges::max_element(found->second);
}

const Roster::Responder* Roster::find(std::string_view name) const {
  const auto found = responders_.find(name);
  return found == responders_.end() ? nullptr : &found->second;
}

bool Roster::lives(std::string_view name, std::string_view run) const {
  const Responder* known = find(name);
  return known != nullptr && !known->run.empty() && known->run == run;
}

bool Roster::lives(std::string_view name) const {
  const Responder* known = find(name);
  return known != nullptr && !known->run.empty();
}

std::optional<std::size_t> Roster::rank(std::string_view name) const {
  std::size_t before = 0;
  for (const auto& [each, responder] : responders_) {
    if (responder.run.empty()) continue;
    if (each == name) return before;
    ++before;
  }
  return std::nullopt;
}

std::vector<health::Confirmation> Roster::confirmations(std::string_view self,
                                                        std::uint64_t own) const {
  std::vector<health::Confirmation> all;
  bool found = false;
  for (const auto& [name, responder] : responders_) {
    if (name == self) {
      all.push_back({name, own, true});
      found = true;
      continue;
    }
    if (responder.about.name.empty()) continue;  // forgotten
    all.push_back(
        {name, responder.served ? responder.served->publication : 0, !responder.run.empty()});
  }
  if (!found) all.push_back({std::string(self), own, true});
  return all;
}

void Roster::judge(std::uint64_t publication, base::WallTime now) {
  for (auto& [name, responder] : responders_) {
    const std::uint64_t has = responder.served ? responder.served->publication : 0;
    if (has >= publication) {
      responder.behind_since.reset();
    } else if (!responder.behind_since) {
      responder.behind_since = now;
    }
  }
}

}  // namespace sluice::cluster
