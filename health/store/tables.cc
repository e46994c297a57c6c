#include "health/store/tables.h"

#include <array>
#include <limits>

namespace sluice::health {
namespace {

using base::Done;
using base::Unexpected;

// What stands in the file: independent of what views and the API call things.
template <class T, std::size_t N>
using Words = std::array<std::pair<std::string_view, T>, N>;
constexpr Words<Origin, 3> kOrigins{
    {{"operator", Origin::Operator}, {"host", Origin::Host}, {"schedule", Origin::Schedule}}};
constexpr Words<Health, 3> kHealth{
    {{"up", Health::Up}, {"down", Health::Down}, {"stopped", Health::Stopped}}};
constexpr Words<config::Startup, 2> kStartup{
    {{"automatic", config::Startup::Automatic}, {"manual", config::Startup::Manual}}};

template <class T, std::size_t N>
std::string_view word(const Words<T, N>& words, T value) {
  for (const auto& [text, known] : words) {
    if (known == value) return text;
  }
  return "";  // refused by the column's CHECK
}

template <class T, std::size_t N>
SqliteResult<T> value(const Words<T, N>& words, std::string_view text) {
  for (const auto& [known, result] : words) {
    if (known == text) return result;
  }
  return Unexpected{SqliteError{SQLITE_CORRUPT, "unknown word '" + std::string(text) + "'"}};
}

base::WallTime time_at(const Statement& row, int column) {
  return base::WallTime(base::Duration(row.integer(column)));
}

// Calls `read(row)` for each row of `sql`; a failure of either ends it.
template <class Read>
SqliteResult<Done> each(Database& database, std::string_view sql, Read read) {
  auto rows = database.prepare(sql);
  if (!rows) return Unexpected{std::move(rows).error()};
  while (true) {
    auto row = rows->step();
    if (!row) return Unexpected{std::move(row).error()};
    if (!*row) return Done{};
    SqliteResult<Done> done = read(*rows);
    if (!done) return done;
  }
}

SqliteResult<HoldKey> read_key(const Statement& row) {
  const auto origin = value(kOrigins, row.text(2));
  if (!origin) return Unexpected{origin.error()};
  return HoldKey{std::string(row.text(0)), std::string(row.text(1)), *origin};
}

using Holds = std::map<HoldKey, Hold>;

SqliteResult<Done> read_hold(const Statement& row, Holds& holds) {
  auto key = read_key(row);
  if (!key) return Unexpected{std::move(key).error()};
  Hold hold;
  hold.key = *key;
  hold.by = row.text(3);
  hold.reason = row.text(4);
  hold.since = time_at(row, 5);
  if (!row.is_null(6)) {
    const auto startup = value(kStartup, row.text(6));
    if (!startup) return Unexpected{startup.error()};
    hold.startup = *startup;
  }
  hold.forced = row.integer(7) != 0;
  hold.hide_host = row.integer(8) != 0;
  if (!row.is_null(9)) hold.expiry = Expiry{0, time_at(row, 9), Then::Lift, false};
  holds.emplace(*key, std::move(hold));
  return Done{};
}

SqliteResult<Done> read_hold_service(const Statement& row, Holds& holds) {
  auto key = read_key(row);
  if (!key) return Unexpected{std::move(key).error()};
  const auto hold = holds.find(*key);
  if (hold == holds.end()) {
    return Unexpected{SqliteError{SQLITE_CORRUPT, "a service of a hold that is not there"}};
  }
  const std::string covered(row.text(3));
  if (!row.is_null(4)) hold->second.instances.emplace(covered, row.text(4));
  if (row.integer(5) != 0) hold->second.released.insert(covered);
  if (!row.is_null(6)) hold->second.horizons.emplace(covered, time_at(row, 6));
  return Done{};
}

SqliteResult<Done> load_holds(Database& database, StoredState& state) {
  Holds holds;
  auto done = each(database,
                   "SELECT server, service, origin, placed_by, reason, since, startup, forced, "
                   "hide_host, expires FROM holds",
                   [&](const Statement& row) { return read_hold(row, holds); });
  if (!done) return done;
  done = each(database,
              "SELECT server, service, origin, covered, instance, released, horizon "
              "FROM hold_services",
              [&](const Statement& row) { return read_hold_service(row, holds); });
  for (auto& [key, hold] : holds) state.holds.push_back(std::move(hold));
  return done;
}

SqliteResult<Done> load_health(Database& database, StoredState& state) {
  auto done =
      each(database, "SELECT server, service, health FROM health",
           [&](const Statement& row) -> SqliteResult<Done> {
             const auto health = value(kHealth, row.text(2));
             if (!health) return Unexpected{health.error()};
             state.health.push_back({std::string(row.text(0)), std::string(row.text(1)), *health});
             return Done{};
           });
  if (!done) return done;
  return each(
      database, "SELECT server, service, health FROM forces",
      [&](const Statement& row) -> SqliteResult<Done> {
        const auto health = value(kHealth, row.text(2));
        if (!health) return Unexpected{health.error()};
        state.forces.push_back(
            {std::string(row.text(0)), std::string(row.text(1)), *health, "", {}});
        return Done{};
      });
}

SqliteResult<Done> load_numbers(Database& database, StoredState& state) {
  const auto generation =
      database.integer("SELECT coalesce(max(value), 0) FROM meta WHERE name = 'generation'");
  if (!generation) return Unexpected{generation.error()};
  if (*generation < 0) return Unexpected{SqliteError{SQLITE_CORRUPT, "a negative generation"}};
  state.generation = static_cast<std::uint64_t>(*generation);
  return each(database, "SELECT zone, base FROM serial_bases",
              [&](const Statement& row) -> SqliteResult<Done> {
                state.serial_bases.emplace(row.text(0), static_cast<std::uint32_t>(row.integer(1)));
                return Done{};
              });
}

}  // namespace

SqliteResult<StoredState> Tables::load(Database& database) {
  StoredState state;
  auto done = load_holds(database, state);
  if (done) done = load_health(database, state);
  if (done) done = load_numbers(database, state);
  if (!done) return Unexpected{std::move(done).error()};
  return state;
}

SqliteResult<Tables> Tables::prepare(Database& database) {
  Tables tables;
  const std::array<std::pair<Statement*, std::string_view>, 9> statements{{
      {&tables.put_hold_, "INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&tables.erase_hold_, "DELETE FROM holds WHERE server = ? AND service = ? AND origin = ?"},
      {&tables.put_hold_service_, "INSERT INTO hold_services VALUES (?, ?, ?, ?, ?, ?, ?)"},
      {&tables.erase_hold_services_,
       "DELETE FROM hold_services WHERE server = ? AND service = ? AND origin = ?"},
      {&tables.put_health_, "INSERT OR REPLACE INTO health VALUES (?, ?, ?)"},
      {&tables.put_force_, "INSERT OR REPLACE INTO forces VALUES (?, ?, ?)"},
      {&tables.erase_force_, "DELETE FROM forces WHERE server = ? AND service = ?"},
      // Never back, whatever the order in which reservations come.
      {&tables.reserve_,
       "INSERT INTO meta VALUES ('generation', ?) "
       "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"},
      {&tables.put_serial_base_, "INSERT OR REPLACE INTO serial_bases VALUES (?, ?)"},
  }};
  for (const auto& [statement, sql] : statements) {
    auto prepared = database.prepare(sql);
    if (!prepared) return Unexpected{std::move(prepared).error()};
    *statement = std::move(*prepared);
  }
  return tables;
}

SqliteResult<Done> Tables::apply(const Change& change) {
  return std::visit([this](const auto& one) { return put(one); }, change);
}

SqliteResult<Done> Tables::put(const PutHold& change) {
  const Hold& hold = change.hold;
  const HoldKey& key = hold.key;
  const std::string_view origin = word(kOrigins, key.origin);
  std::optional<std::string_view> startup;
  if (hold.startup) startup = word(kStartup, *hold.startup);
  auto done = put_hold_.run(key.server, key.service, origin, hold.by, hold.reason, hold.since,
                            startup, hold.forced, hold.hide_host,
                            hold.expiry ? std::optional(hold.expiry->at) : std::nullopt);
  if (done) done = erase_hold_services_.run(key.server, key.service, origin);
  if (!done) return done;

  std::set<std::string_view> covered(hold.released.begin(), hold.released.end());
  for (const auto& [service, instance] : hold.instances) covered.insert(service);
  for (const auto& [service, horizon] : hold.horizons) covered.insert(service);
  for (const std::string_view service : covered) {
    const auto instance = hold.instances.find(service);
    const auto horizon = hold.horizons.find(service);
    done = put_hold_service_.run(
        key.server, key.service, origin, service,
        instance == hold.instances.end() ? std::nullopt : std::optional(instance->second),
        hold.released.contains(service),
        horizon == hold.horizons.end() ? std::nullopt : std::optional(horizon->second));
    if (!done) return done;
  }
  return done;
}

SqliteResult<Done> Tables::put(const EraseHold& change) {
  const std::string_view origin = word(kOrigins, change.key.origin);
  auto done = erase_hold_.run(change.key.server, change.key.service, origin);
  if (done) done = erase_hold_services_.run(change.key.server, change.key.service, origin);
  return done;
}

SqliteResult<Done> Tables::put(const PutHealth& change) {
  return put_health_.run(change.server, change.service, word(kHealth, change.health));
}

SqliteResult<Done> Tables::put(const PutForce& change) {
  if (!change.health) return erase_force_.run(change.server, change.service);
  return put_force_.run(change.server, change.service, word(kHealth, *change.health));
}

SqliteResult<Done> Tables::put(const PutSchedule&) {
  return Done{};
}
SqliteResult<Done> Tables::put(const EraseSchedule&) {
  return Done{};
}
SqliteResult<Done> Tables::put(const ReserveSchedules&) {
  return Done{};
}
SqliteResult<Done> Tables::put(const PutPoolTtl&) {
  return Done{};
}
SqliteResult<Done> Tables::put(const AppendAudit&) {
  return Done{};
}
SqliteResult<Done> Tables::put(const PruneAudit&) {
  return Done{};
}

SqliteResult<Done> Tables::put(const ReserveGenerations& change) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (change.up_to > kMax) {
    return Unexpected{SqliteError{SQLITE_RANGE, "a generation beyond what can be stored"}};
  }
  return reserve_.run(static_cast<std::int64_t>(change.up_to));
}

SqliteResult<Done> Tables::put(const PutSerialBase& change) {
  return put_serial_base_.run(change.zone, static_cast<std::int64_t>(change.base));
}

}  // namespace sluice::health
