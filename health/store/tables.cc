#include "health/store/tables.h"

#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "health/store/table_shapes.h"
#include "health/store/words.h"

namespace sluice::health {
namespace {

using base::Done;
using base::Unexpected;

// A column of what has several, each of them null when there is none.
template <class Whole, class Member>
auto part(const std::optional<Whole>& whole, Member member) {
  return whole ? std::optional(member(*whole)) : std::nullopt;
}

// The three columns of a moment.
base::WallTime wall_of(const base::Moment& moment) {
  return moment.wall;
}
std::int64_t mono_of(const base::Moment& moment) {
  return moment.mono.time_since_epoch().count();
}
std::int64_t boot_of(const base::Moment& moment) {
  return static_cast<std::int64_t>(moment.boot);
}

}  // namespace

SqliteResult<Tables> Tables::prepare(Database& database, const Seal& seal) {
  Tables tables;
  tables.committed_ = seal;
  const std::array<std::pair<Statement*, std::string_view>, 4> statements{{
      {&tables.begin_, "BEGIN IMMEDIATE"},
      {&tables.commit_, "COMMIT"},
      {&tables.roll_back_, "ROLLBACK"},
      {&tables.number_, "SELECT value FROM meta WHERE name = ?"},
  }};
  for (const auto& [statement, sql] : statements) {
    auto prepared = database.prepare(sql);
    if (!prepared) return Unexpected{std::move(prepared).error()};
    *statement = std::move(*prepared);
  }
  const std::array<std::pair<CheckedTable*, const Shape*>, 9> shapes{{
      {&tables.meta_, &kMetaShape},
      {&tables.holds_, &kHoldsShape},
      {&tables.hold_services_, &kHoldServicesShape},
      {&tables.health_, &kHealthShape},
      {&tables.forces_, &kForcesShape},
      {&tables.schedules_, &kSchedulesShape},
      {&tables.pool_ttls_, &kPoolTtlsShape},
      {&tables.serial_bases_, &kSerialBasesShape},
      {&tables.seal_, &kSealShape},
  }};
  for (const auto& [table, shape] : shapes) {
    auto prepared = CheckedTable::prepare(database, *shape);
    if (!prepared) return Unexpected{std::move(prepared).error()};
    *table = std::move(*prepared);
  }
  auto audit = AuditTable::prepare(database);
  if (!audit) return Unexpected{std::move(audit).error()};
  tables.audit_ = std::move(*audit);
  return tables;
}

SqliteResult<Done> Tables::begin() {
  pending_ = committed_;
  return begin_.run();
}

SqliteResult<Done> Tables::apply(const Change& change) {
  return std::visit([this](const auto& one) { return put(one); }, change);
}

SqliteResult<Done> Tables::commit(std::uint64_t number, base::WallTime at) {
  pending_.commits = number;
  pending_.at = at;
  pending_.exported = false;
  auto done = write_seal(seal_, pending_);
  if (done) done = commit_.run();
  if (done) committed_ = pending_;
  return done;
}

void Tables::roll_back() {
  // Fails when the failed statement has done so by itself.
  [[maybe_unused]] const auto ended = roll_back_.run();
}

SqliteResult<Done> Tables::put(const PutHold& change) {
  const Hold& hold = change.hold;
  const HoldKey& key = hold.key;
  std::optional<std::string_view> startup;
  if (hold.startup) startup = word(kStartup, *hold.startup);
  auto done = put(EraseHold{key});
  if (done) {
    done = holds_.insert(
        pending_, key.server, key.service, word(kOrigins, key.origin), hold.by, hold.reason,
        hold.since, startup, hold.forced, hold.hide_host,
        part(hold.expiry, [](const Expiry& one) { return static_cast<std::int64_t>(one.id); }),
        part(hold.expiry, [](const Expiry& one) { return one.at; }),
        part(hold.expiry, [](const Expiry& one) { return word(kThen, one.then); }),
        part(hold.expiry, [](const Expiry& one) { return one.alarmed; }));
  }
  if (done) done = put_hold_services(hold);
  return done;
}

SqliteResult<Done> Tables::put_hold_services(const Hold& hold) {
  const HoldKey& key = hold.key;
  std::set<std::string_view> covered(hold.released.begin(), hold.released.end());
  for (const auto& [service, instance] : hold.instances) covered.insert(service);
  for (const auto& [service, horizon] : hold.horizons) covered.insert(service);
  for (const std::string_view service : covered) {
    const auto instance = hold.instances.find(service);
    const auto found = hold.horizons.find(service);
    const auto horizon = found == hold.horizons.end() ? std::nullopt : std::optional(found->second);
    auto done = hold_services_.insert(
        pending_, key.server, key.service, word(kOrigins, key.origin), service,
        instance == hold.instances.end() ? std::nullopt : std::optional(instance->second),
        hold.released.contains(service), part(horizon, wall_of), part(horizon, mono_of),
        part(horizon, boot_of));
    if (!done) return done;
  }
  return Done{};
}

SqliteResult<Done> Tables::put(const EraseHold& change) {
  const HoldKey& key = change.key;
  const std::string_view origin = word(kOrigins, key.origin);
  auto done = holds_.erase(pending_, key.server, key.service, origin);
  if (done) done = hold_services_.erase(pending_, key.server, key.service, origin);
  return done;
}

SqliteResult<Done> Tables::put(const PutHealth& change) {
  auto done = health_.erase(pending_, change.server, change.service);
  if (!done) return done;
  return health_.insert(pending_, change.server, change.service, word(kHealth, change.health));
}

SqliteResult<Done> Tables::put(const PutForce& change) {
  auto done = forces_.erase(pending_, change.server, change.service);
  if (!done || !change.health) return done;
  return forces_.insert(pending_, change.server, change.service, word(kHealth, *change.health),
                        change.by, change.since);
}

SqliteResult<Done> Tables::put(const PutSchedule& change) {
  const PlannedDrain& plan = change.plan;
  std::optional<std::string_view> startup;
  if (plan.startup) startup = word(kStartup, *plan.startup);
  auto done = put(EraseSchedule{plan.id});
  if (!done) return done;
  return schedules_.insert(pending_, static_cast<std::int64_t>(plan.id), plan.server, plan.service,
                           plan.at, plan.by, plan.reason, startup, plan.hide_host, plan.force,
                           plan.expires, word(kThen, plan.then), plan.created,
                           part(plan.capped_since, wall_of), part(plan.capped_since, mono_of),
                           part(plan.capped_since, boot_of));
}

SqliteResult<Done> Tables::put(const EraseSchedule& change) {
  return schedules_.erase(pending_, static_cast<std::int64_t>(change.id));
}

SqliteResult<Done> Tables::put(const ReserveSchedules& change) {
  return reserve("schedule", change.up_to);
}

SqliteResult<Done> Tables::put(const PutPoolTtl& change) {
  auto done = pool_ttls_.erase(pending_, change.pool);
  if (!done) return done;
  return pool_ttls_.insert(pending_, change.pool, static_cast<std::int64_t>(change.ttl.count()),
                           wall_of(change.kept_until), mono_of(change.kept_until),
                           boot_of(change.kept_until));
}

SqliteResult<Done> Tables::put(const AppendAudit& change) {
  return audit_.append(change.event);
}

SqliteResult<Done> Tables::put(const PruneAudit& change) {
  return audit_.prune(change);
}

SqliteResult<Done> Tables::put(const ReserveGenerations& change) {
  return reserve("generation", change.up_to);
}

SqliteResult<Done> Tables::put(const PutSerialBase& change) {
  auto done = serial_bases_.erase(pending_, change.zone);
  if (!done) return done;
  return serial_bases_.insert(pending_, change.zone, static_cast<std::int64_t>(change.base));
}

SqliteResult<Done> Tables::reserve(std::string_view name, std::uint64_t up_to) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (up_to > kMax) {
    return Unexpected{
        SqliteError{SQLITE_RANGE, "a " + std::string(name) + " number beyond what can be stored"}};
  }
  const auto wanted = static_cast<std::int64_t>(up_to);
  std::int64_t reserved = -1;
  auto row = number_.query(name);
  for (; row && *row; row = number_.step()) reserved = number_.integer(0);
  if (!row) return Unexpected{std::move(row).error()};
  if (reserved >= wanted) return Done{};
  auto done = meta_.erase(pending_, name);
  if (!done) return done;
  return meta_.insert(pending_, name, wanted);
}

}  // namespace sluice::health
