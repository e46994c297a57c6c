#include "health/store/database_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "health/rfc3339.h"
#include "health/store/directory_lock.h"

namespace sluice::health {
namespace {

namespace fs = std::filesystem;
using base::Done;
using base::Unexpected;

void remove_all(const std::string& path) {
  std::error_code code;
  for (const char* end : {"", "-journal", "-wal", "-shm"}) fs::remove(path + end, code);
}

base::Checked<Done> make_draft(
    const std::string& draft, const std::function<SqliteResult<Done>(Database&)>& fill,
    const std::function<base::Checked<Done>(const std::string& draft)>& check) {
  {
    auto database = Database::open(draft, true);
    if (!database) return base::failure(draft + ": " + database.error().text);
    auto made = configure(*database);
    if (made) made = fill(*database);
    if (!made) return base::failure(draft + ": " + made.error().text);
  }
  return check(draft);
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

// SQLite takes a file for read-only when it doesn't know these two, "read and write version":
// nobody may think that the right to write was missing.
SqliteResult<Done> check_header(const std::string& path) {
  constexpr std::size_t kVersions = 18;
  constexpr std::size_t kHeader = kVersions + 2;
  std::array<char, kHeader> header{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(header.data(), header.size())) return Done{};  // SQLite has words for it
  const auto known = [](char version) { return version == 1 || version == 2; };
  if (known(header[kVersions]) && known(header[kVersions + 1])) return Done{};
  return corrupt("its header is not what SQLite writes");
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

SqliteResult<std::int64_t> read_version(Database& database, std::int64_t application,
                                        std::int64_t newest) {
  const auto found = database.integer("PRAGMA application_id");
  if (!found) return found;
  auto version = database.integer("PRAGMA user_version");
  if (!version) return version;
  if (*found != application || *version < 1) return corrupt("it is not a store of Sluice");
  if (*version > newest) {
    return Unexpected{SqliteError{
        SQLITE_CANTOPEN, "was written by a newer sluiced (schema " + std::to_string(*version) +
                             ", this one knows up to " + std::to_string(newest) + ")"}};
  }
  return version;
}

Unexpected<SqliteError> corrupt(std::string why) {
  return Unexpected{SqliteError{SQLITE_CORRUPT, std::move(why)}};
}

std::string damaged(std::string why) {
  std::ranges::replace_if(
      why, [](unsigned char c) { return c < ' '; }, ' ');
  return "is damaged (" + why + ")";
}

base::Checked<Done> make_database(
    const std::string& path, const std::function<SqliteResult<Done>(Database&)>& fill,
    const std::function<base::Checked<Done>(const std::string& draft)>& check) {
  const std::string draft = path + ".new";
  remove_all(draft);
  auto made = make_draft(draft, fill, check);
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

std::string time_in_a_name(base::WallTime time) {
  std::string text = to_rfc3339(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

base::Checked<std::string> keep_aside(const std::string& path, base::WallTime now) {
  const std::string kept = path + ".damaged-" + time_in_a_name(now);
  for (const char* end : {"", "-wal"}) {
    std::error_code code;
    const auto size = fs::file_size(path + end, code);
    if (code || size == 0) continue;  // an empty journal is what looking at the file has made
    fs::create_hard_link(path + end, kept + end, code);
    if (code) fs::rename(path + end, kept + end, code);
    if (code) return base::failure(kept + end + ": " + code.message());
  }
  return kept;
}

}  // namespace sluice::health
