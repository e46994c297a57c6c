#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sqlite3.h>

#include "config/base/clock.h"
#include "config/base/result.h"

// The one door to SQLite: owners of its objects, and its return codes as results.
namespace sluice::health {

struct SqliteError {
  int code = SQLITE_ERROR;  // extended
  std::string text;

  // Whether it is the store that failed (disk full, I/O, damage), so that other changes would fail
  // alike; otherwise it was this one change.
  bool of_the_store() const noexcept;
  // Whether the file's content is at fault, rather than what surrounds it (disk full, no right to
  // write, somebody's lock), which leaves a good file good.
  bool is_damage() const noexcept;
};

template <class T>
using SqliteResult = base::Result<T, SqliteError>;

// A prepared statement. Parameters are numbered from 1, columns from 0. Must not outlive its
// Database.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3_stmt* statement, sqlite3* database)
      : statement_(statement), database_(database) {}
  Statement(Statement&& other) noexcept { swap(other); }
  Statement& operator=(Statement&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Statement() { sqlite3_finalize(statement_); }

  // Binds the values from parameter 1 on and runs to the end; for statements without rows.
  template <class... Values>
  SqliteResult<base::Done> run(const Values&... values) {
    int parameter = 0;
    const bool bound = (... && bind(++parameter, values));
    if (!bound) return give_up();
    auto row = step();
    if (!row) return base::Unexpected{std::move(row).error()};
    return reset();
  }

  // Binds likewise and steps to the first row.
  template <class... Values>
  SqliteResult<bool> query(const Values&... values) {
    int parameter = 0;
    const bool bound = (... && bind(++parameter, values));
    if (!bound) return give_up();
    return step();
  }

  // True: there is a row; false: the end, and the statement is ready for another run.
  SqliteResult<bool> step();

  // Of the row of the last step(); the text lives until the next one.
  std::string_view text(int column) const;
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  base::WallTime time(int column) const { return base::WallTime(base::Duration(integer(column))); }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  bool bind(int parameter, std::string_view value);
  bool bind(int parameter, std::int64_t value);
  bool bind(int parameter, bool value) {
    return bind(parameter, static_cast<std::int64_t>(value ? 1 : 0));
  }
  bool bind(int parameter, base::WallTime value) {
    return bind(parameter, static_cast<std::int64_t>(value.time_since_epoch().count()));
  }
  bool bind(int parameter, std::nullptr_t);
  template <class T>
  bool bind(int parameter, const std::optional<T>& value) {
    return value ? bind(parameter, *value) : bind(parameter, nullptr);
  }

  SqliteResult<base::Done> reset();
  base::Unexpected<SqliteError> give_up();
  void swap(Statement& other) noexcept {
    std::swap(statement_, other.statement_);
    std::swap(database_, other.database_);
  }

  sqlite3_stmt* statement_ = nullptr;
  sqlite3* database_ = nullptr;
};

// A connection. One thread at a time.
class Database {
 public:
  Database() = default;
  Database(Database&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Database& operator=(Database&& other) noexcept {
    std::swap(database_, other.database_);
    return *this;
  }
  ~Database() { sqlite3_close_v2(database_); }

  // `create`: make the file when it is missing; otherwise that is an error.
  static SqliteResult<Database> open(const std::string& path, bool create);

  // One or several statements without rows that matter.
  SqliteResult<base::Done> execute(const char* sql);
  SqliteResult<Statement> prepare(std::string_view sql);
  // The first column of the first row; 0 or empty when there is none.
  SqliteResult<std::int64_t> integer(std::string_view sql);
  SqliteResult<std::string> text(std::string_view sql);

  // A failed statement may have rolled back by itself.
  bool in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }
  // Rows that the last statement changed.
  std::int64_t changes() const { return sqlite3_changes64(database_); }
  // Whether the last connection that closes leaves the journal as it is, instead of putting it into
  // the file: for files that may be damaged.
  void keep_journal(bool keep);
  // Whether the file was removed or replaced under the connection: what is written then is lost.
  bool file_is_gone() const;

  // Makes `to` a copy of the database as it is now, whatever is committed meanwhile. `go_on` is
  // asked every few milliseconds; no: SQLITE_INTERRUPT.
  SqliteResult<base::Done> copy_to(Database& to, const std::function<bool()>& go_on);
  // The octets of the file that it would be.
  SqliteResult<std::string> octets();

 private:
  base::Unexpected<SqliteError> error() const;

  sqlite3* database_ = nullptr;
};

}  // namespace sluice::health
