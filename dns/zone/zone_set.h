#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "config/base/large_pages.h"
#include "config/model.h"
#include "dns/wire/name.h"
#include "dns/wire/types.h"
#include "dns/zone/rrset.h"

namespace sluice::dns {

using ZoneId = std::uint32_t;  // the index in config::Config::zones
// What is added to the generation to make a zone's SOA serial, by the zone's name.
using SerialBases = std::map<std::string, std::uint32_t, std::less<>>;

// What a name and a type lead to (RFC 1034 section 4.3.2, step 3).
struct Lookup {
  enum class Kind : std::uint8_t {
    NotAuth,    // no zone of ours contains the name
    RRset,      // static records: `where` is for rrset()
    Soa,        // the zone's SOA, whose serial is the snapshot's
    AnswerSet,  // members decide: `where` is the answer set's number
    Host,       // a server's addresses: `where` is the server's number
    Referral,   // the NS RRset of a zone cut above: `where` is for rrset()
    Any,        // QTYPE ANY at a name that has records other than CNAME
    NoData,
    NXDomain,
    // The question goes on elsewhere, and only for these:
    Cname,  // at its target: `where` is for rrset()
    Dname,  // the DNAME RRset of a name above, which the asked name gets for a new end (RFC 6672)
  };
  Kind kind = Kind::NotAuth;
  // Of a referral or DNAME: how much longer than its owner the asked name is, in octets.
  std::uint8_t above = 0;
  ZoneId zone = 0;
  std::uint32_t where = 0;
  // What answered, to recognise it: the node, or `where` of what occludes the name.
  std::uint32_t node = 0;
};

// A server as the answers need it. Offsets are for rrset(); 0: none.
struct Host {
  std::uint32_t a = 0;
  std::uint32_t aaaa = 0;
  std::uint32_t name = 0;  // for ZoneSet::name_at()
  ZoneId zone = 0;
  std::uint8_t weight = 0;
  bool in_zone = false;  // its host records are ours: not outside of all zones or below a zone cut
};

struct PoolAnswers {
  std::uint32_t ttl = 0;               // seconds
  std::uint32_t first_answer_set = 0;  // the pool FQDN's
  std::uint32_t last_resort_a = 0;     // for rrset(); 0: none
  std::uint32_t last_resort_aaaa = 0;
  std::uint16_t answer_size = 0;  // servers an answer; 0: all
  config::Order order = config::Order::Rotate;

  // Whether chance decides who is shown, or in which order.
  bool chooses() const noexcept { return weighs() || order == config::Order::Random; }
  // The same, and weights count.
  bool weighs() const noexcept { return answer_size != 0 || order == config::Order::Weighted; }
};

struct AnswerSetPlan {
  std::uint32_t pool = 0;
  std::uint32_t name = 0;  // its owner, for ZoneSet::name_at()
  ZoneId zone = 0;
  std::uint16_t port = 0;  // SRV only
  std::uint16_t priority = 0;
  bool srv = false;
};

struct Zone {
  std::string name;  // as configured
  std::uint8_t apex_octets = 1;
  std::uint32_t soa = 0;           // for rrset()
  std::uint32_t negative_ttl = 0;  // min(TTL of the SOA, MINIMUM): RFC 2308 section 5
  std::uint32_t serial_base = 0;
};

// All that a configuration says about names, immutable: the zones' static records, rendered, and
// where answer sets and servers stand among them. One hash table of the names of all zones, so the
// zone with the longest apex needs no search of its own; names, nodes and records lie in one arena
// and are found by their offset in it.
//
// Made by build_zones(). Any thread reads.
class ZoneSet {
 public:
  ZoneSet();  // no zones

  // At most one probe for each label of `name`, one when the name exists (and for DS). QTYPE DS at
  // the apex of a zone whose parent zone is here too is answered by the parent (RFC 4035
  // section 3.1.4.1).
  Lookup find(const Name& name, RRType type) const noexcept;

