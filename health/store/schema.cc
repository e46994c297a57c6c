#include "health/store/schema.h"

#include <array>
#include <string>

#include "health/store/checked_table.h"
#include "health/store/seal.h"
#include "health/store/table_shapes.h"

namespace sluice::health {
namespace {

// Each step takes a database from the version of its index to the next (PRAGMA user_version).
// Steps that were released are never changed. Times are milliseconds since 1970-01-01T00:00:00Z;
// with "_mono" nanoseconds of the monotonic clock in that boot of the machine.
constexpr std::array kSteps{R"sql(
CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE holds (
  server    TEXT NOT NULL CHECK (server <> ''),
  service   TEXT NOT NULL,              -- empty: the whole server
  origin    TEXT NOT NULL CHECK (origin IN ('operator', 'host', 'schedule')),
  placed_by TEXT NOT NULL,
  reason    TEXT NOT NULL,
  since     INTEGER NOT NULL,
  startup   TEXT CHECK (startup IN ('automatic', 'manual')),
  forced    INTEGER NOT NULL CHECK (forced IN (0, 1)),
  hide_host INTEGER NOT NULL CHECK (hide_host IN (0, 1)),
  expires   INTEGER,
  PRIMARY KEY (server, service, origin)
) STRICT, WITHOUT ROWID;
CREATE TABLE hold_services (            -- what a hold knows of each service that it covers
  server   TEXT NOT NULL,
  service  TEXT NOT NULL,
  origin   TEXT NOT NULL,
  covered  TEXT NOT NULL,
  instance TEXT,
  released INTEGER NOT NULL CHECK (released IN (0, 1)),
  horizon  INTEGER,
  PRIMARY KEY (server, service, origin, covered)
) STRICT, WITHOUT ROWID;
CREATE TABLE health (
  server  TEXT NOT NULL CHECK (server <> ''),
  service TEXT NOT NULL,
  health  TEXT NOT NULL CHECK (health IN ('up', 'down', 'stopped')),
  PRIMARY KEY (server, service)
) STRICT, WITHOUT ROWID;
CREATE TABLE forces (
  server  TEXT NOT NULL CHECK (server <> ''),
  service TEXT NOT NULL,
  health  TEXT NOT NULL CHECK (health IN ('up', 'down')),
  PRIMARY KEY (server, service)
) STRICT, WITHOUT ROWID;
CREATE TABLE serial_bases (
  zone TEXT NOT NULL PRIMARY KEY,
  base INTEGER NOT NULL CHECK (base BETWEEN 0 AND 4294967295)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = 0x534c5549;
)sql",
                            R"sql(
ALTER TABLE meta ADD COLUMN row_check INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hold_services ADD COLUMN horizon_mono INTEGER;
ALTER TABLE hold_services ADD COLUMN boot INTEGER;
ALTER TABLE hold_services ADD COLUMN row_check INTEGER NOT NULL DEFAULT 0;
ALTER TABLE health ADD COLUMN row_check INTEGER NOT NULL DEFAULT 0;
ALTER TABLE serial_bases ADD COLUMN row_check INTEGER NOT NULL DEFAULT 0;
ALTER TABLE holds RENAME TO holds_before;
CREATE TABLE holds (
  server    TEXT NOT NULL CHECK (server <> ''),
  service   TEXT NOT NULL,              -- empty: the whole server
  origin    TEXT NOT NULL CHECK (origin IN ('operator', 'host', 'schedule')),
  placed_by TEXT NOT NULL,
  reason    TEXT NOT NULL,
  since     INTEGER NOT NULL,
  startup   TEXT CHECK (startup IN ('automatic', 'manual')),
  forced    INTEGER NOT NULL CHECK (forced IN (0, 1)),
  hide_host INTEGER NOT NULL CHECK (hide_host IN (0, 1)),
  expiry    INTEGER,                    -- its number; null: none, and so are the next three
  expires   INTEGER,
  then_do   TEXT CHECK (then_do IN ('lift', 'alarm')),
  alarmed   INTEGER CHECK (alarmed IN (0, 1)),
  row_check INTEGER NOT NULL,
  PRIMARY KEY (server, service, origin),
  CHECK ((expiry IS NULL) = (expires IS NULL) AND (expiry IS NULL) = (then_do IS NULL)
         AND (expiry IS NULL) = (alarmed IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO holds
  SELECT server, service, origin, placed_by, reason, since, startup, forced, hide_host,
         CASE WHEN expires IS NULL THEN NULL
              ELSE row_number() OVER (ORDER BY expires IS NULL, server, service, origin) END,
         expires, iif(expires IS NULL, NULL, 'lift'), iif(expires IS NULL, NULL, 0), 0
  FROM holds_before;
DROP TABLE holds_before;
INSERT INTO meta
  SELECT 'schedule', highest, 0 FROM (SELECT max(expiry) AS highest FROM holds)
  WHERE highest IS NOT NULL;
ALTER TABLE forces RENAME TO forces_before;
CREATE TABLE forces (
  server    TEXT NOT NULL CHECK (server <> ''),
  service   TEXT NOT NULL,
  health    TEXT NOT NULL CHECK (health IN ('up', 'down')),
  placed_by TEXT NOT NULL,              -- empty, and since 0: forced under version 1
  since     INTEGER NOT NULL,
  row_check INTEGER NOT NULL,
  PRIMARY KEY (server, service)
) STRICT, WITHOUT ROWID;
INSERT INTO forces SELECT server, service, health, '', 0, 0 FROM forces_before;
DROP TABLE forces_before;
CREATE TABLE schedules (                -- planned drains
  id           INTEGER NOT NULL PRIMARY KEY,
  server       TEXT NOT NULL CHECK (server <> ''),
  service      TEXT NOT NULL,
  at           INTEGER NOT NULL,
  placed_by    TEXT NOT NULL,
  reason       TEXT NOT NULL,
  startup      TEXT CHECK (startup IN ('automatic', 'manual')),
  hide_host    INTEGER NOT NULL CHECK (hide_host IN (0, 1)),
  forced       INTEGER NOT NULL CHECK (forced IN (0, 1)),
  expires      INTEGER,
  then_do      TEXT NOT NULL CHECK (then_do IN ('lift', 'alarm')),
  created      INTEGER NOT NULL,
  capped_since INTEGER,
  capped_mono  INTEGER,
  boot         INTEGER,
  row_check    INTEGER NOT NULL
) STRICT;
CREATE TABLE pool_ttls (
  pool       TEXT NOT NULL PRIMARY KEY,
  ttl        INTEGER NOT NULL CHECK (ttl >= 0),   -- seconds
  kept_until INTEGER NOT NULL,
  kept_mono  INTEGER NOT NULL,
  boot       INTEGER NOT NULL,
  row_check  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (                    -- not under the seal: it must never cost a hold
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  at         INTEGER NOT NULL,
  type       TEXT NOT NULL CHECK (type <> ''),
  server     TEXT NOT NULL,             -- empty: it concerns none
  service    TEXT NOT NULL,
  actor      TEXT NOT NULL,
  origin     TEXT NOT NULL,
  text       TEXT NOT NULL,
  generation INTEGER NOT NULL,
  rule       TEXT NOT NULL,
  answer_set TEXT NOT NULL,
  numbers    TEXT NOT NULL,             -- "name=1 other=2"
  row_check  INTEGER NOT NULL           -- over all but the id
) STRICT;
CREATE INDEX audit_by_server ON audit (server);
CREATE INDEX audit_by_time ON audit (at);
CREATE TABLE seal (                     -- one row: what the others must add up to
  id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 0),
  commits     INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  exported    INTEGER NOT NULL CHECK (exported IN (0, 1)),
  row_count   INTEGER NOT NULL,
  row_sum     INTEGER NOT NULL,
  definitions INTEGER NOT NULL,
  row_check   INTEGER NOT NULL
) STRICT;
)sql"};

static_assert(kSteps.size() == kSchemaVersion);

// The checks and the seal of tables that were just made, or changed from version 1, which had none
// to go on from.
SqliteResult<base::Done> seal(Database& database) {
  Seal sealed;
  for (const Shape* shape : kShapes) {
    auto checked = check_rows(database, *shape, sealed);
    if (!checked) return checked;
  }
  const auto definitions = sum_definitions(database);
  if (!definitions) return base::Unexpected{definitions.error()};
  sealed.definitions = *definitions;
  auto table = CheckedTable::prepare(database, kSealShape);
  if (!table) return base::Unexpected{std::move(table).error()};
  return write_seal(*table, sealed);
}

SqliteResult<base::Done> take_steps(Database& database, std::int64_t version) {
  std::string script = "BEGIN IMMEDIATE;";
  for (auto step = static_cast<std::size_t>(version); step < kSteps.size(); ++step) {
    script += kSteps[step];
  }
  script += "PRAGMA user_version = " + std::to_string(kSteps.size());
  auto done = database.execute(script.c_str());
  if (done) done = seal(database);
  if (done) done = database.execute("COMMIT");
  return done;
}

}  // namespace

SqliteResult<base::Done> migrate(Database& database, std::int64_t version) {
  if (version == kSchemaVersion) return base::Done{};
  auto done = take_steps(database, version);
  if (!done && database.in_transaction()) {
    [[maybe_unused]] const auto ended = database.execute("ROLLBACK");
  }
  return done;
}

}  // namespace sluice::health
