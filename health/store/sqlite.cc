#include "health/store/sqlite.h"

#include <memory>

#include "health/store/row_check.h"

namespace sluice::health {
namespace {

SqliteError last_error(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  std::string text = sqlite3_errmsg(database);
  // "disk I/O error" alone does not tell a full quota from a dying disk.
  if ((code & 0xff) == SQLITE_IOERR) text += " (extended code " + std::to_string(code) + ")";
  return {code, std::move(text)};
}

struct SqliteFree {
  void operator()(unsigned char* octets) const noexcept { sqlite3_free(octets); }
};

}  // namespace

bool SqliteError::of_the_store() const noexcept {
  switch (code & 0xff) {  // the primary code is in the low octet
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
      return false;
    default:
      return true;
  }
}

bool SqliteError::is_damage() const noexcept {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // statements that don't fit the tables, since the tables are not ours
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return true;
    case SQLITE_IOERR:  // sectors that can't be read
      return code == SQLITE_IOERR_READ || code == SQLITE_IOERR_SHORT_READ ||
             code == SQLITE_IOERR_CORRUPTFS;
    default:
      return false;
  }
}

SqliteResult<bool> Statement::step() {
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE: {
      auto ended = reset();
      if (!ended) return base::Unexpected{std::move(ended).error()};
      return false;
    }
    default:
      return give_up();
  }
}

std::string_view Statement::text(int column) const {
  const unsigned char* octets = sqlite3_column_text(statement_, column);
  if (octets == nullptr) return {};
  const int size = sqlite3_column_bytes(statement_, column);
  return {reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size)};
}

bool Statement::bind(int parameter, std::string_view value) {
  // Never null: an empty view may have no address, and SQLite would bind NULL for it. Static: the
  // caller's text outlives run().
  const char* octets = value.empty() ? "" : value.data();
  return sqlite3_bind_text64(statement_, parameter, octets, value.size(), SQLITE_STATIC,
                             SQLITE_UTF8) == SQLITE_OK;
}

bool Statement::bind(int parameter, std::int64_t value) {
  return sqlite3_bind_int64(statement_, parameter, value) == SQLITE_OK;
}

bool Statement::bind(int parameter, std::nullptr_t) {
  return sqlite3_bind_null(statement_, parameter) == SQLITE_OK;
}

SqliteResult<base::Done> Statement::reset() {
  if (sqlite3_reset(statement_) != SQLITE_OK) return base::Unexpected{last_error(database_)};
  sqlite3_clear_bindings(statement_);
  return base::Done{};
}

base::Unexpected<SqliteError> Statement::give_up() {
  SqliteError error = last_error(database_);
  sqlite3_reset(statement_);  // repeats the error that was taken already
  sqlite3_clear_bindings(statement_);
  return base::Unexpected{std::move(error)};
}

SqliteResult<Database> Database::open(const std::string& path, bool create) {
  Database opened;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &opened.database_, flags, nullptr);
  if (opened.database_ == nullptr) return base::Unexpected{SqliteError{code, "out of memory"}};
  if (code != SQLITE_OK) return opened.error();
  // Not from within the schema: a file that calls it there is not ours.
  if (sqlite3_create_function_v2(opened.database_, "row_check", -1,
                                 SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                 row_check, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return opened.error();
  }
  return opened;
}

SqliteResult<base::Done> Database::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return base::Done{};
}

SqliteResult<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return error();
  return Statement(statement, database_);
}

SqliteResult<std::int64_t> Database::integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return base::Unexpected{std::move(statement).error()};
  auto row = statement->step();
  if (!row) return base::Unexpected{std::move(row).error()};
  return *row ? statement->integer(0) : 0;
}

SqliteResult<std::string> Database::text(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return base::Unexpected{std::move(statement).error()};
  auto row = statement->step();
  if (!row) return base::Unexpected{std::move(row).error()};
  return *row ? std::string(statement->text(0)) : std::string();
}

bool Database::file_is_gone() const {
  int moved = 0;
  sqlite3_file_control(database_, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

void Database::keep_journal(bool keep) {
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

SqliteResult<base::Done> Database::copy_to(Database& to, const std::function<bool()>& go_on) {
  // Some milliseconds of work.
  constexpr int kPages = 1'024;
  // An open reader sees what it saw first; without one each commit would start the copy anew.
  auto reading = execute("BEGIN; SELECT count(*) FROM sqlite_schema");
  if (!reading) return reading;
  sqlite3_backup* backup = sqlite3_backup_init(to.database_, "main", database_, "main");
  int code = backup == nullptr ? sqlite3_errcode(to.database_) : SQLITE_OK;
  while (code == SQLITE_OK) {
    code = go_on() ? sqlite3_backup_step(backup, kPages) : SQLITE_INTERRUPT;
  }
  sqlite3_backup_finish(backup);
  auto read = execute("COMMIT");
  if (code == SQLITE_DONE) return read;
  return base::Unexpected{SqliteError{code, sqlite3_errstr(code)}};
}

SqliteResult<std::string> Database::octets() {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, SqliteFree> octets(
      sqlite3_serialize(database_, "main", &size, 0));
  if (!octets) return base::Unexpected{SqliteError{SQLITE_NOMEM, "out of memory"}};
  return std::string(reinterpret_cast<const char*>(octets.get()), static_cast<std::size_t>(size));
}

base::Unexpected<SqliteError> Database::error() const {
  return base::Unexpected{last_error(database_)};
}

}  // namespace sluice::health
