#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "health/store/sqlite.h"

// What holds of every database file of ours, whatever its tables are.
namespace sluice::health {

// The connection's settings: each commit is synced.
SqliteResult<base::Done> configure(Database& database);
// WAL, or an error where the file system can't.
SqliteResult<base::Done> write_ahead(Database& database);

// That its first octets are what SQLite writes. A file that can't be read is left to SQLite.
SqliteResult<base::Done> check_header(const std::string& path);
// That SQLite finds every page to be what it should be.
SqliteResult<base::Done> check_pages(Database& database);
// That the file is as long as it says, once its journal is in it.
SqliteResult<base::Done> check_size(Database& database, const std::string& path);

// Of the tables; not that of a program of ours, or a newer one's than `newest`: an error.
SqliteResult<std::int64_t> read_version(Database& database, std::int64_t application,
                                        std::int64_t newest);

base::Unexpected<SqliteError> corrupt(std::string why);
// "is damaged (WHY)", in one line.
std::string damaged(std::string why);

// Makes the database `path`, filled by `fill`, and gives it its name only once `check` finds it
// right and it is on disk: half of one never passes for whole. An older file of that name is
// replaced together with its journal.
base::Checked<base::Done> make_database(
    const std::string& path, const std::function<SqliteResult<base::Done>(Database&)>& fill,
    const std::function<base::Checked<base::Done>(const std::string& draft)>& check);

// As RFC 3339 has it, without what a file's name should not have.
std::string time_in_a_name(base::WallTime time);

// The name under which what is found at `path` and its journal stay. They keep theirs until they
// are replaced, where the file system can: a crash meanwhile finds them again.
base::Checked<std::string> keep_aside(const std::string& path, base::WallTime now);

}  // namespace sluice::health
