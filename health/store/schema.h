#pragma once

#include <string>

#include "config/base/error.h"
#include "health/store/sqlite.h"

namespace sluice::health {

// Opens the database file, or makes one with empty tables when there is none. It is checked and has
// this version's tables; a damaged file, or one of another program or of a newer version, is an
// error: holds that can't be read must never count as no holds.
base::Checked<Database> open_database(const std::string& directory);

}  // namespace sluice::health
