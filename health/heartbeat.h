#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/boxed.h"
#include "config/base/clock.h"
#include "config/base/flat_map.h"
#include "config/base/result.h"
#include "config/model.h"

// What an agent pushes (interfaces.md, "Heartbeat and its reply"): octets -> Heartbeat. Pure.
namespace sluice::health {

enum class Health : std::uint8_t {
  Up,
  Down,     // its checks fail
  Stopped,  // its unit is not running
};

using Sessions = base::FlatMap<std::string, std::uint64_t>;  // by counter name

// A hold that the host's administrator placed on the host itself.
struct HostPause {
  std::string by;
  std::string reason;
  base::WallTime since;
  std::optional<config::Startup> startup;
  bool force = false;
  // Of the run that was paused, boot id "/" unit instance; absent: the one that runs.
  std::optional<std::string> instance{};

  friend bool operator==(const HostPause&, const HostPause&) = default;
};

struct HookOutcome {
  std::string state;  // "ok", "failed", "running", ...
  std::string text;

  friend bool operator==(const HookOutcome&, const HookOutcome&) = default;
};

struct ServiceReport {
  Health health = Health::Down;
  std::optional<std::string> instance;  // of the unit, within the boot; absent: can't be told
  std::optional<Sessions> sessions;     // absent: not known, which is never zero
  std::optional<std::chrono::milliseconds> last_new_connection;  // ago
  base::Boxed<HostPause> paused;                                 // absent: the host holds nothing
  base::Boxed<HookOutcome> hook;

  friend bool operator==(const ServiceReport&, const ServiceReport&) = default;
};

struct Heartbeat {
  std::string instance;   // boot id
  std::uint64_t seq = 0;  // grows within a boot id
  base::FlatMap<std::string, ServiceReport> services;

  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

struct HeartbeatError {
  std::string member;   // "services.front-end.health"; empty: the document as a whole
  std::string message;  // "must be up, down or stopped"
};

// Accepts any octets. Unknown and duplicate members, wrong types, numbers out of range (a counter
// is 0..2^53-1, what JSON carries exactly) and texts over 1,024 octets are errors. The names of
// services are not checked against a configuration here.
base::Result<Heartbeat, HeartbeatError> parse_heartbeat(std::string_view octets);

// The two ways in which parse_heartbeat() reads. In full: as above. The plain one takes a tenth of
// the time, and reads the form that agents send nearly always: no escapes, no hold of the host's,
// no hook. It yields nothing, right or wrong, for all other octets, and never another value.
base::Result<Heartbeat, HeartbeatError> parse_full_heartbeat(std::string_view octets);
std::optional<Heartbeat> parse_plain_heartbeat(std::string_view octets);

}  // namespace sluice::health
