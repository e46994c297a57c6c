#include "dns/answer/warm.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "dns/answer/rendered.h"
#include "dns/wire/name.h"
#include "dns/zone/zone_set.h"

namespace sluice::dns {

namespace {

// With fewer the waits have too little company to pay for reading the names twice.
constexpr std::size_t kLeast = 4;

// 0: no name that could be found.
std::uint64_t hash_of(std::span<const std::uint8_t> query) noexcept {
  if (query.size() <= kHeaderOctets) return 0;
  WireReader reader(query.subspan(kHeaderOctets));
  Name name;
  return name.assign(reader) ? SuffixHashes(name).hash(0) : 0;
}

}  // namespace

void warm(const ServingSnapshot& snapshot,
          std::span<const std::span<const std::uint8_t>> queries) noexcept {
  assert(queries.size() <= kMaxWarm);
  const ZoneSet& zones = *snapshot.zones;
  if (!zones.is_large() || queries.size() < kLeast) return;
  std::array<std::uint64_t, kMaxWarm> hashes;
  std::array<std::uint32_t, kMaxWarm> places;  // nodes, then answer sets
  const std::size_t count = queries.size();
  for (std::size_t i = 0; i < count; ++i) {
    hashes[i] = hash_of(queries[i]);
    zones.fetch_slot(hashes[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    places[i] = zones.likely_node(hashes[i]);
    if (places[i] != 0) zones.fetch_node(places[i]);
  }
  constexpr std::uint32_t kNone = 0xFFFFFFFF;
  for (std::size_t i = 0; i < count; ++i) {
    if (places[i] == 0) {
      places[i] = kNone;
      continue;
    }
    const Lookup lookup = zones.at_node(places[i], RRType::A);
    places[i] = lookup.kind == Lookup::Kind::AnswerSet ? lookup.where : kNone;
    if (places[i] != kNone) snapshot.answer_sets.fetch(places[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (places[i] != kNone) snapshot.answer_sets[places[i]].fetch();
  }
}

}  // namespace sluice::dns
