#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::agent {

// What systemd says of a unit (org.freedesktop.systemd1(5)); all empty: not known yet.
struct UnitState {
  std::string id;          // its first name; another than the configured one where that is an alias
  std::string load;        // LoadState: "loaded", "not-found", "masked", ...
  std::string active;      // ActiveState: "active", "reloading", "inactive", "failed", ...
  std::string sub;         // SubState, the kind's own word: "running", "exited", "auto-restart"
  std::string invocation;  // InvocationID in hex; empty: none, it never ran

  bool is_up() const noexcept { return active == "active" || active == "reloading"; }
  // Of a unit that systemd does not have nothing is known: its name may be mistyped, and whatever
  // runs has sessions.
  bool known() const noexcept { return !active.empty() && (load != "not-found" || is_up()); }
  // "active (running)", "not-found"
  std::string text() const;

  friend bool operator==(const UnitState&, const UnitState&) = default;
};

// What the units of a service say of it.
struct UnitsVerdict {
  enum class Health : std::uint8_t {
    Unknown,
    Up,       // each unit is active; one that reloads its configuration is, too
    Down,     // one is not: it starts, stops, is being restarted, or has ended beside others
    Stopped,  // each is inactive or failed: nothing of the service runs
  };
  Health health = Health::Unknown;
  // Of one that is up or down: what tells this run from any other. The invocation of its unit; of
  // several units a hash of theirs, so that a restart of one of them is a new run of the service.
  // One that is stopping is still the run that it was: a hold that is placed now knows it.
  std::string instance;

  friend bool operator==(const UnitsVerdict&, const UnitsVerdict&) = default;
};

// Pure. A unit that is not known leaves the whole unknown: said too early, "down" would come
// without an instance, and the authority would take the next one for the one that it knew.
UnitsVerdict judge_units(std::span<const UnitState> units);

}  // namespace sluice::agent
