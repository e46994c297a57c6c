#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "health/store/tables.h"

// Which of the two files of a store is used at the start. Holds that can't be read must never count
// as no holds.
namespace sluice::health {

std::string database_path(const std::string& directory);  // DIRECTORY/sluice.db
std::string copy_path(const std::string& directory);      // DIRECTORY/sluice.backup.db

struct OpenedStore {
  Database database;  // of sluice.db, whole and of this version
  Tables tables;
  StoredState state;
  // The copy says that it is as new: it need not be made anew if it is found whole.
  bool copy_is_current = false;
  std::vector<std::string> notices;  // for the log: what was found, and what was done about it
};

// Opens sluice.db, or makes an empty one when there is none of the two. When it is damaged, missing
// or older than the copy, the copy takes its place and the file is kept aside as
// sluice.db.damaged-TIME. An error, in words for the operator, when neither can be used. Nobody
// else may have the directory.
base::Checked<OpenedStore> open_store(const std::string& directory, base::WallTime now);

}  // namespace sluice::health
