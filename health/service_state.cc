#include "health/service_state.h"

#include <algorithm>

namespace sluice::health {

namespace {

// It is nearly always the one that is known, and then nothing is written.
void note_instance(base::PackedText& known, std::string_view boot, std::string_view unit) {
  if (known) {
    const std::string_view is = *known;
    if (is.size() == boot.size() + 1 + unit.size() && is.starts_with(boot) &&
        is[boot.size()] == '/' && is.ends_with(unit)) {
      return;
    }
  }
  known = std::string_view(std::string(boot).append("/").append(unit));
}

}  // namespace

bool apply(ServiceState& state, const ServiceReport& report, const std::string& boot,
           const base::Now& now) {
  const bool changed = state.health != report.health;
  if (changed) state.since = now.wall;
  state.health = report.health;
  state.last_known = report.health;
  state.sessions = report.sessions;
  if (report.hook || *state.hook) state.hook.edit() = report.hook;
  if (report.instance) {
    note_instance(state.instance, boot, *report.instance);
  } else if (report.health != Health::Stopped) {
    state.instance.reset();  // what has stopped has none, and the one that it had is over
  }
  state.last_new_connection.reset();
  if (report.last_new_connection) {
    state.last_new_connection = now.mono - *report.last_new_connection;
  }
  return changed;
}

InstanceEffect instance_effect(const Hold& hold, std::string_view service,
                               const ServiceState& state, config::Startup service_default) {
  const auto known = hold.instances.find(service);
  if (!state.instance) {
    // A stopped unit has no instance, and its next one is a restart: nothing to forget.
    const bool runs = state.health && *state.health != Health::Stopped;
    return runs && known != hold.instances.end() ? InstanceEffect::Forget : InstanceEffect::None;
  }
  if (known == hold.instances.end()) return InstanceEffect::Adopt;
  if (known->second == *state.instance) return InstanceEffect::None;
  return hold.startup.value_or(service_default) == config::Startup::Automatic
             ? InstanceEffect::Release
             : InstanceEffect::Outlive;
}

bool outlived(const Hold& hold, std::string_view service, const ServiceState& state) {
  const auto known = hold.instances.find(service);
  return known != hold.instances.end() && state.instance && known->second != *state.instance;
}

Status status_of(const StatusInput& input) noexcept {
  if (!input.lease_current || !input.health) return Status::Unknown;
  if (*input.health == Health::Stopped) return Status::Down;
  if (*input.health == Health::Down && !input.held) return Status::Down;
  if (!input.held) return Status::Accepting;
  if (input.newer_than_hold) return Status::Held;
  return input.at_zero && input.horizon_past ? Status::Drained : Status::Draining;
}

// "2 heartbeats are missing" helps nobody at three in the morning: say what is, in one sentence.
std::string unknown_because(const ServiceState& service, const Lease& lease) {
  switch (state_of(lease)) {
    case LeaseState::Never:
      return "no agent has pushed since the authority started";
    case LeaseState::Expired:
    case LeaseState::Guarded:
      return "its agent went silent";
    case LeaseState::Current:
      break;
  }
  return service.health ? "its agent can't count them" : "its agent does not push this service";
}

std::optional<Sessions> known_sessions(const ServiceState& state, bool lease_current) {
  if (!lease_current || !state.health) return std::nullopt;
  if (*state.health == Health::Stopped) return Sessions{};
  return state.sessions;
}

bool at_zero(const std::optional<Sessions>& sessions) noexcept {
  return sessions &&
         std::ranges::all_of(*sessions, [](const auto& counter) { return counter.second == 0; });
}

}  // namespace sluice::health
