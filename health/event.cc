#include "health/event.h"

namespace sluice::health {

const char* to_string(EventType type) noexcept {
  switch (type) {
    case EventType::Drain:
      return "drain";
    case EventType::Resume:
      return "resume";
    case EventType::Release:
      return "release";
    case EventType::Expire:
      return "expire";
    case EventType::Alarm:
      return "alarm";
    case EventType::Refusal:
      return "refusal";
    case EventType::Force:
      return "force";
    case EventType::Unforce:
      return "unforce";
    case EventType::Schedule:
      return "schedule";
    case EventType::Cancel:
      return "cancel";
    case EventType::Reload:
      return "reload";
    case EventType::Authentication:
      return "authentication";
    case EventType::Forbidden:
      return "forbidden";
    case EventType::Forget:
      return "forget";
    case EventType::Status:
      return "status";
    case EventType::Generation:
      return "generation";
    case EventType::Lease:
      return "lease";
    case EventType::MassLoss:
      return "mass-loss";
    case EventType::GuardEnd:
      return "guard-end";
    case EventType::Store:
      return "store";
    case EventType::Resources:
      return "resources";
  }
  return "";
}

bool is_durable(EventType type) noexcept {
  return type <= EventType::Forget;
}

}  // namespace sluice::health
