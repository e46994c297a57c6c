#pragma once

#include <cstdint>

#include "health/store.h"
#include "health/store/audit_table.h"
#include "health/store/checked_table.h"
#include "health/store/seal.h"
#include "health/store/sqlite.h"

namespace sluice::health {

// What stands in a database, and what its seal says of it.
struct Loaded {
  StoredState state;
  Seal seal;
};

// Reads everything and finds each row, their number and their sum as they were written; what the
// schema's checks can't have let in is an error too. The audit is not read.
SqliteResult<Loaded> load_tables(Database& database);

// Changes as rows: the prepared statements of one connection, which must outlive it.
class Tables {
 public:
  // `seal` is what load_tables() found.
  static SqliteResult<Tables> prepare(Database& database, const Seal& seal);

  // A transaction: begin(), apply() any number of times, then commit() or roll_back(). What failed
  // must be rolled back.
  SqliteResult<base::Done> begin();
  SqliteResult<base::Done> apply(const Change& change);
  // `number` and `at` go to the seal.
  SqliteResult<base::Done> commit(std::uint64_t number, base::WallTime at);
  void roll_back();

  // As of the last commit.
  const Seal& seal() const noexcept { return committed_; }
  AuditTable& audit() noexcept { return audit_; }

 private:
  SqliteResult<base::Done> put(const PutHold& change);
  SqliteResult<base::Done> put(const EraseHold& change);
  SqliteResult<base::Done> put(const PutHealth& change);
  SqliteResult<base::Done> put(const PutForce& change);
  SqliteResult<base::Done> put(const PutSchedule& change);
  SqliteResult<base::Done> put(const EraseSchedule& change);
  SqliteResult<base::Done> put(const ReserveSchedules& change);
  SqliteResult<base::Done> put(const PutPoolTtl& change);
  SqliteResult<base::Done> put(const AppendAudit& change);
  SqliteResult<base::Done> put(const PruneAudit& change);
  SqliteResult<base::Done> put(const ReserveGenerations& change);
  SqliteResult<base::Done> put(const PutSerialBase& change);
  SqliteResult<base::Done> put_hold_services(const Hold& hold);
  // Never back, whatever the order in which reservations come.
  SqliteResult<base::Done> reserve(std::string_view name, std::uint64_t up_to);

  Statement begin_;
  Statement commit_;
  Statement roll_back_;
  Statement number_;
  CheckedTable meta_;
  CheckedTable holds_;
  CheckedTable hold_services_;
  CheckedTable health_;
  CheckedTable forces_;
  CheckedTable schedules_;
  CheckedTable pool_ttls_;
  CheckedTable serial_bases_;
  CheckedTable seal_;
  AuditTable audit_;
  Seal committed_;
  Seal pending_;  // with what the open transaction did
};

}  // namespace sluice::health
