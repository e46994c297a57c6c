#include "health/store/image_tables.h"

#include <algorithm>

#include "health/store/database_file.h"

namespace sluice::health {
namespace {

using base::Done;
using base::Unexpected;

// Values are as large as the engine lets them be: with rowids they are not what a search walks
// past.
constexpr const char* kTables = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE shared (                   -- what stands under the prefix
  key       TEXT NOT NULL PRIMARY KEY,
  value     TEXT NOT NULL,
  revision  INTEGER NOT NULL,           -- of the transaction that wrote it
  lease     INTEGER NOT NULL,           -- 0: none
  row_check INTEGER NOT NULL
) STRICT;
CREATE TABLE own (                      -- what is this responder's alone
  key       TEXT NOT NULL PRIMARY KEY,
  value     TEXT NOT NULL,
  row_check INTEGER NOT NULL
) STRICT;
CREATE TABLE meta (                     -- one row: what the others must add up to
  id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 0),
  cluster     TEXT NOT NULL,            -- its id; empty: there was none
  revision    INTEGER NOT NULL,         -- as of which `shared` is
  row_count   INTEGER NOT NULL,
  row_sum     INTEGER NOT NULL,
  definitions INTEGER NOT NULL,
  row_check   INTEGER NOT NULL
) STRICT;
)sql";

constexpr Shape kSharedShape{"shared", 1, {"key", "value", "revision", "lease"}};
constexpr Shape kOwnShape{"own", 1, {"key", "value"}};
constexpr Shape kImageMetaShape{
    "meta", 1, {"id", "cluster", "revision", "row_count", "row_sum", "definitions"}};

SqliteResult<Done> read_shared(Database& database, LoadedImage& loaded) {
  return each_checked(database, kSharedShape, loaded.shared, [&](const Statement& row) {
    loaded.kept.entries.push_back(
        {std::string(row.text(0)), std::string(row.text(1)), row.integer(2), row.integer(3)});
    return Done{};
  });
}

SqliteResult<Done> read_own(Database& database, LoadedImage& loaded) {
  return each_checked(database, kOwnShape, loaded.own, [&](const Statement& row) {
    loaded.kept.own.push_back({std::string(row.text(0)), std::string(row.text(1)), 0, 0});
    return Done{};
  });
}

// The row of `meta`, and whether the others are as it says.
SqliteResult<Done> read_meta(Database& database, LoadedImage& loaded) {
  const auto definitions = sum_definitions(database);
  if (!definitions) return Unexpected{definitions.error()};
  bool found = false;
  Seal itself;
  auto done = each_checked(
      database, kImageMetaShape, itself, [&](const Statement& row) -> SqliteResult<Done> {
        found = true;
        loaded.kept.cluster = row.text(1);
        loaded.kept.revision = row.integer(2);
        if (static_cast<std::uint64_t>(row.integer(3)) != loaded.shared.rows + loaded.own.rows ||
            static_cast<std::uint64_t>(row.integer(4)) != loaded.shared.sum + loaded.own.sum) {
          return corrupt("its rows are not those that were written");
        }
        if (static_cast<std::uint64_t>(row.integer(5)) != *definitions) {
          return corrupt("its tables are not defined as they were");
        }
        return Done{};
      });
  if (done && !found) return corrupt("it has no seal");
  return done;
}

}  // namespace

void ImageChanges::put(std::vector<cluster::Change> changes) {
  for (cluster::Change& change : changes) {
    std::string key = change.key;
    shared_.insert_or_assign(std::move(key), std::move(change));
  }
}

void ImageChanges::keep(std::int64_t revision, std::vector<cluster::Change> changes) {
  revision_ = revision;
  put(std::move(changes));
}

void ImageChanges::replace(std::string cluster, std::int64_t revision,
                           std::vector<cluster::Change> entries) {
  cluster_ = std::move(cluster);
  revision_ = revision;
  shared_.clear();
  put(std::move(entries));
}

void ImageChanges::keep_own(std::vector<cluster::Write> writes) {
  for (cluster::Write& write : writes) {
    own_.insert_or_assign(std::move(write.key), std::move(write.value));
  }
}

