#pragma once

#include "health/store.h"
#include "health/store/sqlite.h"

namespace sluice::health {

// Changes and states as rows: the prepared statements of one connection, which must outlive it.
class Tables {
 public:
  static SqliteResult<Tables> prepare(Database& database);

  // Reads everything. What the schema's checks can't have let in is an error too.
  static SqliteResult<StoredState> load(Database& database);

  // Inside of the caller's transaction.
  SqliteResult<base::Done> apply(const Change& change);

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

  Statement put_hold_;
  Statement erase_hold_;
  Statement put_hold_service_;
  Statement erase_hold_services_;
  Statement put_health_;
  Statement put_force_;
  Statement erase_force_;
  Statement reserve_;
  Statement put_serial_base_;
};

}  // namespace sluice::health
