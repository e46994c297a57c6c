#pragma once

#include <cstdint>

#include "config/base/clock.h"
#include "health/store/sqlite.h"

namespace sluice::health {

class CheckedTable;

// What a database says of itself, in one row that each transaction writes anew: a row that is
// missing or there twice, a table of another moment, a file of another day don't fit it.
struct Seal {
  std::uint64_t commits = 0;  // grows by one with each transaction
  base::WallTime at;          // of the last one
  bool exported = false;      // a copy that an operator took: its number may be behind
  // Over all rows that matter, so not the audit's; the sum of their checks is modulo 2^64.
  std::uint64_t rows = 0;
  std::uint64_t sum = 0;
  std::uint64_t definitions = 0;  // of the tables: the sum of checks over their SQL

  void add(std::int64_t check) noexcept {
    ++rows;
    sum += static_cast<std::uint64_t>(check);
  }
  void remove(std::int64_t check) noexcept {
    --rows;
    sum -= static_cast<std::uint64_t>(check);
  }
};

// As it is written; an error when that is not what was written once.
SqliteResult<Seal> read_seal(Database& database);
// Within the caller's transaction; `table` is of kSealShape.
SqliteResult<base::Done> write_seal(CheckedTable& table, const Seal& seal);

// Of the tables as they are.
SqliteResult<std::uint64_t> sum_definitions(Database& database);

}  // namespace sluice::health
