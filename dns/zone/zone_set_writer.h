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

// What the configuration has besides records, in its own numbering, and where it stands in the
// draft.
struct PlacedNames {
  std::vector<config::ServerAt> servers;
  std::vector<config::AnswerSet> answer_sets;
  std::vector<std::uint32_t> host_nodes;        // by server; kNone: its host record is not ours
  std::vector<std::uint32_t> answer_set_nodes;  // by answer set
};

// Packs a checked draft into a ZoneSet. One use.
class ZoneSetWriter {
 public:
  // REQUIRES: a draft without mistakes.
  ZoneSetWriter(const config::Config& config, const ZoneDraft& draft, const PlacedNames& placed,
                const SerialBases& persisted, std::span<const SourceMap> sources);

  // The failures left: an RRset that no message can hold, more zone data than offsets reach.
  base::Result<std::shared_ptr<const ZoneSet>, std::vector<base::Error>> write();

 private:
  using Node = ZoneSet::Node;
  using Entry = ZoneSet::Entry;

  void write_static_rrsets();
  void write_hosts();
  void write_pools();
  void write_nodes();
  void resolve_additional();
  void write_zones();
  void write_slots();
  void check_answer_sizes();

  std::uint32_t write_rrset(const DraftRRset& rrset);
  std::uint32_t write_rrset(const RRsetRenderer& renderer, RRType type, std::uint32_t ttl,
                            std::span<const AdditionalName> additional);
  std::uint32_t write_addresses(RRType type, std::uint32_t ttl,
                                std::span<const base::IpAddress> addresses);
  std::vector<AdditionalName> additional_names(const DraftRRset& rrset,
                                               const RRsetRenderer& renderer) const;
  // Valid until it is called again.
  std::span<const Entry> entries_of(std::uint32_t node);
  // Makes room for all that write_hosts(), write_pools() and write_nodes() put into the arena.
  void reserve();

  std::uint32_t end() const noexcept { return static_cast<std::uint32_t>(set_->arena_.size()); }
  template <class T>
  void put(const T& value);

  const config::Config& config_;
  const ZoneDraft& draft_;
  const PlacedNames& placed_;
  const SerialBases& persisted_;
  std::span<const SourceMap> sources_;  // by zone
  std::unique_ptr<ZoneSet> set_;
  std::vector<base::Error> errors_;
  std::vector<std::uint32_t> rrset_at_;  // by the draft's RRset
  std::vector<std::uint32_t> node_at_;   // by the draft's node
  std::vector<Entry> entries_;           // of entries_of()
  // Where an AdditionalName was written whose node is the draft's number still.
  std::vector<std::uint32_t> unresolved_;
};

}  // namespace sluice::dns
