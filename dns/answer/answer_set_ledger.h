#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "dns/answer/answer_set_counts.h"
#include "dns/wire/name.h"
#include "dns/zone/zone_set.h"

namespace sluice::dns {

// Queries that were answered since the start by the answer sets of an owner name.
struct AnswerSetQueries {
  std::string owner;  // as Name::to_string() writes it
  std::uint64_t queries = 0;
};

// Keeps the figures of answer sets by their owner names, for a reload changes their numbers. Of a
// name that a reload drops the figure is kept, though not shown, for the day when it returns.
//
// The control thread opens and closes; any thread reads. The lock is held for moments, and no
// worker takes it.
class AnswerSetLedger {
 public:
  explicit AnswerSetLedger(std::size_t workers) : workers_(workers) {}

  // The counts of a zone set that is about to be served.
  std::shared_ptr<AnswerSetCounts> open(std::shared_ptr<const ZoneSet> zones);
  // Nobody adds any more to those that were opened before `oldest`; what they say is carried over.
  void close_before(const AnswerSetCounts& oldest);

  // Of the zone set opened last, those that were ever asked, each owner once. A figure never
  // shrinks from one call to the next. Costs a look at every count.
  std::vector<AnswerSetQueries> read() const;

 private:
  using Totals = std::vector<std::uint64_t>;  // by answer set

  struct Page {
    std::shared_ptr<const ZoneSet> zones;
    std::shared_ptr<AnswerSetCounts> counts;
    std::shared_ptr<const Totals> carried;  // from pages that are closed; null: nothing

    std::uint64_t total(health::AnswerSetId set) const noexcept;
  };

  static void carry(const Page& from, const ZoneSet& to, Totals& totals,
                    std::map<std::string, std::uint64_t>* dropped);

  std::size_t workers_;
  mutable std::mutex mutex_;
  std::vector<Page> pages_;  // as they were opened; guarded by mutex_
  // By the owner's octets. The control thread's.
  std::map<std::string, std::uint64_t> dropped_;
};

}  // namespace sluice::dns
