#include "health/store/schema.h"

#include <array>
#include <filesystem>
#include <system_error>

#include "health/store/directory_lock.h"

namespace sluice::health {
namespace {

// "SLUI": tells our files from others' (PRAGMA application_id).
constexpr std::int64_t kApplicationId = 0x534c5549;

// Each step takes a database from the version of its index to the next (PRAGMA user_version).
// Steps that were released are never changed. Times are milliseconds since 1970-01-01T00:00:00Z.
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
)sql"};

base::Unexpected<base::Error> refuse(const std::string& path, const std::string& why) {
  return base::failure(path + ": " + why);
}

base::Unexpected<base::Error> damaged(const std::string& path, const std::string& why) {
  return refuse(path, "is damaged (" + why +
                          "); holds would be lost without it: restore it from a backup, or move "
                          "the whole directory away to start without any hold");
}

SqliteResult<base::Done> migrate(Database& database, std::int64_t version) {
  std::string script = "BEGIN IMMEDIATE;";
  for (auto step = static_cast<std::size_t>(version); step < kSteps.size(); ++step) {
    script += kSteps[step];
  }
  script += "PRAGMA user_version = " + std::to_string(kSteps.size()) + "; COMMIT;";
  auto done = database.execute(script.c_str());
  if (!done && database.in_transaction()) {
    [[maybe_unused]] const auto ended = database.execute("ROLLBACK");
  }
  return done;
}

// WAL with FULL: each commit is synced, which NORMAL does not do. The other lines harden against a
// damaged or foreign file.
SqliteResult<base::Done> configure(Database& database) {
  return database.execute(
      "PRAGMA busy_timeout = 2000;"  // somebody's `sqlite3 sluice.db`, never us
      "PRAGMA foreign_keys = OFF;"
      "PRAGMA trusted_schema = OFF;"
      "PRAGMA cell_size_check = ON;"
      "PRAGMA synchronous = FULL;");
}

// The file gets its name when it is whole: a crash here leaves no database, never an empty one that
// would pass for a store without holds.
base::Checked<base::Done> create(const std::string& directory, const std::string& path) {
  const std::string draft = path + ".new";
  std::error_code code;
  std::filesystem::remove(draft, code);
  std::filesystem::remove(draft + "-journal", code);
  {
    auto database = Database::open(draft, true);
    if (!database) return refuse(draft, database.error().text);
    auto made = configure(*database);
    if (made) made = migrate(*database, 0);
    if (!made) return refuse(draft, made.error().text);
  }
  std::filesystem::rename(draft, path, code);
  if (code) return refuse(draft, code.message());
  return sync_directory(directory);
}

// SQLite reads a last page that was cut off as zeros. Once the journal is in the file, its size
// must be what its first page says.
base::Checked<base::Done> check_size(Database& database, const std::string& path) {
  const auto busy = database.integer("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!busy) return damaged(path, busy.error().text);
  // Somebody else reads (a backup, a shell): the journal is not all in the file, its size tells
  // nothing.
  if (*busy != 0) return base::Done{};
  const auto octets =
      database.integer("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  if (!octets) return damaged(path, octets.error().text);
  std::error_code code;
  const auto size = std::filesystem::file_size(path, code);
  if (code) return refuse(path, code.message());
  if (size != static_cast<std::uintmax_t>(*octets)) {
    return damaged(
        path, "it has " + std::to_string(size) + " octets, should have " + std::to_string(*octets));
  }
  return base::Done{};
}

base::Checked<base::Done> check(Database& database, const std::string& path) {
  const auto application = database.integer("PRAGMA application_id");
  if (!application) return damaged(path, application.error().text);
  const auto version = database.integer("PRAGMA user_version");
  if (!version) return damaged(path, version.error().text);
  if (*application != kApplicationId || *version < 1) {
    return damaged(path, "it is not a store of Sluice");
  }
  if (*version > static_cast<std::int64_t>(kSteps.size())) {
    return refuse(path, "was written by a newer sluiced (schema " + std::to_string(*version) +
                            ", this one knows up to " + std::to_string(kSteps.size()) + ")");
  }
  const auto verdict = database.text("PRAGMA integrity_check(1)");
  if (!verdict) return damaged(path, verdict.error().text);
  if (*verdict != "ok") return damaged(path, *verdict);
  auto whole = check_size(database, path);
  if (!whole) return whole;
  const auto migrated = migrate(database, *version);
  if (!migrated) return refuse(path, migrated.error().text);
  return base::Done{};
}

}  // namespace

base::Checked<Database> open_database(const std::string& directory) {
  const std::string path = directory + "/sluice.db";
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    if (code) return refuse(path, code.message());
    // A journal without its database: somebody removed the one that counts.
    if (std::filesystem::exists(path + "-wal", code)) return damaged(path, "the file is missing");
    auto created = create(directory, path);
    if (!created) return base::Unexpected{std::move(created).error()};
  }
  auto database = Database::open(path, false);
  if (!database) return refuse(path, database.error().text);
  const auto configured = configure(*database);
  if (!configured) return damaged(path, configured.error().text);
  const auto mode = database->text("PRAGMA journal_mode = WAL");
  if (!mode) return damaged(path, mode.error().text);
  if (*mode != "wal")
    return refuse(path, "can't be written ahead here (journal mode " + *mode + ")");
  auto checked = check(*database, path);
  if (!checked) return base::Unexpected{std::move(checked).error()};
  return std::move(*database);
}

}  // namespace sluice::health
