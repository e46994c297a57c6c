#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "config/base/large_pages.h"
#include "dns/answer/count.h"
#include "health/snapshot.h"

namespace sluice::dns {

// Queries that each answer set of one zone set answered: a row for each worker, which it alone
// writes, without a lock. Workers reach theirs through the snapshot that they answer by, so that
// numbers and names change together.
class AnswerSetCounts {
 public:
  AnswerSetCounts() = default;  // counts nothing
  AnswerSetCounts(std::size_t sets, std::size_t workers);
  AnswerSetCounts(const AnswerSetCounts&) = delete;
  AnswerSetCounts& operator=(const AnswerSetCounts&) = delete;

  // By health::AnswerSetId. Empty where there is no room for that worker: it does not count.
  std::span<Count> row(std::size_t worker) noexcept;

  std::size_t sets() const noexcept { return sets_; }
  // Of all workers together. Any thread; the counts are not of one moment.
  std::uint64_t total(health::AnswerSetId set) const noexcept;

 private:
  // Between rows, so that no two workers write to one cache line (128 octets: x86 fetches lines in
  // pairs).
  static constexpr std::size_t kGap = 128 / sizeof(Count);

  std::size_t sets_ = 0;
  std::size_t workers_ = 0;
  // A gap, and each row with a gap behind it.
  std::vector<Count, base::LargePages<Count>> counts_;
};

}  // namespace sluice::dns
