#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/base/address.h"
#include "dns/wire/name.h"
#include "dns/wire/types.h"
#include "dns/zone/master_file.h"
#include "dns/zone/name_table.h"
#include "dns/zone/zone_set.h"

// The names of all zones while a ZoneSet is being made: what build_zones() fills and checks, and
// ZoneSetWriter packs. One thread, short life.
namespace sluice::dns {

inline constexpr std::uint32_t kNone = NameTable::kNone;

// A name that exists in a zone, empty non-terminals included (RFC 4592 section 2.2.2).
struct DraftNode {
  ZoneId zone = 0;
  std::uint32_t parent = kNone;  // none above an apex
  bool apex = false;
  bool is_cut = false;  // it has NS records and is no apex
  bool has_dname = false;
  // What answers instead of the node, in the same zone: the topmost of the zone cuts at or above it
  // and the DNAMEs above it (RFC 1034 section 4.3.2, RFC 6672 section 3.2).
  std::uint32_t occluded_by = kNone;
  std::uint32_t first_rrset = 0;
  std::uint32_t rrset_count = 0;
  std::uint32_t address_set = kNone;  // an answer set of A and AAAA
  std::uint32_t srv_set = kNone;      // an answer set of SRV
  std::uint32_t host = kNone;         // a server
};

struct DraftRecord {
  std::uint32_t node = 0;
  RRType type = RRType::A;
  std::uint16_t rdata_octets = 0;
  std::size_t rdata = 0;  // in ZoneDraft's store
  std::uint32_t ttl = 0;
  int place = 0;  // SourceMap's
};

// Records of one owner and type, next to each other in ZoneDraft::records().
struct DraftRRset {
  std::uint32_t node = 0;
  RRType type = RRType::A;
  std::uint32_t ttl = 0;
  std::size_t first = 0;
  std::size_t count = 0;
  int place = 0;  // of the first record
};

class ZoneDraft {
 public:
  // All apexes come before everything else. False: the name is an apex already.
  bool add_apex(const Name& apex, ZoneId zone);

  // The zone with the longest apex that contains the name; the closest name that exists.
  std::optional<ZoneId> zone_of(const Name& name) const;
  std::uint32_t closest(const Name& name) const noexcept;  // kNone: in no zone

  // The same, and how many labels the name has below it.
  struct Closest {
    std::uint32_t node = kNone;
    std::size_t missing = 0;
  };
  Closest closest(const Name& name, const SuffixHashes& hashes) const noexcept;

  // Makes room for so many more names.
  void reserve(std::size_t names);
  // The node of a name within some zone, made with all that are missing above it.
  std::uint32_t touch(const Name& name);
  // The same for a name of which closest() was asked since the last touch().
  std::uint32_t touch(const Name& name, const SuffixHashes& hashes, Closest closest);
  // What answers instead of a name, should it be made where closest() found it; kNone: nothing.
  std::uint32_t occluder_of(const Closest& closest) const noexcept;
  std::uint32_t find(const Name& name) const noexcept { return names_.find(name); }
  Name name(std::uint32_t node) const noexcept { return names_.name(node); }
  std::span<const std::uint8_t> wire(std::uint32_t node) const noexcept {
    return names_.wire(node);
  }
  std::uint64_t hash(std::uint32_t node) const noexcept { return names_.hash(node); }

  void add_record(std::uint32_t node, const Record& record);
  // Sorts the records, drops duplicates, gathers RRsets with the smallest TTL of their records, and
  // finds what zone cuts and DNAMEs occlude. Once, behind the last record.
  void gather();

  std::uint32_t size() const noexcept { return names_.size(); }
  DraftNode& node(std::uint32_t number) noexcept { return nodes_[number]; }
  const DraftNode& node(std::uint32_t number) const noexcept { return nodes_[number]; }
  std::span<const DraftRRset> rrsets() const noexcept { return rrsets_; }
  std::span<const DraftRRset> rrsets_of(std::uint32_t node) const noexcept;
  const DraftRRset* find_rrset(std::uint32_t node, RRType type) const noexcept;
  std::span<const DraftRecord> records_of(const DraftRRset& rrset) const noexcept;
  std::span<const std::uint8_t> rdata_of(const DraftRecord& record) const noexcept;

 private:
  bool same_rdata(const DraftRecord& left, const DraftRecord& right) const;
  void find_occluded();
  void inherit_occlusion(std::uint32_t number) noexcept;

  NameTable names_;
  std::vector<DraftNode> nodes_;
  std::vector<DraftRecord> records_;
  std::vector<DraftRRset> rrsets_;
  std::vector<std::uint8_t> rdata_;
};

}  // namespace sluice::dns
