#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "dns/wire/name.h"
#include "dns/wire/types.h"

namespace sluice::dns {

// Octets of a fixed-width value in host order, wherever they lie.
template <class T>
T load(const std::uint8_t* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// A list of values of type T at an address of any alignment.
template <class T>
class Packed {
 public:
  Packed() = default;
  Packed(const std::uint8_t* first, std::size_t count) noexcept : first_(first), count_(count) {}

  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  T operator[](std::size_t index) const noexcept { return load<T>(first_ + index * sizeof(T)); }

 private:
  const std::uint8_t* first_ = nullptr;
  std::size_t count_ = 0;
};

// A name in an RRset's RDATA whose addresses belong into the additional section.
struct AdditionalName {
  std::uint32_t node = 0;      // of the ZoneSet; it has A or AAAA
  std::uint16_t position = 0;  // of the name, in the RRset's octets; 0: it is the owner's
  // Glue of a name at or below the zone cut: an answer without it leads nowhere (RFC 9471
  // section 3.1), so what has no room for it is truncated.
  std::uint8_t required = 0;
  // The target of an alias: records of the RRset's own type belong there too (RFC 9460
  // section 4.1).
  std::uint8_t same_type = 0;
};

// An RRset as it stands in a message: whole records in wire form, made once, copied into answers.
// A view: the octets belong to a ZoneSet or a RenderedSet.
//
// Every owner name, and every name in RDATA that ends as the owner does and may be compressed, is a
// pointer that takes the owner to stand behind the header, where a question stands (0xC00C and up).
// If the owner is at another place, all pointers move by the same amount.
struct RRset {
  RRType type = RRType::A;
  std::uint16_t count = 0;
  std::uint32_t ttl = 0;
  std::span<const std::uint8_t> octets;
  // Where pointers within RDATA are in `octets`; the owners' are found by RDLENGTH.
  Packed<std::uint16_t> pointers;
  Packed<AdditionalName> additional;
};

// Octets of one record with a compressed owner, and of what precedes its RDATA.
inline constexpr std::size_t kRecordHead = 12;
inline constexpr std::size_t kARecord = kRecordHead + 4;
inline constexpr std::size_t kAaaaRecord = kRecordHead + 16;
// The end of an SOA record: SERIAL REFRESH RETRY EXPIRE MINIMUM (RFC 1035 section 3.3.13).
inline constexpr std::size_t kSoaNumbers = 20;

// Where names stand in the RDATA of the types that have them in a known place; others have none as
// far as we know (RFC 3597 section 4: only the types of RFC 1035 may be compressed).
struct RdataLayout {
  std::uint8_t names = 0;   // one after another, from `first` on
  std::uint8_t first = 0;   // octets before the first name
  bool compressed = false;  // may be written as pointers
  bool additional = false;  // their addresses go into the additional section
};
RdataLayout rdata_layout(RRType type) noexcept;

// Makes an RRset's octets record by record.
class RRsetRenderer {
 public:
  // Where a name of the RDATA stands, for the additional section.
  struct Target {
    std::uint16_t position = 0;  // 0: it is the owner, by another word for it
    Name name;
    bool alias = false;  // SVCB and HTTPS alone: priority 0
  };

  // RDATA of a wildcard's records is not compressed: the owner is the question's name then, which
  // ends as the wildcard does, but at another distance.
  RRsetRenderer(const Name& owner, RRType type, std::uint32_t ttl);

  // `rdata`: well-formed, its names uncompressed.
  void add(std::span<const std::uint8_t> rdata);

  // More than a message can ever hold: of no use.
  bool too_large() const noexcept { return octets_.size() > kMaxOctets; }
  std::uint16_t count() const noexcept { return count_; }
  std::span<const std::uint8_t> octets() const noexcept { return octets_; }
  std::span<const std::uint16_t> pointers() const noexcept { return pointers_; }  // in RDATA
  std::span<const Target> targets() const noexcept { return targets_; }

 private:
  // A message less its header and the shortest question.
  static constexpr std::size_t kMaxOctets = 65'535 - kHeaderOctets - 5;

  void read_svcb_target(bool alias);
  void put_name(std::span<const std::uint8_t> name, const RdataLayout& layout);

  Name owner_;
  RRType type_;
  std::uint32_t ttl_;
  std::uint16_t count_ = 0;
  std::vector<std::uint8_t> octets_;
  std::vector<std::uint16_t> pointers_;
  std::vector<Target> targets_;
};

}  // namespace sluice::dns
