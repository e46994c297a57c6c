#pragma once

#include <vector>

#include "health/cluster/kv.h"
#include "health/hold.h"
#include "health/shared.h"
#include "health/store.h"

// What a responder keeps for itself beside its copy of the shared state: moments of its own clocks,
// which mean nothing to others. Pure.
namespace sluice::cluster {

// When caches forget whom this hold covers, as this responder knows it; a hold that is gone:
// delete.
Write own_write(const health::Hold& hold);
Write own_erase(const health::HoldKey& key);
// With which TTL it answered.
Write own_write(const health::PutPoolTtl& ttl);

// A hold that is this responder's alone, and the generation that it answers by therefore.
Write own_hold(const health::Hold& hold);
Write own_hold_erase(const health::HoldKey& key);
Write own_generation(std::uint64_t generation);

// Gives the holds of `state` their horizons and adds the TTLs. What can't be read is left out: then
// a horizon is a whole TTL from now. Holds that are this responder's alone are added, marked so.
void add_own(const std::vector<Change>& own, health::SharedState& state);

}  // namespace sluice::cluster
