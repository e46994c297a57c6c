#include "dns/answer/selection.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <numeric>
#include <utility>

namespace sluice::dns {

namespace {

// Each order as likely as the others (Fisher and Yates).
void shuffle(std::span<Selection::Group> groups, Random& random) noexcept {
  for (std::size_t left = groups.size(); left > 1; --left) {
    std::swap(groups[left - 1], groups[random.below(left)]);
  }
}

// Weights of which one is drawn and taken out in O(log n): a tree whose nodes have the sums of what
// is below them, node i above 2 i and 2 i + 1. Only so much of it is touched as there are weights.
class Urn {
 public:
  template <class WeightOf>
  Urn(std::size_t size, WeightOf weight_of) noexcept : leaves_(std::bit_ceil(size)) {
    for (std::size_t index = 0; index < leaves_; ++index) {
      sums_[leaves_ + index] = index < size ? weight_of(index) : 0;
    }
    for (std::size_t node = leaves_ - 1; node > 0; --node) {
      sums_[node] = sums_[2 * node] + sums_[2 * node + 1];
    }
  }

  std::uint64_t total() const noexcept { return sums_[1]; }

  // Takes out the weight on which `ticket` falls; returns its index. REQUIRES: ticket < total().
  std::size_t take(std::uint64_t ticket) noexcept {
    std::size_t node = 1;
    while (node < leaves_) {
      node *= 2;
      // Where it goes is chance itself: a branch would be mispredicted each second time.
      const std::uint64_t right = ticket >= sums_[node] ? 1 : 0;
      ticket -= sums_[node] & (0 - right);
      node += right;
    }
    const std::size_t index = node - leaves_;
    const std::uint64_t weight = sums_[node];
    for (; node > 0; node /= 2) sums_[node] -= weight;
    return index;
  }

 private:
  std::size_t leaves_;
  std::array<std::uint64_t, 2 * std::bit_ceil(Selection::kMaxGroups)> sums_;
};

}  // namespace

Selection::Selection(config::Order order, std::size_t size, std::span<const std::uint32_t> weights)
    : all_(weights.size()), order_(order) {
  assert(size > 0 && !weights.empty() && weights.size() <= kMaxGroups);
  for (std::size_t group = 0; group < all_; ++group) {
    candidates_.push_back({static_cast<Group>(group), weights[group]});
    rest_weight_ += weights[group];
  }
  // Heaviest first. Who would be shown more often than always is certain; then the others have
  // fewer places and less weight, so that the next one may be certain too.
  std::ranges::stable_sort(candidates_, std::ranges::greater(), &Candidate::weight);
  places_ = std::min(size, all_);
  for (; places_ > 0; ++certain_, --places_) {
    const std::uint64_t weight = candidates_[certain_].weight;
    if (places_ < all_ - certain_ && (weight == 0 || weight * places_ < rest_weight_)) break;
    rest_weight_ -= weight;
  }
  std::ranges::sort(candidates_.begin(),
                    candidates_.begin() + static_cast<std::ptrdiff_t>(certain_), {},
                    &Candidate::group);
  if (places_ == 0) candidates_.resize(certain_);
  if (rest_weight_ > 0) {
    std::erase_if(candidates_, [](const Candidate& candidate) { return candidate.weight == 0; });
  }
  for (std::size_t rest = certain_; rest < candidates_.size(); ++rest) {
    even_ = even_ && candidates_[rest].weight == candidates_[certain_].weight;
  }
}

std::span<const Selection::Group> Selection::draw(Random random, std::uint32_t turn,
                                                  Room& room) const noexcept {
  const std::span<Group> chosen = choose(random, room);
  if (order_ == config::Order::Weighted) order_by_weight(chosen, random);
  for (Group& candidate : chosen) candidate = candidates_[candidate].group;
  switch (order_) {
    case config::Order::Weighted:
      break;
    case config::Order::Random:
      shuffle(chosen, random);
      break;
    case config::Order::Rotate:
    case config::Order::Fixed:
      std::ranges::sort(chosen);
      if (order_ == config::Order::Fixed) break;
      const auto first = (std::uint64_t{turn} * chosen.size()) >> 32;
      // Not std::ranges': clang++ 14 does not take libstdc++'s for spans.
      std::rotate(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(first),
                  chosen.end());
  }
  return chosen;
}

std::span<Selection::Group> Selection::choose(Random& random, Room& room) const noexcept {
  const std::span<Group> all(room.data(), candidates_.size());
  std::iota(all.begin(), all.end(), Group{0});
  const std::span<Group> rest = all.subspan(certain_);
  const std::span<Group> chosen = all.first(certain_ + places_);
  // A cell of the scale is rest_weight_ / places_ wide, and one mark stands in each, at the same
  // distance from its beginning. Everything is multiplied by places_, so that all is exact.
  std::uint64_t mark = even_ ? 0 : random.below(rest_weight_);
  std::uint64_t passed = 0;
  std::size_t taken = 0;
  for (std::size_t next = 0; taken < places_; ++next) {
    std::swap(rest[next], rest[next + random.below(rest.size() - next)]);
    passed += candidates_[rest[next]].weight * std::uint64_t{places_};
    if (!even_ && mark >= passed) continue;
    rest[taken++] = rest[next];
    mark += rest_weight_;
  }
  return chosen;
}

// Chance p of the first place for a candidate that is shown with chance c: p / c once it is shown.
// That is its weight for a certain one, and the same for all others; here multiplied by places_ and
// the sum of the weights.
std::uint64_t Selection::order_weight(Group candidate) const noexcept {
  if (candidate >= certain_) return rest_weight_;
  return candidates_[candidate].weight * std::max<std::uint64_t>(places_, 1);
}

void Selection::order_by_weight(std::span<Group> chosen, Random& random) const noexcept {
  const auto weighs = [this](Group candidate) { return order_weight(candidate) > 0; };
  const auto weightless = std::partition(chosen.begin(), chosen.end(), weighs);
  const auto heavy = chosen.first(static_cast<std::size_t>(weightless - chosen.begin()));
  shuffle(chosen.subspan(heavy.size()), random);
  Room before;
  std::ranges::copy(heavy, before.begin());
  Urn urn(heavy.size(), [&](std::size_t index) { return order_weight(before[index]); });
  for (Group& next : heavy) next = before[urn.take(random.below(urn.total()))];
}

}  // namespace sluice::dns
