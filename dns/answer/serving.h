#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "config/base/paged_table.h"
#include "health/snapshot.h"

namespace sluice::dns {

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
};

}  // namespace sluice::dns
