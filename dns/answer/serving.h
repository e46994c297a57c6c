#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "config/base/paged_table.h"
#include "health/snapshot.h"

namespace sluice::dns {

class AnswerSetCounts;    // dns/answer/answer_set_counts.h
class RenderedSet;        // dns/answer/rendered.h
struct ResponseSettings;  // dns/answer/response_settings.h
class ZoneSet;            // dns/zone/zone_set.h

// Everything that an answer is made of, as of one generation: immutable, shared between threads,
// published through a base::SnapshotCell. What did not change since the snapshot before is shared
// with it.
struct ServingSnapshot {
  std::uint64_t generation = 0;
  std::shared_ptr<const ZoneSet> zones;              // never null; empty zone set: all is REFUSED
  std::shared_ptr<const ResponseSettings> settings;  // never null
  base::PagedTable<RenderedSet> answer_sets;         // by health::AnswerSetId; all set
  base::PagedTable<std::uint32_t> soa_serials;       // by ZoneId; all set
  std::vector<health::ServerId> hidden_hosts;        // servers without host records, ascending
  std::vector<health::LeavingHost> leaving_hosts;    // ascending by server
  std::size_t capped_sets = 0;                       // of answer_sets: with a planned drain

  // No part of any answer: where who answers by this snapshot counts its queries. Never null; not
  // const, for each worker writes its row.
  std::shared_ptr<AnswerSetCounts> counts;

  // TTLs count down somewhere: QueryContext::mono must be the time of the batch.
  bool counts_down() const noexcept { return capped_sets > 0 || !leaving_hosts.empty(); }
};

}  // namespace sluice::dns
