#include "tools/sluiced/event_lines.h"

#include <algorithm>

#include "tools/sluiced/log.h"

namespace sluice {
namespace {

// Lines about what agents do: a hundred at once (a pool of sixteen servers with six services comes
// up), then ten a second, which nobody reads faster anyway.
constexpr base::Duration kLineGap{100};
constexpr int kLineBurst = 100;

bool comes_in_floods(health::EventType type) {
  using enum health::EventType;
  return type == Status || type == Lease || type == GuardEnd;
}

bool alarms(health::EventType type) {
  using enum health::EventType;
  return type == MassLoss || type == Lease || type == Alarm || type == Store || type == Resources ||
         type == Authentication || type == Forbidden;
}

std::string text_of(const health::Event& event) {
  std::string line = health::to_string(event.type);
  if (!event.server.empty()) line += " " + event.server;
  if (!event.service.empty()) line += " " + log::escaped(event.service);
  if (!event.by.empty()) line += " by " + log::escaped(event.by);
  if (!event.origin.empty()) line += " from " + log::escaped(event.origin);
  if (!event.text.empty()) line += ": " + log::escaped(event.text);
  return line + " (generation " + std::to_string(event.generation) + ")";
}

}  // namespace

std::optional<EventLines::Line> EventLines::line_of(const health::Event& event,
                                                    base::MonoTime now) {
  // The lines of its cause tell more: a drain, a lease; and who reloads tells each mistake.
  const bool told_otherwise =
      event.type == health::EventType::Generation || event.type == health::EventType::Reload;
  if (told_otherwise) return std::nullopt;
  if (comes_in_floods(event.type) && !has_room(now)) {
    ++passed_over_;
    return std::nullopt;
  }
  return Line{alarms(event.type), text_of(event)};
}

std::optional<EventLines::Line> EventLines::passed_over(base::MonoTime now) {
  if (passed_over_ == 0 || !has_room(now)) return std::nullopt;
  Line line{false, std::to_string(passed_over_) +
                       " more changes of status and leases were not "
                       "logged; sluicectl watch and history have them"};
  passed_over_ = 0;
  return line;
}

bool EventLines::has_room(base::MonoTime now) {
  const base::MonoTime spent = std::max(spent_until_, now) + kLineGap;
  if (spent - now > kLineBurst * kLineGap) return false;
  spent_until_ = spent;
  return true;
}

}  // namespace sluice
