#include "health/store/recovery.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "health/rfc3339.h"
#include "health/store/journal.h"
#include "health/store/schema.h"
#include "health/store/store_file.h"

namespace sluice::health {
namespace {

namespace fs = std::filesystem;
using base::Done;
using base::Unexpected;
using Condition = StoreFile::Condition;

// Left out when a second of commits may be gone. Generations are reserved 1,024 at a time, at most
// once in some milliseconds; the SOA serials go forward by as many, which is far below the 2^31
// that secondaries follow (RFC 1982).
constexpr std::uint64_t kSkippedGenerations = 65'536;
constexpr std::uint64_t kSkippedSchedules = 1'024;

bool exists(const std::string& path) {
  std::error_code code;
  return fs::exists(path, code);
}

std::string file_name(const std::string& path) {
  return fs::path(path).filename().string();
}

// "age 2.4 s (last commit 2026-11-20T10:00:30.000Z)"
std::string age(const Seal& seal, base::WallTime now) {
  const auto old = std::max(now - seal.at, base::Duration(0));
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.1f", static_cast<double>(old.count()) / 1e3);
  return "age " + std::string(seconds.data()) + " s (last commit " + to_rfc3339(seal.at) + ")";
}

// Everything that a state has, for an empty store.
std::vector<Change> changes_of(const StoredState& state) {
  std::vector<Change> changes;
  for (const Hold& hold : state.holds) changes.emplace_back(PutHold{hold});
  for (const PutHealth& health : state.health) changes.emplace_back(health);
  for (const PutForce& force : state.forces) changes.emplace_back(force);
  for (const PlannedDrain& plan : state.schedules) changes.emplace_back(PutSchedule{plan});
  for (const PutPoolTtl& ttl : state.pool_ttls) changes.emplace_back(ttl);
  for (const auto& [zone, base] : state.serial_bases) {
    changes.emplace_back(PutSerialBase{zone, base});
  }
  changes.emplace_back(ReserveGenerations{state.generation});
  changes.emplace_back(ReserveSchedules{state.schedule});
  return changes;
}

SqliteResult<Done> transact(Tables& tables, const std::vector<Change>& changes,
                            std::uint64_t number, base::WallTime at) {
  auto done = tables.begin();
  for (std::size_t i = 0; done && i < changes.size(); ++i) done = tables.apply(changes[i]);
  if (done) done = tables.commit(number, at);
  if (!done) tables.roll_back();
  return done;
}

// The rows that matter, in a file whose other pages can't be trusted: written anew one by one.
SqliteResult<Done> write_rows(Database& to, const Loaded& content) {
  auto made = migrate(to, 0);
  if (!made) return made;
  auto empty = load_tables(to);
  if (!empty) return Unexpected{std::move(empty).error()};
  auto tables = Tables::prepare(to, empty->seal);
  if (!tables) return Unexpected{std::move(tables).error()};
  return transact(*tables, changes_of(content.state), content.seal.commits, content.seal.at);
}

SqliteResult<Done> write_like(Database& to, StoreFile& source) {
  if (source.condition == Condition::Rows) return write_rows(to, source.content);
  return source.database.copy_to(to, [] { return true; });
}

Unexpected<base::Error> refuse_both(const std::string& path, const StoreFile& file,
                                    const std::string& copy, const StoreFile& other) {
  if (other.condition == Condition::Missing) {
    return base::failure(path + " " + file.why +
                         "; holds would be lost without it: restore it from a backup, or move the "
                         "whole directory away to start without any hold");
  }
  std::string words = path + " " + file.why + ", and " + copy + " " + other.why +
                      "; holds would be lost without them: restore " + file_name(path) +
                      " from a backup, or move the whole directory away to start without any hold";
  if (file.condition == Condition::Behind) {
    words += ", or only " + file_name(copy) + " to start with what was in force then";
  }
  return base::failure(words);
}

class Opening {
 public:
  Opening(const std::string& directory, base::WallTime now)
      : path_(database_path(directory)), copy_(copy_path(directory)), now_(now) {}

  base::Checked<OpenedStore> run() {
    journal_ = scan_journal(path_);
    copy_seal_ = glance(copy_);
    auto file = inspect(path_, copy_seal_ ? copy_seal_->commits : 0);
    if (!file) return Unexpected{std::move(file).error()};
    if (is_new(*file)) {
      if (auto made = create_file(path_); !made) return Unexpected{std::move(made).error()};
      return use(inspect(path_, 0));
    }
    if (file->condition == Condition::Whole) return use(std::move(file));
    auto replaced = replace(std::move(*file));
    if (!replaced) return Unexpected{std::move(replaced).error()};
    return use(inspect(path_, 0));
  }

