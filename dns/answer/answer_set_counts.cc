#include "dns/answer/answer_set_counts.h"

#include <cassert>

namespace sluice::dns {

AnswerSetCounts::AnswerSetCounts(std::size_t sets, std::size_t workers)
    : sets_(sets), workers_(workers), counts_(workers == 0 ? 0 : kGap + workers * (sets + kGap)) {}

std::span<Count> AnswerSetCounts::row(std::size_t worker) noexcept {
  if (worker >= workers_) return {};
  return std::span(counts_).subspan(kGap + worker * (sets_ + kGap), sets_);
}

std::uint64_t AnswerSetCounts::total(health::AnswerSetId set) const noexcept {
  assert(set < sets_);
  std::uint64_t total = 0;
  for (std::size_t worker = 0; worker < workers_; ++worker) {
    total += counts_[kGap + worker * (sets_ + kGap) + set].get();
  }
  return total;
}

}  // namespace sluice::dns
