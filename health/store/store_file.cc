#include "health/store/store_file.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "health/store/schema.h"

namespace sluice::health {
namespace {

namespace fs = std::filesystem;
using base::Done;
using base::Unexpected;

StoreFile found(StoreFile::Condition condition, std::string why) {
  StoreFile file;
  file.condition = condition;
  file.why = std::move(why);
  return file;
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
  const auto version = read_version(*database, kApplicationId, kSchemaVersion);
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

}  // namespace

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
  return make_database(path, fill, [](const std::string& draft) -> base::Checked<Done> {
    auto made = inspect(draft, 0);
    if (!made) return Unexpected{std::move(made).error()};
    if (made->condition == StoreFile::Condition::Whole) return Done{};
    return base::failure(draft + " " + made->why);
  });
}

}  // namespace sluice::health