 private:
  // Neither file, nor the journal of one that somebody removed.
  bool is_new(const StoreFile& file) const {
    return file.condition == Condition::Missing && !exists(copy_) && !exists(path_ + "-wal");
  }

  // Puts the best that there is in the place of what was found.
  base::Checked<Done> replace(StoreFile file) {
    auto copy = inspect(copy_, 0);
    if (!copy) return Unexpected{std::move(copy).error()};
    // Rows that are right are taken from where they are newer; the copy has the audit as well.
    const bool own_rows =
        file.condition == Condition::Rows &&
        (!copy->has_rows() || copy->content.seal.commits < file.content.seal.commits);
    if (!own_rows && !copy->has_rows()) return refuse_both(path_, file, copy_, *copy);
    StoreFile& source = own_rows ? file : *copy;
    auto kept = keep_aside(path_, now_);
    if (!kept) return Unexpected{std::move(kept).error()};
    auto made = create_file(path_, [&](Database& to) { return write_like(to, source); });
    if (!made) return made;
    gap_ = !own_rows;
    notices_.push_back(
        "backup: " + path_ + " " + file.why + "; went on from " +
        (own_rows ? "its rows, which are right, without its audit" : file_name(copy_)) + ", " +
        age(source.content.seal, now_) + "; what was found is kept as " + file_name(*kept));
    return Done{};
  }

  // What stands at `path_` is the store now.
  base::Checked<OpenedStore> use(base::Checked<StoreFile> file) {
    if (!file) return Unexpected{std::move(file).error()};
    if (file->condition != Condition::Whole) return base::failure(path_ + " " + file->why);
    OpenedStore opened;
    opened.database = std::move(file->database);
    opened.state = std::move(file->content.state);
    auto tables = Tables::prepare(opened.database, file->content.seal);
    if (!tables) return base::failure(path_ + ": " + tables.error().text);
    opened.tables = std::move(*tables);
    auto gone_on = go_on(opened);
    if (!gone_on) return base::failure(path_ + ": " + gone_on.error().text);
    const Seal& seal = opened.tables.seal();
    opened.copy_is_current = copy_seal_ && copy_seal_->commits == seal.commits &&
                             copy_seal_->rows == seal.rows && copy_seal_->sum == seal.sum;
    opened.notices = std::move(notices_);
    return opened;
  }

  // Numbers that may have been used never come back, though what used them may be gone.
  SqliteResult<Done> go_on(OpenedStore& opened) {
    const Seal seal = opened.tables.seal();
    std::uint64_t number = seal.commits + 1;
    std::vector<Change> changes;
    if (seal.exported) {
      notices_.push_back("backup: " + path_ + " is an export, " + age(seal, now_) +
                         ": taken over in place of what was here");
      if (copy_seal_) number = std::max(number, copy_seal_->commits + 1);
      changes = numbers_of_copy();
    }
    if (journal_ == Journal::Lost && !gap_) {
      notices_.push_back("backup: the journal of " + path_ +
                         " was damaged: the last commits are lost; went on from " +
                         age(seal, now_));
    }
    if (gap_ || journal_ != Journal::Whole) {
      changes.emplace_back(ReserveGenerations{opened.state.generation + kSkippedGenerations});
      changes.emplace_back(ReserveSchedules{opened.state.schedule + kSkippedSchedules});
    }
    if (changes.empty() && !seal.exported) return Done{};
    auto done = transact(opened.tables, changes, number, now_);
    if (!done) return done;
    auto content = load_tables(opened.database);
    if (!content) return Unexpected{std::move(content).error()};
    opened.state = std::move(content->state);
    return Done{};
  }

  // The highest that were used since the export was taken, as far as the copy tells.
  std::vector<Change> numbers_of_copy() {
    const auto copy = inspect(copy_, 0);
    if (!copy || !copy->has_rows()) return {};
    const StoredState& state = copy->content.state;
    std::vector<Change> changes{ReserveGenerations{state.generation},
                                ReserveSchedules{state.schedule}};
    for (const auto& [zone, base] : state.serial_bases) {
      changes.emplace_back(PutSerialBase{zone, base});
    }
    return changes;
  }

  const std::string path_;
  const std::string copy_;
  const base::WallTime now_;
  Journal journal_ = Journal::Whole;
  std::optional<Seal> copy_seal_;  // nothing: none that can be read
  bool gap_ = false;               // commits of the last second may be missing
  std::vector<std::string> notices_;
};

}  // namespace

std::string database_path(const std::string& directory) {
  return directory + "/sluice.db";
}

std::string copy_path(const std::string& directory) {
  return directory + "/sluice.backup.db";
}

base::Checked<OpenedStore> open_store(const std::string& directory, base::WallTime now) {
  return Opening(directory, now).run();
}

}  // namespace sluice::health
