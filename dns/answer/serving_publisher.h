#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "config/base/snapshot.h"
#include "dns/answer/answer_set_ledger.h"
#include "dns/answer/response_settings.h"
#include "dns/answer/serving.h"
#include "health/snapshot.h"

namespace sluice::dns {

// Turns each generation of the authority into the snapshot that the workers answer by. A publish
// costs what changed: other answer sets and serials are shared with the snapshot before.
//
// Control thread only, but for answer_set_queries() and for cell(), which the workers read through
// a base::SnapshotReader each.
// Replaced snapshots are kept until served() says that no worker uses them, and are freed there: no
// worker runs the destructor of a large snapshot.
class ServingPublisher final : public health::Publisher {
 public:
  // Until the first publish() there are no members to name: everything is REFUSED.
  // `workers`: those numbered below it count their queries by answer set, others don't.
  explicit ServingPublisher(std::shared_ptr<const ZoneSet> zones, ResponseSettings settings = {},
                            std::size_t workers = 0);

  const base::SnapshotCell<ServingSnapshot>& cell() const noexcept { return cell_; }

  // Called after each publication, so that idle workers refresh (and the grace period ends).
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  // A reload: the next publish() is about these zones, and about their numbers of answer sets and
  // servers. It renders everything and gives every zone a new serial. `settings` come with it.
  void prepare(std::shared_ptr<const ZoneSet> zones, ResponseSettings settings = {});

  // Whether answers of pools say that they may be stale, from now on.
  void mark_stale(bool stale);

  // The first one, and the first after prepare(), take everything as changed. The serial of a zone
  // becomes its base (mod 2^32) + the newest generation of its answer sets' members, its hosts'
  // changes, and that which renewed everything. It never goes back (RFC 1982).
  std::uint64_t publish(std::shared_ptr<const health::MembershipSnapshot> next,
                        std::span<const health::AnswerSetId> changed,
                        std::span<const health::ServerId> changed_hosts) override;

  // Renders SRV records, addresses where the pool's policy weighs, and what has another end.
  // Serials stay.
  std::uint64_t adjust(std::shared_ptr<const health::MembershipSnapshot> next,
                       std::span<const health::AnswerSetId> changed) override;

  // Every worker answers by this publication or a later one.
  void served(std::uint64_t publication);

  // What answer sets answered since the start, of the zones that were published last. Any thread.
  std::vector<AnswerSetQueries> answer_set_queries() const { return ledger_.read(); }

  // Replaced snapshots that are still kept.
  std::size_t retired() const noexcept { return retired_.size(); }

 private:
  struct Retired {
    std::uint64_t replaced_by = 0;
    std::shared_ptr<const ServingSnapshot> snapshot;
  };

  std::shared_ptr<ServingSnapshot> everything(const health::MembershipSnapshot& members);
  std::shared_ptr<ServingSnapshot> differences(const health::MembershipSnapshot& members,
                                               std::span<const health::AnswerSetId> changed,
                                               std::span<const health::ServerId> changed_hosts);

  void take(ResponseSettings settings);
  std::uint64_t serve(std::shared_ptr<const ServingSnapshot> snapshot);

  std::shared_ptr<const ZoneSet> prepared_;  // null: none since the last publication
  std::shared_ptr<const ResponseSettings> settings_;
  std::shared_ptr<const ServingSnapshot> current_;  // what the cell holds
  base::SnapshotCell<ServingSnapshot> cell_;
  std::vector<Retired> retired_;  // oldest first
  bool stale_ = false;
  std::uint64_t renewed_ = 0;  // as published last
  AnswerSetLedger ledger_;
  std::function<void()> wake_;
};

}  // namespace sluice::dns
