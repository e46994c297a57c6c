#include "dns/zone/zone_set.h"

#include <cassert>

namespace sluice::dns {

// Offset 0 of the arena says "none", so nothing may begin there.
ZoneSet::ZoneSet() : arena_(1), slots_(1) {}

std::uint32_t ZoneSet::probe(std::uint64_t hash,
                             std::span<const std::uint8_t> name) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    const Slot& found = slots_[slot];
    if (found.node == 0) return 0;
    if (found.tag != SuffixHashes::tag(hash)) continue;
    const Node node = load<Node>(at(found.node));
    if (node.name_octets != name.size()) continue;
    const std::uint8_t* octets = at(found.node) + sizeof(Node) + node.entries * sizeof(Entry);
    if (std::memcmp(octets, name.data(), name.size()) == 0) return found.node;
  }
}

Lookup ZoneSet::find(const Name& name, RRType type) const noexcept {
  const SuffixHashes hashes(name);
  const std::size_t labels = hashes.labels();
  std::size_t suffix = labels > deepest_ ? labels - deepest_ : 0;
  for (; suffix <= labels; ++suffix) {
    const std::uint32_t found =
        probe(hashes.hash(suffix), name.wire().subspan(hashes.offset(suffix)));
    if (found == 0) continue;
    if (suffix == 0) return at_name(found, hashes, name, type);
    // The closest encloser (RFC 4592 section 3.3.1).
    const Node encloser = load<Node>(at(found));
    if (encloser.occluder != 0) return occluded(encloser, name);
    if (encloser.wildcard != 0) return at_node(encloser.wildcard, type);
    return {.kind = Lookup::Kind::NXDomain, .zone = encloser.zone, .node = found};
  }
  return {};
}

Lookup ZoneSet::at_name(std::uint32_t found, const SuffixHashes& hashes, const Name& name,
                        RRType type) const noexcept {
  const Node node = load<Node>(at(found));
  if (type == RRType::DS) {
    const ZoneId zone = ds_zone(node, hashes, name);
    if (zone != node.zone) {
      Lookup lookup = at_node(found, type);  // the parent's word at the child's apex
      lookup.zone = zone;
      return lookup;
    }
    if (zones_[zone].apex_octets == name.size()) {  // no parent of ours above it
      return {.kind = Lookup::Kind::NoData, .zone = zone, .node = found};
    }
  }
  if (node.occluder == 0) return at_node(found, type);
  // At its owner a zone cut is asked for DS by the parent's side, and a DNAME does not redirect
  // (RFC 4035 section 3.1.4.1, RFC 6672 section 2.3).
  const bool at_owner = node.occluder_octets == name.size();
  if (at_owner && (type == RRType::DS || is_dname(node.occluder))) return at_node(found, type);
  return occluded(node, name);
}

bool ZoneSet::is_dname(std::uint32_t rrset) const noexcept {
  return load<RRsetHead>(at(rrset)).type == RRType::DNAME;
}

Lookup ZoneSet::occluded(const Node& node, const Name& name) const noexcept {
  return {.kind = is_dname(node.occluder) ? Lookup::Kind::Dname : Lookup::Kind::Referral,
          .above = static_cast<std::uint8_t>(name.size() - node.occluder_octets),
          .zone = node.zone,
          .where = node.occluder,
          .node = node.occluder};
}

Lookup ZoneSet::at_node(std::uint32_t found, RRType type) const noexcept {
  const Node node = load<Node>(at(found));
  Lookup lookup{.kind = Lookup::Kind::NoData, .zone = node.zone, .node = found};
  const Packed<Entry> entries(at(found) + sizeof(Node), node.entries);
  for (std::size_t index = 0; index < entries.size(); ++index) {
    const Entry entry = entries[index];
    if (entry.type == type) {
      lookup.kind = entry.kind;
      lookup.where = entry.where;
      return lookup;
    }
    if (entry.type == RRType::CNAME) {
      // Alone at its name, but for RRSIG and NSEC: who asks for those means the alias's own (RFC
      // 4034 section 3, RFC 4035 section 2.5). ANY is answered by the CNAME itself (RFC 8482
      // section 4.2).
      if (type == RRType::RRSIG || type == RRType::NSEC) return lookup;
      lookup.kind = type == RRType::ANY ? Lookup::Kind::RRset : Lookup::Kind::Cname;
      lookup.where = entry.where;
      return lookup;
    }
  }
  if (type == RRType::ANY && !entries.empty()) lookup.kind = Lookup::Kind::Any;
  return lookup;
}

ZoneId ZoneSet::ds_zone(const Node& node, const SuffixHashes& hashes,
                        const Name& name) const noexcept {
  if (zones_[node.zone].apex_octets != name.size()) return node.zone;
  for (std::size_t suffix = 1; suffix <= hashes.labels(); ++suffix) {
    const std::uint32_t found =
        probe(hashes.hash(suffix), name.wire().subspan(hashes.offset(suffix)));
    if (found == 0) continue;
    const Node encloser = load<Node>(at(found));
    return encloser.occluder == 0 ? encloser.zone : node.zone;
  }
  return node.zone;
}

RRset ZoneSet::rrset(std::uint32_t where) const noexcept {
  assert(where != 0);
  const std::uint8_t* next = at(where);
  const auto head = load<RRsetHead>(next);
  RRset rrset;
  rrset.type = head.type;
  rrset.count = head.count;
  rrset.ttl = head.ttl;
  next += sizeof head;
  rrset.octets = {next, head.octets};
  next += head.octets;
  rrset.pointers = {next, head.pointers};
  next += head.pointers * sizeof(std::uint16_t);
  rrset.additional = {next, head.additional};
  return rrset;
}

std::span<const std::uint8_t> ZoneSet::name_at(std::uint32_t where) const noexcept {
  const std::uint8_t* octets = at(where);
  std::size_t size = 0;
  while (octets[size] != 0) size += 1U + octets[size];
  return {octets, size + 1};
}

SerialBases ZoneSet::serial_bases() const {
  SerialBases bases;
  for (const Zone& zone : zones_) bases.emplace(zone.name, zone.serial_base);
  return bases;
}

}  // namespace sluice::dns
