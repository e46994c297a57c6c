#include "dns/zone/zone_draft.h"

#include <algorithm>
#include <cassert>
#include <tuple>

#include "dns/zone/rrset.h"

namespace sluice::dns {

bool ZoneDraft::add_apex(const Name& apex, ZoneId zone) {
  const SuffixHashes hashes(apex);
  if (names_.find(hashes, 0, apex) != kNone) return false;
  names_.insert(hashes, 0, apex);
  nodes_.push_back({.zone = zone, .apex = true});
  return true;
}

std::uint32_t ZoneDraft::closest(const Name& name) const noexcept {
  return closest(name, SuffixHashes(name)).node;
}

ZoneDraft::Closest ZoneDraft::closest(const Name& name, const SuffixHashes& hashes) const noexcept {
  for (std::size_t suffix = 0; suffix <= hashes.labels(); ++suffix) {
    const std::uint32_t found = names_.find(hashes, suffix, name);
    if (found != kNone) return {found, suffix};
  }
  return {};
}

void ZoneDraft::reserve(std::size_t names) {
  names_.reserve(names_.size() + names);
  nodes_.reserve(nodes_.size() + names);
}

std::optional<ZoneId> ZoneDraft::zone_of(const Name& name) const {
  const std::uint32_t found = closest(name);
  if (found == kNone) return std::nullopt;
  return nodes_[found].zone;
}

std::uint32_t ZoneDraft::occluder_of(const Closest& closest) const noexcept {
  if (closest.node == kNone) return kNone;
  const DraftNode& node = nodes_[closest.node];
  const bool below = node.occluded_by == kNone && node.has_dname && closest.missing > 0;
  return below ? closest.node : node.occluded_by;
}

std::uint32_t ZoneDraft::touch(const Name& name) {
  const SuffixHashes hashes(name);
  return touch(name, hashes, closest(name, hashes));
}

std::uint32_t ZoneDraft::touch(const Name& name, const SuffixHashes& hashes, Closest closest) {
  assert(closest.node != kNone);  // REQUIRES: within some zone
  std::uint32_t parent = closest.node;
  for (std::size_t missing = closest.missing; missing-- > 0;) {
    const std::uint32_t number = names_.insert(hashes, missing, name);
    nodes_.push_back({.zone = nodes_[parent].zone, .parent = parent});
    inherit_occlusion(number);
    parent = number;
  }
  return parent;
}

void ZoneDraft::add_record(std::uint32_t node, const Record& record) {
  assert(record.rdata.size() <= 65'535);  // RDLENGTH
  records_.push_back({.node = node,
                      .type = record.type,
                      .rdata_octets = static_cast<std::uint16_t>(record.rdata.size()),
                      .rdata = rdata_.size(),
                      .ttl = record.ttl,
                      .place = record.place});
  rdata_.insert(rdata_.end(), record.rdata.begin(), record.rdata.end());
}

std::span<const std::uint8_t> ZoneDraft::rdata_of(const DraftRecord& record) const noexcept {
  return std::span(rdata_).subspan(record.rdata, record.rdata_octets);
}

std::span<const DraftRecord> ZoneDraft::records_of(const DraftRRset& rrset) const noexcept {
  return std::span(records_).subspan(rrset.first, rrset.count);
}

std::span<const DraftRRset> ZoneDraft::rrsets_of(std::uint32_t node) const noexcept {
  return std::span(rrsets_).subspan(nodes_[node].first_rrset, nodes_[node].rrset_count);
}

const DraftRRset* ZoneDraft::find_rrset(std::uint32_t node, RRType type) const noexcept {
  const auto rrsets = rrsets_of(node);
  const auto found = std::ranges::find(rrsets, type, &DraftRRset::type);
  return found == rrsets.end() ? nullptr : &*found;
}

// Names compare without regard to case (RFC 4343), the rest octet by octet.
bool ZoneDraft::same_rdata(const DraftRecord& left, const DraftRecord& right) const {
  const auto a = rdata_of(left);
  const auto b = rdata_of(right);
  const RdataLayout layout = rdata_layout(left.type);
  if (a.size() != b.size()) return false;
  if (!std::ranges::equal(a.first(layout.first), b.first(layout.first))) return false;
  WireReader reader_a(a.subspan(layout.first));
  WireReader reader_b(b.subspan(layout.first));
  for (int name = 0; name < layout.names; ++name) {
    const auto name_a = Name::read(reader_a);
    const auto name_b = Name::read(reader_b);
    if (!name_a || !name_b || !(*name_a == *name_b)) return false;
  }
  return std::ranges::equal(reader_a.rest(), reader_b.rest());
}

void ZoneDraft::gather() {
  std::ranges::stable_sort(
      records_, {}, [](const DraftRecord& record) { return std::tuple(record.node, record.type); });
  // More records of one type than a message holds are refused later: what is looked for among them
  // is not worth the time that it takes then.
  constexpr std::size_t kMostCompared = 65'535 / kRecordHead;
  std::size_t kept = 0;
  for (const DraftRecord& record : records_) {
    const bool joins = !rrsets_.empty() && rrsets_.back().node == record.node &&
                       rrsets_.back().type == record.type;
    if (!joins) {
      DraftNode& owner = nodes_[record.node];
      if (owner.rrset_count++ == 0) owner.first_rrset = static_cast<std::uint32_t>(rrsets_.size());
      rrsets_.push_back({record.node, record.type, record.ttl, kept, 0, record.place});
    }
    DraftRRset& rrset = rrsets_.back();
    rrset.ttl = std::min(rrset.ttl, record.ttl);
    const bool again = rrset.count < kMostCompared &&
                       std::ranges::any_of(records_of(rrset), [&](const DraftRecord& other) {
                         return same_rdata(other, record);
                       });
    if (again) continue;
    ++rrset.count;
    records_[kept++] = record;
  }
  records_.resize(kept);
  find_occluded();
}

void ZoneDraft::find_occluded() {
  for (const DraftRRset& rrset : rrsets_) {
    DraftNode& owner = nodes_[rrset.node];
    if (rrset.type == RRType::NS && !owner.apex) owner.is_cut = true;
    if (rrset.type == RRType::DNAME) owner.has_dname = true;
  }
  // A parent's number is lower than its children's, so it is known before theirs. (Apexes come
  // first, and have no parent.)
  for (std::uint32_t number = 0; number < size(); ++number) inherit_occlusion(number);
}

void ZoneDraft::inherit_occlusion(std::uint32_t number) noexcept {
  DraftNode& node = nodes_[number];
  if (node.parent != kNone) {
    const DraftNode& parent = nodes_[node.parent];
    node.occluded_by = parent.occluded_by;
    if (node.occluded_by == kNone && parent.has_dname) node.occluded_by = node.parent;
  }
  if (node.occluded_by == kNone && node.is_cut) node.occluded_by = number;
}

}  // namespace sluice::dns
