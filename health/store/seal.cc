#include "health/store/seal.h"

#include <optional>

#include "health/store/checked_table.h"
#include "health/store/table_shapes.h"

namespace sluice::health {

SqliteResult<Seal> read_seal(Database& database) {
  std::optional<Seal> found;
  Seal own;  // its one row is not among those that it counts
  auto done = each_checked(database, kSealShape, own,
                           [&](const Statement& row) -> SqliteResult<base::Done> {
                             Seal seal;
                             seal.commits = static_cast<std::uint64_t>(row.integer(1));
                             seal.at = row.time(2);
                             seal.exported = row.integer(3) != 0;
                             seal.rows = static_cast<std::uint64_t>(row.integer(4));
                             seal.sum = static_cast<std::uint64_t>(row.integer(5));
                             seal.definitions = static_cast<std::uint64_t>(row.integer(6));
                             found = seal;
                             return base::Done{};
                           });
  if (!done) return base::Unexpected{std::move(done).error()};
  if (!found) return base::Unexpected{SqliteError{SQLITE_CORRUPT, "it has no seal"}};
  return *found;
}

SqliteResult<base::Done> write_seal(CheckedTable& table, const Seal& seal) {
  constexpr std::int64_t kId = 0;
  Seal own;
  auto done = table.erase(own, kId);
  if (!done) return done;
  return table.insert(own, kId, static_cast<std::int64_t>(seal.commits), seal.at, seal.exported,
                      static_cast<std::int64_t>(seal.rows), static_cast<std::int64_t>(seal.sum),
                      static_cast<std::int64_t>(seal.definitions));
}

SqliteResult<std::uint64_t> sum_definitions(Database& database) {
  std::uint64_t sum = 0;
  // SQLite's own tables come and go (sqlite_sequence, somebody's ANALYZE).
  auto done = each(database,
                   "SELECT row_check('', type, name, tbl_name, sql) FROM sqlite_schema "
                   "WHERE name NOT GLOB 'sqlite_*'",
                   [&](const Statement& row) -> SqliteResult<base::Done> {
                     sum += static_cast<std::uint64_t>(row.integer(0));
                     return base::Done{};
                   });
  if (!done) return base::Unexpected{std::move(done).error()};
  return sum;
}

}  // namespace sluice::health