SqliteResult<Done> make_image_tables(Database& database) {
  auto done = write_ahead(database);
  if (done) done = database.execute(kTables);
  if (done) {
    const std::string numbers = "PRAGMA application_id = " + std::to_string(kImageApplicationId) +
                                "; PRAGMA user_version = " + std::to_string(kImageVersion);
    done = database.execute(numbers.c_str());
  }
  if (!done) return done;
  const auto definitions = sum_definitions(database);
  if (!definitions) return Unexpected{definitions.error()};
  auto meta = CheckedTable::prepare(database, kImageMetaShape);
  if (!meta) return Unexpected{std::move(meta).error()};
  Seal itself;
  constexpr std::int64_t kNone = 0;
  done = meta->insert(itself, kNone, std::string_view(), kNone, kNone, kNone,
                      static_cast<std::int64_t>(*definitions));
  if (done) done = database.execute("COMMIT");
  return done;
}

SqliteResult<LoadedImage> load_image(Database& database) {
  LoadedImage loaded;
  auto done = read_shared(database, loaded);
  if (done) done = read_own(database, loaded);
  if (done) done = read_meta(database, loaded);
  if (!done) return Unexpected{std::move(done).error()};
  std::ranges::sort(loaded.kept.entries, {}, &cluster::Change::key);
  std::ranges::sort(loaded.kept.own, {}, &cluster::Change::key);
  return loaded;
}

SqliteResult<ImageTables> ImageTables::prepare(Database& database, const LoadedImage& loaded) {
  ImageTables tables;
  for (const auto& [sql, statement] :
       {std::pair("BEGIN IMMEDIATE", &tables.begin_), std::pair("COMMIT", &tables.commit_),
        std::pair("DELETE FROM shared", &tables.erase_all_)}) {
    auto prepared = database.prepare(sql);
    if (!prepared) return Unexpected{std::move(prepared).error()};
    *statement = std::move(*prepared);
  }
  for (const auto& [shape, table] :
       {std::pair(&kSharedShape, &tables.shared_), std::pair(&kOwnShape, &tables.own_),
        std::pair(&kImageMetaShape, &tables.meta_)}) {
    auto prepared = CheckedTable::prepare(database, *shape);
    if (!prepared) return Unexpected{std::move(prepared).error()};
    *table = std::move(*prepared);
  }
  const auto definitions = sum_definitions(database);
  if (!definitions) return Unexpected{definitions.error()};
  tables.definitions_ = *definitions;
  tables.committed_ = {loaded.kept.cluster, loaded.kept.revision, loaded.shared, loaded.own};
  return tables;
}

SqliteResult<Done> ImageTables::write(Database& database, const ImageChanges& changes) {
  State state = committed_;
  auto done = begin_.run();
  if (done) done = write_rows(changes, state);
  if (done) done = commit_.run();
  if (done) {
    committed_ = std::move(state);
  } else if (database.in_transaction()) {
    [[maybe_unused]] const auto ended = database.execute("ROLLBACK");
  }
  return done;
}

SqliteResult<Done> ImageTables::write_rows(const ImageChanges& changes, State& state) {
  auto done = write_shared(changes, state);
  if (done) done = write_own(changes, state);
  if (done) done = write_meta(state);
  return done;
}

SqliteResult<Done> ImageTables::write_shared(const ImageChanges& changes, State& state) {
  if (changes.revision_) state.revision = *changes.revision_;
  if (changes.cluster_) {
    state.cluster = *changes.cluster_;
    state.shared = {};
    if (auto done = erase_all_.run(); !done) return done;
  }
  for (const auto& [key, change] : changes.shared_) {
    auto done = shared_.erase(state.shared, std::string_view(key));
    if (done && change.value) {
      done = shared_.insert(state.shared, std::string_view(key), std::string_view(*change.value),
                            change.revision, change.lease);
    }
    if (!done) return done;
  }
  return Done{};
}

SqliteResult<Done> ImageTables::write_own(const ImageChanges& changes, State& state) {
  for (const auto& [key, value] : changes.own_) {
    auto done = own_.erase(state.own, std::string_view(key));
    if (done && value) {
      done = own_.insert(state.own, std::string_view(key), std::string_view(*value));
    }
    if (!done) return done;
  }
  return Done{};
}

SqliteResult<Done> ImageTables::write_meta(const State& state) {
  constexpr std::int64_t kId = 0;
  Seal itself;
  auto done = meta_.erase(itself, kId);
  if (!done) return done;
  return meta_.insert(itself, kId, std::string_view(state.cluster), state.revision,
                      static_cast<std::int64_t>(state.shared.rows + state.own.rows),
                      static_cast<std::int64_t>(state.shared.sum + state.own.sum),
                      static_cast<std::int64_t>(definitions_));
}

}  // namespace sluice::health
