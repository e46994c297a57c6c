#pragma once

#include <cstdint>

#include "health/store/sqlite.h"

namespace sluice::health {

// "SLUI": tells our files from others' (PRAGMA application_id).
inline constexpr std::int64_t kApplicationId = 0x534c5549;
// What this sluiced writes (PRAGMA user_version).
inline constexpr std::int64_t kSchemaVersion = 2;

// Takes the tables from `version` (0: there are none) to this one and seals them anew, in one
// transaction. What a version with a seal holds must have been found right before.
SqliteResult<base::Done> migrate(Database& database, std::int64_t version);

}  // namespace sluice::health
