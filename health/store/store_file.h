#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "config/base/error.h"
#include "health/store/database_file.h"
#include "health/store/tables.h"

namespace sluice::health {

// A database file, opened and found to be what was committed, or not.
struct StoreFile {
  enum class Condition : std::uint8_t {
    Whole,    // as it was committed, with this version's tables; ready for use
    Rows,     // damaged, but not in a row that matters: in the audit, or in what SQLite needs
    Behind,   // whole, but older than it was known to be
    Damaged,  // not to be trusted in anything
    Missing,
  };
  Condition condition = Condition::Missing;
  std::string why;    // not whole: what it "is", to go on after its name
  Database database;  // Whole, Rows
  Loaded content;     // Whole, Rows; Behind: the seal

  bool has_rows() const noexcept {
    return condition == Condition::Whole || condition == Condition::Rows;
  }
};

// Opens the file and reads it whole. Older tables are taken to this version, unless the file is
// behind: its seal has less than `at_least` commits, and it is no export. Unless it is found whole
// nothing is changed, its journal included. An error is what does not make a good file bad (no
// right to write, a full disk), or a file of a newer version.
base::Checked<StoreFile> inspect(const std::string& path, std::uint64_t at_least);

// Only the seal; nothing when that can't be read or is not right. Changes nothing.
std::optional<Seal> glance(const std::string& path);

// Makes the database `path`, with tables or filled by `fill`, and gives it its name only once it is
// found whole and on disk: half of one never passes for a store. An older file of that name is
// replaced together with its journal.
base::Checked<base::Done> create_file(const std::string& path);
base::Checked<base::Done> create_file(
    const std::string& path, const std::function<SqliteResult<base::Done>(Database&)>& fill);

}  // namespace sluice::health
