#include "health/view.h"

namespace sluice::health {

// The words of interfaces.md; openapi.json lists the same.

const char* to_string(Status status) noexcept {
  switch (status) {
    case Status::Unknown:
      return "unknown";
    case Status::Down:
      return "down";
    case Status::Held:
      return "held";
    case Status::Draining:
      return "draining";
    case Status::Drained:
      return "drained";
    case Status::Accepting:
      return "accepting";
  }
  return "";
}

const char* to_string(Health health) noexcept {
  switch (health) {
    case Health::Up:
      return "up";
    case Health::Down:
      return "down";
    case Health::Stopped:
      return "stopped";
  }
  return "";
}

const char* to_string(Scope scope) noexcept {
  return scope == Scope::Server ? "server" : "service";
}

const char* to_string(Origin origin) noexcept {
  switch (origin) {
    case Origin::Operator:
      return "operator";
    case Origin::Host:
      return "host";
    case Origin::Schedule:
      return "schedule";
  }
  return "";
}

const char* to_string(Fallback fallback) noexcept {
  switch (fallback) {
    case Fallback::None:
      return "none";
    case Fallback::NeverEmpty:
      return "never-empty";
    case Fallback::ServeHeld:
      return "serve-held";
    case Fallback::Addresses:
      return "addresses";
    case Fallback::NoData:
      return "nodata";
  }
  return "";
}

const char* to_string(LeaseState state) noexcept {
  switch (state) {
    case LeaseState::Current:
      return "current";
    case LeaseState::Expired:
      return "expired";
    case LeaseState::Never:
      return "never";
    case LeaseState::Guarded:
      return "guarded";
  }
  return "";
}

const char* to_string(config::Startup startup) noexcept {
  return startup == config::Startup::Automatic ? "automatic" : "manual";
}

const char* to_string(ScheduleView::Kind kind) noexcept {
  return kind == ScheduleView::Kind::Drain ? "drain" : "expiry";
}

const char* to_string(ClusterState state) noexcept {
  switch (state) {
    case ClusterState::Deciding:
      return "deciding";
    case ClusterState::Following:
      return "following";
    case ClusterState::CutOff:
      return "cut-off";
    case ClusterState::Alone:
      return "alone";
  }
  return "";
}

const char* to_string(Then then) noexcept {
  return then == Then::Lift ? "lift" : "alarm";
}

}  // namespace sluice::health