  RRset rrset(std::uint32_t where) const noexcept;
  // The same for a node that an earlier lookup or an AdditionalName named.
  Lookup at_node(std::uint32_t node, RRType type) const noexcept;
  // A name in wire form; `where` is a Host's or an AnswerSetPlan's.
  std::span<const std::uint8_t> name_at(std::uint32_t where) const noexcept;

  // For who fetches names into the caches ahead of find(). More than what the nearer caches hold:
  bool is_large() const noexcept {
    constexpr std::size_t kCache = std::size_t{4} << 20;
    return arena_.size() + slots_.size() * sizeof(Slot) > kCache;
  }
  void fetch_slot(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  // The node of the name with this hash, or perhaps another one's: only find() compares. 0: none.
  std::uint32_t likely_node(std::uint64_t hash) const noexcept {
    return slots_[hash & (slots_.size() - 1)].node;
  }
  // Most nodes take a cache line or two, with entries and name.
  void fetch_node(std::uint32_t node) const noexcept {
    __builtin_prefetch(at(node));
    __builtin_prefetch(at(node) + 64);
  }

  std::span<const Zone> zones() const noexcept { return zones_; }
  std::span<const Host> hosts() const noexcept { return hosts_; }  // by ServerId
  std::span<const PoolAnswers> pools() const noexcept { return pools_; }
  std::span<const AnswerSetPlan> answer_sets() const noexcept { return answer_sets_; }

  // To be kept by whoever keeps state: build_zones() of the next start wants them back.
  SerialBases serial_bases() const;

 private:
  friend class ZoneSetWriter;

  // In the arena: Node, its entries, its name.
  struct Node {
    ZoneId zone = 0;
    // The RRset that answers instead of what is here or missing below: the topmost of the NS of
    // zone cuts and of the DNAMEs at or above; 0: none. At its own owner a DNAME is no occluder.
    std::uint32_t occluder = 0;
    std::uint32_t wildcard = 0;  // the node of the wildcard below; 0: none
    std::uint16_t entries = 0;
    std::uint8_t name_octets = 0;
    std::uint8_t occluder_octets = 0;  // of its owner's name
  };
  struct Entry {
    RRType type = RRType::A;
    Lookup::Kind kind = Lookup::Kind::RRset;  // RRset, Soa, AnswerSet or Host
    std::uint32_t where = 0;
  };
  // In the arena: RRsetHead, octets, pointers, additional.
  struct RRsetHead {
    RRType type = RRType::A;
    std::uint16_t count = 0;
    std::uint16_t octets = 0;
    std::uint16_t pointers = 0;
    std::uint16_t additional = 0;
    std::uint32_t ttl = 0;
  };
  struct Slot {
    std::uint32_t tag = 0;   // the upper half of the name's hash
    std::uint32_t node = 0;  // 0: empty
  };

  const std::uint8_t* at(std::uint32_t offset) const noexcept { return arena_.data() + offset; }
  std::uint32_t probe(std::uint64_t hash, std::span<const std::uint8_t> name) const noexcept;
  Lookup at_name(std::uint32_t found, const SuffixHashes& hashes, const Name& name,
                 RRType type) const noexcept;
  bool is_dname(std::uint32_t rrset) const noexcept;
  Lookup occluded(const Node& node, const Name& name) const noexcept;
  // The zone that answers for the DS of a name.
  ZoneId ds_zone(const Node& node, const SuffixHashes& hashes, const Name& name) const noexcept;

  std::vector<std::uint8_t, base::LargePages<std::uint8_t>> arena_;
  std::vector<Slot, base::LargePages<Slot>> slots_;  // a power of two, at most half of them taken
  std::size_t deepest_ = 0;                          // labels of the longest name
  std::vector<Zone> zones_;
  std::vector<Host> hosts_;
  std::vector<PoolAnswers> pools_;
  std::vector<AnswerSetPlan> answer_sets_;
};

}  // namespace sluice::dns
