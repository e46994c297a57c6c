#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "health/store/seal.h"
#include "health/store/sqlite.h"

namespace sluice::health {

// A table whose last column, row_check, is the check of the others; see row_check.h.
struct Shape {
  std::string_view name;
  std::size_t keys = 0;                        // of the columns, the first: what erase() names
  std::array<std::string_view, 15> columns{};  // the rest: empty

  // "server, service"
  std::string column_list() const;
  // "row_check('health', server, service)"
  std::string check() const;
  int size() const;
};

// The statements that change one such table and keep the seal in step.
class CheckedTable {
 public:
  static SqliteResult<CheckedTable> prepare(Database& database, const Shape& shape);

  // All columns in the shape's order.
  template <class... Values>
  SqliteResult<base::Done> insert(Seal& seal, const Values&... values) {
    auto row = insert_.query(values...);
    for (; row && *row; row = insert_.step()) seal.add(insert_.integer(0));
    return ended(std::move(row));
  }
  // Every row of that key; none is fine.
  template <class... Keys>
  SqliteResult<base::Done> erase(Seal& seal, const Keys&... keys) {
    auto row = erase_.query(keys...);
    for (; row && *row; row = erase_.step()) seal.remove(erase_.integer(0));
    return ended(std::move(row));
  }

 private:
  static SqliteResult<base::Done> ended(SqliteResult<bool> row) {
    if (!row) return base::Unexpected{std::move(row).error()};
    return base::Done{};
  }

  Statement insert_;
  Statement erase_;
};

// Calls `read(row)` for each row of `sql`; a failure of either ends it.
template <class Read>
SqliteResult<base::Done> each(Database& database, std::string_view sql, Read read) {
  auto rows = database.prepare(sql);
  if (!rows) return base::Unexpected{std::move(rows).error()};
  while (true) {
    auto row = rows->step();
    if (!row) return base::Unexpected{std::move(row).error()};
    if (!*row) return base::Done{};
    SqliteResult<base::Done> done = read(*rows);
    if (!done) return done;
  }
}

// Each row of the table, its columns in the shape's order, once its check was found right. They are
// added to `seal`.
template <class Read>
SqliteResult<base::Done> each_checked(Database& database, const Shape& shape, Seal& seal,
                                      Read read) {
  const int stored = shape.size();
  return each(
      database,
      "SELECT " + shape.column_list() + ", row_check, " + shape.check() + " FROM " +
          std::string(shape.name),
      [&, stored](const Statement& row) -> SqliteResult<base::Done> {
        if (row.is_null(stored) || row.integer(stored) != row.integer(stored + 1)) {
          return base::Unexpected{SqliteError{
              SQLITE_CORRUPT, "a row of " + std::string(shape.name) + " is not what was written"}};
        }
        seal.add(row.integer(stored));
        return read(row);
      });
}

// Gives every row its check; for tables that a migration made or changed.
SqliteResult<base::Done> check_rows(Database& database, const Shape& shape, Seal& seal);

}  // namespace sluice::health
