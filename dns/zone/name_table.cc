#include "dns/zone/name_table.h"

#include <algorithm>
#include <cassert>

namespace sluice::dns {

std::uint32_t NameTable::find(const SuffixHashes& hashes, std::size_t suffix,
                              const Name& name) const noexcept {
  if (slots_.empty()) return kNone;
  const auto octets = name.wire().subspan(hashes.offset(suffix));
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hashes.hash(suffix) & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.number == kNone) return kNone;
    if (slot.tag == SuffixHashes::tag(hashes.hash(suffix)) &&
        std::ranges::equal(wire(slot.number), octets)) {
      return slot.number;
    }
  }
}

std::uint32_t NameTable::insert(const SuffixHashes& hashes, std::size_t suffix, const Name& name) {
  assert(find(hashes, suffix, name) == kNone);
  if (2 * (starts_.size() + 1) > slots_.size()) {
    resize_slots(std::max<std::size_t>(64, 2 * slots_.size()));
  }
  const std::uint32_t number = size();
  const auto octets = name.wire().subspan(hashes.offset(suffix));
  starts_.push_back(octets_.size());
  octets_.insert(octets_.end(), octets.begin(), octets.end());
  hashes_.push_back(hashes.hash(suffix));
  place(hashes.hash(suffix), number);
  return number;
}

Name NameTable::name(std::uint32_t number) const noexcept {
  WireReader reader(wire(number));
  return *Name::read(reader);
}

std::span<const std::uint8_t> NameTable::wire(std::uint32_t number) const noexcept {
  const std::size_t end = number + 1 < size() ? starts_[number + 1] : octets_.size();
  return std::span(octets_).subspan(starts_[number], end - starts_[number]);
}

void NameTable::place(std::uint64_t hash, std::uint32_t number) noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].number != kNone) at = (at + 1) & mask;
  slots_[at] = {SuffixHashes::tag(hash), number};
}

void NameTable::resize_slots(std::size_t slots) {
  slots_.assign(slots, {});
  for (std::uint32_t number = 0; number < size(); ++number) place(hashes_[number], number);
}

void NameTable::reserve(std::size_t names) {
  // What names of a few labels take: more than enough makes no pages resident, less grows.
  constexpr std::size_t kOctets = 32;
  octets_.reserve(kOctets * names);
  starts_.reserve(names);
  hashes_.reserve(names);
  std::size_t slots = 64;
  while (slots < 2 * names) slots *= 2;
  if (slots > slots_.size()) resize_slots(slots);
}

}  // namespace sluice::dns
