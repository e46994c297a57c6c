#include "health/store/audit_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "health/store/words.h"

namespace sluice::health {
namespace {

// Some milliseconds of work: less than a sync.
constexpr std::int64_t kPrunedAtOnce = 256;

// "accepting=2 min_accepting=2": the names are words of ours.
std::string to_text(const std::map<std::string, std::uint64_t>& numbers) {
  std::string text;
  for (const auto& [name, number] : numbers) {
    text += (text.empty() ? "" : " ") + name + "=" + std::to_string(number);
  }
  return text;
}

std::map<std::string, std::uint64_t> to_numbers(std::string_view text) {
  std::map<std::string, std::uint64_t> numbers;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    std::uint64_t number = 0;
    std::from_chars(pair.data() + equals + 1, pair.data() + pair.size(), number);
    numbers.emplace(pair.substr(0, equals), number);
  }
  return numbers;
}

// Columns as history_ asks for them.
Event read(const Statement& row) {
  Event event;
  event.at = row.time(0);
  event.server = row.text(2);
  const auto type = value(kDurable, row.text(1));
  if (!type || row.integer(11) != row.integer(12)) {
    event.type = EventType::Store;
    event.text = "this entry of the audit is damaged";
    return event;
  }
  event.type = *type;
  event.service = row.text(3);
  event.by = row.text(4);
  event.origin = row.text(5);
  event.text = row.text(6);
  event.generation = static_cast<std::uint64_t>(row.integer(7));
  event.rule = row.text(8);
  event.answer_set = row.text(9);
  event.numbers = to_numbers(row.text(10));
  return event;
}

// The rows of a statement that has them newest first.
SqliteResult<std::vector<Event>> oldest_first(Statement& rows, SqliteResult<bool> row) {
  std::vector<Event> events;
  for (; row && *row; row = rows.step()) events.push_back(read(rows));
  if (!row) return base::Unexpected{std::move(row).error()};
  std::reverse(events.begin(), events.end());
  return events;
}

}  // namespace

SqliteResult<AuditTable> AuditTable::prepare(Database& database) {
  AuditTable table;
  const std::string columns =
      "at, type, server, service, actor, origin, text, generation, rule, answer_set, numbers";
  const std::string values = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11";
  const std::string entries =
      "SELECT " + columns + ", row_check, row_check('audit', " + columns + ") FROM audit ";
  const std::array<std::pair<Statement*, std::string>, 5> statements{{
      {&table.append_, "INSERT INTO audit (" + columns + ", row_check) VALUES (" + values +
                           ", row_check('audit', " + values + "))"},
      {&table.prune_,
       "DELETE FROM audit WHERE id IN ("
       "SELECT id FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?2 "
       "UNION ALL SELECT id FROM audit WHERE at < ?1 LIMIT ?3) RETURNING id"},
      {&table.history_, entries + "WHERE server = ? ORDER BY id DESC LIMIT ?"},
      {&table.recent_, entries + "ORDER BY id DESC LIMIT ?"},
      {&table.count_, "SELECT count(*) FROM audit"},
  }};
  for (const auto& [statement, sql] : statements) {
    auto prepared = database.prepare(sql);
    if (!prepared) return base::Unexpected{std::move(prepared).error()};
    *statement = std::move(*prepared);
  }
  return table;
}

SqliteResult<base::Done> AuditTable::append(const Event& event) {
  return append_.run(event.at, word(kDurable, event.type), event.server, event.service, event.by,
                     event.origin, event.text, static_cast<std::int64_t>(event.generation),
                     event.rule, event.answer_set, to_text(event.numbers));
}

SqliteResult<base::Done> AuditTable::prune(const PruneAudit& change) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::int64_t gone = 0;
  auto row = prune_.query(change.before, static_cast<std::int64_t>(std::min(change.most, kMax)),
                          kPrunedAtOnce);
  for (; row && *row; row = prune_.step()) ++gone;
  if (!row) return base::Unexpected{std::move(row).error()};
  // An entry may have been named twice, for its number and for its age.
  more_to_prune_ = gone >= kPrunedAtOnce / 2;
  return base::Done{};
}

SqliteResult<std::vector<Event>> AuditTable::history(std::string_view server, std::size_t limit) {
  return oldest_first(history_, history_.query(server, static_cast<std::int64_t>(limit)));
}

SqliteResult<RecentAudit> AuditTable::recent(std::size_t limit) {
  const auto counted = count_.query();
  if (!counted) return base::Unexpected{counted.error()};
  const auto total = static_cast<std::uint64_t>(count_.integer(0));
  if (auto ended = count_.step(); !ended) return base::Unexpected{std::move(ended).error()};
  auto events = oldest_first(recent_, recent_.query(static_cast<std::int64_t>(limit)));
  if (!events) return base::Unexpected{std::move(events).error()};
  return RecentAudit{std::move(*events), total};
}

}  // namespace sluice::health
