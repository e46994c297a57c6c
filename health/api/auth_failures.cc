#include "health/api/auth_failures.h"

#include <utility>

namespace sluice::health {
namespace {

Event make_event(std::string origin, std::uint64_t failures, base::WallTime at) {
  Event event;
  event.at = at;
  event.type = EventType::Authentication;
  event.text = std::to_string(failures) + (failures == 1 ? " request" : " requests") +
               " failed to authenticate" + (origin.empty() ? ", from further addresses" : "");
  event.origin = std::move(origin);
  event.numbers = {{"failures", failures}};
  return event;
}

}  // namespace

// All series from the start: the first failure is a rise, which alerts can see.
void AuthFailures::append_to(std::string& page) const {
  page +=
      "# HELP sluice_api_authentication_failures_total Requests that were not let in, by reason.\n"
      "# TYPE sluice_api_authentication_failures_total counter\n";
  for (std::size_t reason = 0; reason < kAuthFailures; ++reason) {
    page += "sluice_api_authentication_failures_total{reason=\"";
    page += to_string(static_cast<AuthFailure>(reason));
    page += "\"} " + std::to_string(by_reason_.at(reason)) + "\n";
  }
}

void AuthFailures::record(std::string_view peer, base::MonoTime now) {
  const std::string_view address = peer.substr(0, peer.rfind('@'));
  auto found = counts_.find(address);
  if (found == counts_.end() && counts_.size() < kAddresses) {
    found = counts_.emplace(address, Count{now, 0}).first;
  }
  if (found != counts_.end()) {
    ++found->second.failures;
  } else {
    if (!rest_) rest_ = Count{now, 0};
    ++rest_->failures;
  }
}

std::vector<Event> AuthFailures::take_due(base::Now now) {
  std::vector<Event> events;
  for (auto it = counts_.begin(); it != counts_.end();) {
    if (now.mono - it->second.since < kMinute) {
      ++it;
      continue;
    }
    events.push_back(make_event(it->first, it->second.failures, now.wall));
    it = counts_.erase(it);
  }
  if (rest_ && now.mono - rest_->since >= kMinute) {
    events.push_back(make_event("", rest_->failures, now.wall));
    rest_.reset();
  }
  return events;
}

std::vector<Event> AuthFailures::take_all(base::Now now) {
  now.mono = base::MonoTime::max();
  return take_due(now);
}

}  // namespace sluice::health
