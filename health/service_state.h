#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/clock.h"
#include "config/base/packed_text.h"
#include "config/base/rare.h"
#include "config/model.h"
#include "health/heartbeat.h"
#include "health/hold.h"
#include "health/lease.h"
#include "health/packed_sessions.h"
#include "health/view.h"

// One service on one server: what its agent said, and what that makes of its holds. Pure: no clock,
// no input or output. Measured, ordered and remembered are kept apart, so that lifting an order
// shows the truth.
namespace sluice::health {

// Packed, since ten thousand agents speak of six services each: what varies is in one allocation,
// what is rare takes a pointer until it comes.
struct ServiceState {
  // What the agent is asked to do with the host's own hold.
  enum class Lift : std::uint8_t {
    No,
    Asked,     // an operator resumed: the hold stands until the agent says it is lifted
    Released,  // a new instance released it: what the agent still pushes of it is void
  };

  std::optional<Health> health;      // as pushed last since the authority's start
  std::optional<Health> last_known;  // the same, or from before the start
  std::optional<Health> kept;        // what of that is on disk, or on its way
  Status told = Status::Unknown;     // that of the last event
  Lift lift = Lift::No;
  std::optional<Health> forced;  // Up or Down, by an operator
  base::WallTime since;          // when `health` became what it is
  base::PackedText instance;     // boot id "/" unit instance; of one that stopped: its last
  PackedSessions sessions;       // none: not known
  base::MonoTime counted;        // since when `sessions` and `health` are surely no older
  std::optional<base::MonoTime> last_new_connection;
  base::Rare<std::optional<HookOutcome>> hook;
  base::Rare<std::string> forced_by;
  base::WallTime forced_since;
};

// Takes over what was pushed, but for `paused`. True when the health changed.
bool apply(ServiceState& state, const ServiceReport& report, const std::string& boot,
           const base::Now& now);

// What a push means for one hold that covers the service (semantics.md section 4).
enum class InstanceEffect : std::uint8_t {
  None,     // the instance that the hold knows, or nothing to compare
  Adopt,    // the hold knows none: this one is taken as the one it was placed on
  Forget,   // the service runs but no longer tells its instance: the next one is adopted
  Release,  // a new instance, startup automatic
  Outlive,  // a new instance, startup manual: it waits for an operator (status `held`)
};
InstanceEffect instance_effect(const Hold& hold, std::string_view service,
                               const ServiceState& state, config::Startup service_default);

// Whether the running instance is newer than the one that the hold was placed on.
bool outlived(const Hold& hold, std::string_view service, const ServiceState& state);

// The status table of semantics.md section 2.
struct StatusInput {
  bool lease_current = false;
  std::optional<Health> health;  // empty: never pushed
  bool held = false;
  bool newer_than_hold = false;
  bool at_zero = false;       // sessions known, each counter zero
  bool horizon_past = false;  // and out of every answer, confirmed
};
Status status_of(const StatusInput& input) noexcept;

// Why sessions, or the service as a whole, are not known, in one sentence.
std::string unknown_because(const ServiceState& service, const Lease& lease);

// What counts as the sessions of a service now; empty: not known. A stopped service has none.
std::optional<Sessions> known_sessions(const ServiceState& state, bool lease_current);
bool at_zero(const std::optional<Sessions>& sessions) noexcept;

}  // namespace sluice::health
