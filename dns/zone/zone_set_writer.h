#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "config/base/error.h"
#include "config/model.h"
#include "dns/zone/zone_draft.h"
#include "dns/zone/zone_set.h"

namespace sluice::dns {

// Packs a checked draft into a ZoneSet. One use.
class ZoneSetWriter {
 public:
  // `host_nodes`: by server number; kNone: its host record is not ours. REQUIRES: a draft without
  // mistakes.
  ZoneSetWriter(const config::Config& config, const ZoneDraft& draft,
                std::span<const std::uint32_t> host_nodes, const SerialBases& persisted,
                std::span<const SourceMap> sources);

  // The failures left: an RRset that no message can hold, more zone data than offsets reach.
  base::Result<std::shared_ptr<const ZoneSet>, std::vector<base::Error>> write();

 private:
  using Node = ZoneSet::Node;
  using Entry = ZoneSet::Entry;

  void write_static_rrsets();
  void write_hosts();
  void write_pools();
  void write_nodes();
  void write_zones();
  void write_slots();
  void check_answer_sizes();

  std::uint32_t write_rrset(const DraftRRset& rrset);
  std::uint32_t write_rrset(const RRsetRenderer& renderer, RRType type, std::uint32_t ttl,
                            std::span<const AdditionalName> additional);
  std::uint32_t write_addresses(const Name& owner, RRType type, std::uint32_t ttl,
                                std::span<const base::IpAddress> addresses);
  std::vector<AdditionalName> additional_names(const DraftRRset& rrset,
                                               const RRsetRenderer& renderer) const;
  std::vector<Entry> entries_of(std::uint32_t node) const;

  std::uint32_t end() const noexcept { return static_cast<std::uint32_t>(set_->arena_.size()); }
  template <class T>
  void put(const T& value);

  const config::Config& config_;
  const ZoneDraft& draft_;
  std::span<const std::uint32_t> host_nodes_;
  const SerialBases& persisted_;
  std::span<const SourceMap> sources_;  // by zone
  std::vector<config::ServerAt> servers_;
  std::vector<config::AnswerSet> answer_sets_;
  std::unique_ptr<ZoneSet> set_;
  std::vector<base::Error> errors_;
  std::vector<std::uint32_t> rrset_at_;  // by the draft's RRset
  std::vector<std::uint32_t> node_at_;   // by the draft's node
  // Where an AdditionalName was written whose node is the draft's number still.
  std::vector<std::uint32_t> unresolved_;
};

}  // namespace sluice::dns
