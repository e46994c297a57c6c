#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "config/model.h"
#include "dns/answer/random.h"
#include "dns/zone/rrset.h"

namespace sluice::dns {

// Which servers an answer shows, and in which order: the policies of a pool that need chance. Pure:
// weights at publish, random numbers at each answer. Knows no records: a server is the number of
// its group of records, which an answer has all or none of.
//
// A group's chance to be shown is exactly size * weight / sum of the weights, at most 1. Taking
// `size` groups one after another by weight would favour the light ones; we take them as systematic
// sampling does (Madow 1949), over the weights in a random order, so that any two groups can meet.
// Groups whose chance would exceed 1 are always shown, and the others share the places that are
// left by the same rule. A group of weight 0 is shown when no other is left to take the place, as a
// client of SRV records would (RFC 2782).
//
// Order::Weighted: the chance to be first is exactly weight / sum of the weights (where it can be:
// a weight of 0 has none), also of an answer that shows only some; each further place goes by
// weight among those that are left.
class Selection {
 public:
  using Group = std::uint16_t;
  // What fits no message needs no place here: each group has a record at least.
  static constexpr std::size_t kMaxGroups = 65'535 / kARecord;
  // Where draw() works. Not initialised: most answers need the first few places.
  using Room = std::array<Group, kMaxGroups>;

  // `size`: groups an answer, at least 1; more than there are weights means all. REQUIRES: 1 to
  // kMaxGroups weights, each below 2^16.
  Selection(config::Order order, std::size_t size, std::span<const std::uint32_t> weights);

  // The groups of one answer in their order. With Order::Rotate the first place goes to that one of
  // the shown, in the order of the configuration, on which `turn` / 2^32 of the way falls.
  std::span<const Group> draw(Random random, std::uint32_t turn, Room& room) const noexcept;

  // All groups are shown; only their order changes.
  bool shows_all() const noexcept { return certain_ + places_ == all_; }

 private:
  struct Candidate {
    Group group = 0;
    std::uint32_t weight = 0;
  };

  // What follows deals in candidates, by their place in candidates_.
  std::span<Group> choose(Random& random, Room& room) const noexcept;
  void order_by_weight(std::span<Group> chosen, Random& random) const noexcept;
  std::uint64_t order_weight(Group candidate) const noexcept;

  std::vector<Candidate> candidates_;  // those that are always shown come first
  std::size_t certain_ = 0;            // how many those are
  std::size_t places_ = 0;             // for the others
  std::uint64_t rest_weight_ = 0;      // of the others
  bool even_ = true;                   // the others have one weight
  std::size_t all_ = 0;
  config::Order order_;
};

}  // namespace sluice::dns
