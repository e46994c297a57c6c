#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/base/error.h"
#include "health/event.h"
#include "health/heartbeat.h"
#include "health/histogram.h"
#include "health/hold.h"
#include "health/schedule.h"

// What must survive a power cut, and nothing else: heartbeats never come here. The interface is the
// authority's; health/store/ has who implements it.
namespace sluice::health {

// Writes the hold whole, over an older one of the same key.
struct PutHold {
  Hold hold;
};
struct EraseHold {
  HoldKey key;
};
// The last known health of a service, written as it changes, for the time after a restart.
struct PutHealth {
  std::string server;
  std::string service;
  Health health = Health::Up;
};
// An operator's forced health; empty: lifted.
struct PutForce {
  std::string server;
  std::string service;
  std::optional<Health> health;  // Up or Down
  std::string by;                // while forced
  base::WallTime since;          // likewise
};
// Writes the planned drain whole, over an older one of the same number.
struct PutSchedule {
  PlannedDrain plan;
};
struct EraseSchedule {
  ScheduleId id = 0;
};
// Numbers of schedules up to this one may have been used.
struct ReserveSchedules {
  ScheduleId up_to = 0;
};
// The TTL that a pool's answers have from now on, and until when caches may keep those that were
// sent with another one before: where the horizons of a restart begin.
struct PutPoolTtl {
  std::string pool;
  std::chrono::seconds ttl{0};
  base::Moment kept_until;
};
// One more entry of the audit. `event.id` is not kept, entries have numbers of their own.
struct AppendAudit {
  Event event;
};
// Entries from before go, and the oldest of those that are more than `most`.
struct PruneAudit {
  base::WallTime before;
  std::uint64_t most = 0;
};
// Generations up to this one may have been used: after a restart go on above it.
struct ReserveGenerations {
  std::uint64_t up_to = 0;
};
// What is added to the generation to make a zone's SOA serial; never goes back.
struct PutSerialBase {
  std::string zone;
  std::uint32_t base = 0;
};
using Change = std::variant<PutHold, EraseHold, PutHealth, PutForce, PutSchedule, EraseSchedule,
                            ReserveSchedules, PutPoolTtl, AppendAudit, PruneAudit,
                            ReserveGenerations, PutSerialBase>;

struct StoredState {
  std::uint64_t generation = 0;  // the highest reserved
  std::vector<Hold> holds;
  std::vector<PutHealth> health;
  std::vector<PutForce> forces;
  std::vector<PlannedDrain> schedules;
  ScheduleId schedule = 0;  // the highest reserved
  std::vector<PutPoolTtl> pool_ttls;
  std::map<std::string, std::uint32_t, std::less<>> serial_bases;
};

class Store {
 public:
  // First: somebody may wait for it (holds, forces). Behind: nobody does. The order of changes is
  // kept within each; First goes before what is queued Behind. A kind of change is always given the
  // same urgency, so that an old one never overtakes a newer one.
  enum class Urgency : std::uint8_t { First, Behind };
  using Stored = base::Result<base::Done, std::string>;  // the error: the store's own words

  virtual ~Store() = default;

  // Queues the changes, all or nothing in one transaction; returns at once. `done` (may be empty)
  // is called on the control thread once they are durable, or have failed; after a failure nothing
  // of them is on disk and the caller may give them again.
  virtual void commit(std::vector<Change> changes, Urgency urgency,
                      std::function<void(Stored)> done) = 0;

  // Duration of each durable transaction. Any thread may read.
  virtual const Histogram& commit_seconds() const noexcept = 0;
};

}  // namespace sluice::health
