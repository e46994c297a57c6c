#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "health/store/table_shapes.h"
#include "health/store/tables.h"
#include "health/store/words.h"

namespace sluice::health {
namespace {

using base::Done;
using base::Unexpected;

Unexpected<SqliteError> corrupt(std::string what) {
  return Unexpected{SqliteError{SQLITE_CORRUPT, std::move(what)}};
}

template <class T, std::size_t N>
SqliteResult<Done> read_optional(const Statement& row, int column, const Words<T, N>& words,
                                 std::optional<T>& to) {
  if (row.is_null(column)) return Done{};
  const auto read = value(words, row.text(column));
  if (!read) return Unexpected{read.error()};
  to = *read;
  return Done{};
}

SqliteResult<HoldKey> read_key(const Statement& row) {
  const auto origin = value(kOrigins, row.text(2));
  if (!origin) return Unexpected{origin.error()};
  return HoldKey{std::string(row.text(0)), std::string(row.text(1)), *origin};
}

// Of three columns; those of version 1 have the wall clock alone.
std::optional<base::Moment> read_moment(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  base::Moment moment{row.time(column), {}, 0};
  if (!row.is_null(column + 1) && !row.is_null(column + 2)) {
    moment.mono = base::MonoTime(std::chrono::nanoseconds(row.integer(column + 1)));
    moment.boot = static_cast<std::uint64_t>(row.integer(column + 2));
  }
  return moment;
}

using Holds = std::map<HoldKey, Hold>;

SqliteResult<Done> read_hold(const Statement& row, Holds& holds) {
  auto key = read_key(row);
  if (!key) return Unexpected{std::move(key).error()};
  Hold hold;
  hold.key = *key;
  hold.by = row.text(3);
  hold.reason = row.text(4);
  hold.since = row.time(5);
  auto done = read_optional(row, 6, kStartup, hold.startup);
  if (!done) return done;
  hold.forced = row.integer(7) != 0;
  hold.hide_host = row.integer(8) != 0;
  if (!row.is_null(9)) {
    const auto then = value(kThen, row.text(11));
    if (!then) return Unexpected{then.error()};
    hold.expiry =
        Expiry{static_cast<ScheduleId>(row.integer(9)), row.time(10), *then, row.integer(12) != 0};
  }
  holds.emplace(*key, std::move(hold));
  return Done{};
}

SqliteResult<Done> read_hold_service(const Statement& row, Holds& holds) {
  auto key = read_key(row);
  if (!key) return Unexpected{std::move(key).error()};
  const auto hold = holds.find(*key);
  if (hold == holds.end()) return corrupt("a service of a hold that is not there");
  const std::string covered(row.text(3));
  if (!row.is_null(4)) hold->second.instances.emplace(covered, row.text(4));
  if (row.integer(5) != 0) hold->second.released.insert(covered);
  if (const auto horizon = read_moment(row, 6)) hold->second.horizons.emplace(covered, *horizon);
  return Done{};
}

SqliteResult<Done> load_holds(Database& database, Loaded& loaded) {
  Holds holds;
  auto done = each_checked(database, kHoldsShape, loaded.seal,
                           [&](const Statement& row) { return read_hold(row, holds); });
  if (!done) return done;
  done = each_checked(database, kHoldServicesShape, loaded.seal,
                      [&](const Statement& row) { return read_hold_service(row, holds); });
  for (auto& [key, hold] : holds) loaded.state.holds.push_back(std::move(hold));
  return done;
}

SqliteResult<Done> load_health(Database& database, Loaded& loaded) {
  return each_checked(database, kHealthShape, loaded.seal,
                      [&](const Statement& row) -> SqliteResult<Done> {
                        const auto health = value(kHealth, row.text(2));
                        if (!health) return Unexpected{health.error()};
                        loaded.state.health.push_back(
                            {std::string(row.text(0)), std::string(row.text(1)), *health});
                        return Done{};
                      });
}

SqliteResult<Done> load_forces(Database& database, Loaded& loaded) {
  return each_checked(
      database, kForcesShape, loaded.seal, [&](const Statement& row) -> SqliteResult<Done> {
        const auto health = value(kHealth, row.text(2));
        if (!health) return Unexpected{health.error()};
        loaded.state.forces.push_back({std::string(row.text(0)), std::string(row.text(1)), *health,
                                       std::string(row.text(3)), row.time(4)});
        return Done{};
      });
}

SqliteResult<Done> read_schedule(const Statement& row, StoredState& state) {
  PlannedDrain plan;
  plan.id = static_cast<ScheduleId>(row.integer(0));
  plan.server = row.text(1);
  plan.service = row.text(2);
  plan.at = row.time(3);
  plan.by = row.text(4);
  plan.reason = row.text(5);
  auto done = read_optional(row, 6, kStartup, plan.startup);
  if (!done) return done;
  plan.hide_host = row.integer(7) != 0;
  plan.force = row.integer(8) != 0;
  if (!row.is_null(9)) plan.expires = row.time(9);
  const auto then = value(kThen, row.text(10));
  if (!then) return Unexpected{then.error()};
  plan.then = *then;
  plan.created = row.time(11);
  plan.capped_since = read_moment(row, 12);
  state.schedules.push_back(std::move(plan));
  return Done{};
}

SqliteResult<Done> read_number(const Statement& row, StoredState& state) {
  if (row.integer(1) < 0) return corrupt("a negative " + std::string(row.text(0)));
  const auto number = static_cast<std::uint64_t>(row.integer(1));
  if (row.text(0) == "generation") state.generation = number;
  if (row.text(0) == "schedule") state.schedule = number;
  return Done{};
}

SqliteResult<Done> load_numbers(Database& database, Loaded& loaded) {
  StoredState& state = loaded.state;
  auto done = each_checked(database, kMetaShape, loaded.seal,
                           [&](const Statement& row) { return read_number(row, state); });
  if (!done) return done;
  done = each_checked(
      database, kPoolTtlsShape, loaded.seal, [&](const Statement& row) -> SqliteResult<Done> {
        state.pool_ttls.push_back({std::string(row.text(0)), std::chrono::seconds(row.integer(1)),
                                   read_moment(row, 2).value_or(base::Moment{})});
        return Done{};
      });
  if (!done) return done;
  return each_checked(
      database, kSerialBasesShape, loaded.seal, [&](const Statement& row) -> SqliteResult<Done> {
        state.serial_bases.emplace(row.text(0), static_cast<std::uint32_t>(row.integer(1)));
        return Done{};
      });
}

// What was read against what the database says that it has.
SqliteResult<Seal> compare(Database& database, const Seal& read) {
  auto seal = read_seal(database);
  if (!seal) return seal;
  const auto definitions = sum_definitions(database);
  if (!definitions) return Unexpected{definitions.error()};
  if (*definitions != seal->definitions) return corrupt("its tables are not defined as they were");
  if (read.rows != seal->rows || read.sum != seal->sum) {
    return corrupt("its " + std::to_string(read.rows) + " rows are not the " +
                   std::to_string(seal->rows) + " that were committed");
  }
  return seal;
}

}  // namespace

SqliteResult<Loaded> load_tables(Database& database) {
  Loaded loaded;
  auto done = load_holds(database, loaded);
  if (done) done = load_health(database, loaded);
  if (done) done = load_forces(database, loaded);
  if (done) {
    done = each_checked(database, kSchedulesShape, loaded.seal,
                        [&](const Statement& row) { return read_schedule(row, loaded.state); });
  }
  if (done) done = load_numbers(database, loaded);
  if (!done) return Unexpected{std::move(done).error()};
  auto seal = compare(database, loaded.seal);
  if (!seal) return Unexpected{std::move(seal).error()};
  loaded.seal = *seal;
  return loaded;
}

}  // namespace sluice::health
