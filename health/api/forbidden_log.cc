#include "health/api/forbidden_log.h"

#include <utility>

namespace sluice::health {
namespace {

Event make_event(std::string by, std::string origin, std::string server, std::string text,
                 std::uint64_t requests, base::WallTime at) {
  Event event;
  event.at = at;
  event.type = EventType::Forbidden;
  event.by = std::move(by);
  event.origin = std::move(origin);
  event.server = std::move(server);
  event.text = std::move(text);
  event.numbers = {{"requests", requests}};
  return event;
}

std::string again(std::uint64_t times) {
  return "; again " + std::to_string(times) + (times == 1 ? " time" : " times") +
         " within a minute";
}

}  // namespace

std::optional<Event> ForbiddenLog::record(const Identity& who, std::string_view server,
                                          std::string_view what, base::Now now) {
  // The port does not count.
  const std::string_view from =
      std::string_view(who.origin).substr(0, std::string_view(who.origin).rfind('@'));
  Kind kind{who.by, std::string(from), std::string(server), std::string(what)};
  const auto known = counts_.find(kind);
  if (known != counts_.end()) {
    ++known->second.again;
    return {};
  }
  if (counts_.size() < kKinds) {
    counts_.emplace(std::move(kind), Count{now.mono, 0});
    return make_event(who.by, who.origin, std::string(server), std::string(what), 1, now.wall);
  }
  if (!rest_) rest_ = Count{now.mono, 0};
  ++rest_->again;
  return {};
}

std::vector<Event> ForbiddenLog::take_due(base::Now now) {
  std::vector<Event> events;
  for (auto it = counts_.begin(); it != counts_.end();) {
    const auto& [since, times] = it->second;
    if (now.mono - since < kMinute) {
      ++it;
      continue;
    }
    if (times > 0) {
      const auto& [by, from, server, what] = it->first;
      events.push_back(make_event(by, from, server, what + again(times), times, now.wall));
    }
    it = counts_.erase(it);
  }
  if (rest_ && now.mono - rest_->since >= kMinute) {
    const std::uint64_t requests = std::exchange(rest_, std::nullopt)->again;
    events.push_back(make_event(
        "", "", "",
        std::to_string(requests) + " more requests for what is another's, of further callers",
        requests, now.wall));
  }
  return events;
}

std::vector<Event> ForbiddenLog::take_all(base::Now now) {
  now.mono = base::MonoTime::max();
  return take_due(now);
}

}  // namespace sluice::health
