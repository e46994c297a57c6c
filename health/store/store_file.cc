#include "health/store/store_file.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "health/store/directory_lock.h"
#include "health/store/schema.h"

namespace sluice::health {
namespace {

namespace fs = std::filesystem;
using base::Done;
using base::Unexpected;

Unexpected<SqliteError> corrupt(std::string why) {
  return Unexpected{SqliteError{SQLITE_CORRUPT, std::move(why)}};
}

// SQLite takes a file for read-only when it doesn't know these two, "read and write version":
// nobody may think that the right to write was missing.
SqliteResult<Done> check_header(const std::string& path) {
  constexpr std::size_t kVersions = 18;
  std::array<char, kVersions + 2> header{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(header.data(), header.size())) return Done{};  // SQLite has words for it
  const auto known = [](char version) { return version == 1 || version == 2; };
  if (known(header[kVersions]) && known(header[kVersions + 1])) return Done{};
  return corrupt("its header is not what SQLite writes");
}

SqliteResult<std::int64_t> read_version(Database& database) {
  const auto application = database.integer("PRAGMA application_id");
  if (!application) return Unexpected{application.error()};
  const auto version = database.integer("PRAGMA user_version");
  if (!version) return version;
  if (*application != kApplicationId || *version < 1) {
    return corrupt("it is not a store of Sluice");
  }
  if (*version > kSchemaVersion) {
    return Unexpected{SqliteError{
        SQLITE_CANTOPEN, "was written by a newer sluiced (schema " + std::to_string(*version) +
                             ", this one knows up to " + std::to_string(kSchemaVersion) + ")"}};
  }
  return version;
}

SqliteResult<Done> check_pages(Database& database) {
  const auto verdict = database.text("PRAGMA integrity_check(1)");
  if (!verdict) return Unexpected{verdict.error()};
  if (*verdict != "ok") return corrupt(*verdict);
  return Done{};
}

SqliteResult<Done> write_ahead(Database& database) {
  const auto mode = database.text("PRAGMA journal_mode = WAL");
  if (!mode) return Unexpected{mode.error()};
  if (*mode != "wal") {
    return Unexpected{
        SqliteError{SQLITE_CANTOPEN, "can't be written ahead here (journal mode " + *mode + ")"}};
  }
  // The change leaves its transaction open until something is read: no checkpoint before.
  return database.execute("SELECT count(*) FROM sqlite_schema");
}

// SQLite reads a last page that was cut off as zeros. Once the journal is in the file, its size
// must be what its first page says.
SqliteResult<Done> check_size(Database& database, const std::string& path) {
  const auto busy = database.integer("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!busy) return Unexpected{busy.error()};
  // Somebody else reads (a backup, a shell): the journal is not all in the file, its size tells
  // nothing.
  if (*busy != 0) return Done{};
  const auto octets =
      database.integer("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  if (!octets) return Unexpected{octets.error()};
  std::error_code code;
  const auto size = fs::file_size(path, code);
  if (code) return Unexpected{SqliteError{SQLITE_CANTOPEN, code.message()}};
  if (size == static_cast<std::uintmax_t>(*octets)) return Done{};
  return corrupt("it has " + std::to_string(size) + " octets, should have " +
                 std::to_string(*octets));
}

StoreFile found(StoreFile::Condition condition, std::string why) {
  StoreFile file;
  file.condition = condition;
  file.why = std::move(why);
  return file;
}

std::string damaged(const std::string& why) {
  return "is damaged (" + why + ")";
}

// Rows that are right in a file that may be wrong elsewhere.
SqliteResult<StoreFile> judge_rows(Database database, Loaded content, SqliteResult<Done> pages,
                                   const std::string& path) {
  if (pages) pages = write_ahead(database);
  if (pages) pages = check_size(database, path);
  if (!pages && !pages.error().is_damage()) return Unexpected{pages.error()};
  StoreFile file = pages ? found(StoreFile::Condition::Whole, "")
                         : found(StoreFile::Condition::Rows, damaged(pages.error().text));
  database.keep_journal(!pages);
  file.database = std::move(database);
  file.content = std::move(content);
  return file;
}

SqliteResult<StoreFile> examine(const std::string& path, std::uint64_t at_least) {
  if (auto header = check_header(path); !header) return Unexpected{std::move(header).error()};
  auto database = Database::open(path, false);
  if (!database) return Unexpected{std::move(database).error()};
  database->keep_journal(true);
  if (auto ready = configure(*database); !ready) return Unexpected{std::move(ready).error()};
  const auto version = read_version(*database);
  if (!version) return Unexpected{version.error()};
  auto pages = check_pages(*database);
  if (*version < kSchemaVersion) {
    if (!pages) return Unexpected{std::move(pages).error()};
    if (at_least > 0) return found(StoreFile::Condition::Behind, "is of an older version");
    if (auto taken = migrate(*database, *version); !taken) {
      return Unexpected{std::move(taken).error()};
    }
  }
  auto content = load_tables(*database);
  if (!content) return Unexpected{std::move(content).error()};
  const Seal& seal = content->seal;
  if (!seal.exported && seal.commits < at_least) {
    return found(StoreFile::Condition::Behind, "is older than it was (commit " +
                                                   std::to_string(seal.commits) + " of " +
                                                   std::to_string(at_least) + ")");
  }
  return judge_rows(std::move(*database), std::move(*content), std::move(pages), path);
}

void remove_all(const std::string& path) {
  std::error_code code;
  for (const char* end : {"", "-journal", "-wal", "-shm"}) fs::remove(path + end, code);
}

base::Checked<Done> make_draft(const std::string& draft,
                               const std::function<SqliteResult<Done>(Database&)>& fill) {
  {
    auto database = Database::open(draft, true);
    if (!database) return base::failure(draft + ": " + database.error().text);
    auto made = configure(*database);
    if (made) made = fill(*database);
    if (!made) return base::failure(draft + ": " + made.error().text);
  }
  auto made = inspect(draft, 0);
  if (!made) return Unexpected{std::move(made).error()};
  if (made->condition == StoreFile::Condition::Whole) return Done{};
  return base::failure(draft + " " + made->why);
}

}  // namespace

SqliteResult<Done> configure(Database& database) {
  // FULL, since with NORMAL commits are not synced. The other lines harden against a damaged or
  // foreign file.
  return database.execute(
      "PRAGMA busy_timeout = 2000;"  // somebody's `sqlite3 sluice.db`, never us
      "PRAGMA foreign_keys = OFF;"
      "PRAGMA trusted_schema = OFF;"
      "PRAGMA cell_size_check = ON;"
      "PRAGMA synchronous = FULL;");
}

base::Checked<StoreFile> inspect(const std::string& path, std::uint64_t at_least) {
  std::error_code code;
  if (!fs::exists(path, code)) {
    if (code) return base::failure(path + ": " + code.message());
    return found(StoreFile::Condition::Missing, "is missing");
  }
  auto file = examine(path, at_least);
  if (file) return std::move(*file);
  if (!file.error().is_damage()) return base::failure(path + ": " + file.error().text);
  return found(StoreFile::Condition::Damaged, damaged(file.error().text));
}

std::optional<Seal> glance(const std::string& path) {
  if (!check_header(path)) return {};
  auto database = Database::open(path, false);
  if (!database) return {};
  database->keep_journal(true);
  auto seal = read_seal(*database);
  if (!seal) return {};
  return *seal;
}

base::Checked<Done> create_file(const std::string& path) {
  return create_file(path, [](Database& database) { return migrate(database, 0); });
}

base::Checked<Done> create_file(const std::string& path,
                                const std::function<SqliteResult<Done>(Database&)>& fill) {
  const std::string draft = path + ".new";
  remove_all(draft);
  auto made = make_draft(draft, fill);
  if (!made) {
    remove_all(draft);  // the disk may be full
    return made;
  }
  std::error_code code;
  // A journal that is not its own would be put into the new file.
  for (const char* end : {"-wal", "-shm"}) fs::remove(path + end, code);
  fs::rename(draft, path, code);
  if (code) return base::failure(draft + ": " + code.message());
  return sync_directory(fs::path(path).parent_path().string());
}

}  // namespace sluice::health
