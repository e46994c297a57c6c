#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "health/event.h"
#include "health/store.h"
#include "health/store/sqlite.h"

namespace sluice::health {

// The end of the audit.
struct RecentAudit {
  std::vector<Event> events;
  std::uint64_t total = 0;  // entries that there are
};

// The audit's statements of one connection, which must outlive it. Its rows have checks, but no
// seal: a damaged entry is told as such and costs nothing else.
class AuditTable {
 public:
  static SqliteResult<AuditTable> prepare(Database& database);

  // An event of a type that is durable.
  SqliteResult<base::Done> append(const Event& event);
  // A few hundred entries at a time, so that nothing waits for it; more_to_prune() says whether
  // some were left. Entries have ascending numbers without gaps, unless the wall clock went back:
  // by these "more than `most`" is judged, so gaps cost as many entries.
  SqliteResult<base::Done> prune(const PruneAudit& change);
  bool more_to_prune() const noexcept { return more_to_prune_; }

  // The newest `limit` entries of that server, oldest first.
  SqliteResult<std::vector<Event>> history(std::string_view server, std::size_t limit);
  // The newest `limit` entries of all, oldest first, and how many there are.
  SqliteResult<RecentAudit> recent(std::size_t limit);

 private:
  Statement append_;
  Statement prune_;
  Statement history_;
  Statement recent_;
  Statement count_;
  bool more_to_prune_ = false;
};

}  // namespace sluice::health
