#pragma once

#include <cstddef>
#include <vector>

#include "health/store.h"

namespace sluice::health {

// Changes that wait for the disk and that nobody waits for, oldest first.
using KeptChanges = std::vector<std::vector<Change>*>;

// A disk that hangs for an hour must not fill the memory with what flapping agents said meanwhile:
// takes out what a later change makes void, the health of a service that has another one since, and
// the oldest entries of the audit beyond `most_audit`. What is left is bounded by the
// configuration. How many are left. Pure.
std::size_t drop_superseded(const KeptChanges& changes, std::size_t most_audit);

}  // namespace sluice::health
