#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>

#include "config/base/snapshot.h"
#include "dns/answer/respond.h"
#include "dns/server/counters.h"

namespace sluice::dns {

// What a worker answers with: its view of the published snapshot, and its counters. The worker's
// thread calls everything but publication() and counters().read().
//
// The promise of an acknowledgement (semantics.md section 5) rests on one rule, which everybody who
// calls refresh() keeps: at that moment no rendered answer waits to be sent. Then each answer of an
// older publication is with the kernel, or was thrown away, and the publication may be marked.
class Responder {
 public:
  // `on_progress` is called by refresh() when it marks another publication than before.
  // `first_rotation` differs from worker to worker, or all would begin with the same server.
  Responder(const base::SnapshotCell<ServingSnapshot>& cell, std::uint16_t max_udp_payload,
            std::uint32_t first_rotation, std::function<void()> on_progress);

  // Takes the newest snapshot for the answers that follow, and marks it. Once a batch, after the
  // queries were received: a query that came after an acknowledgement sees what was acknowledged.
  void refresh();

  // One message, by the snapshot of the last refresh(). `answer` has room as respond() asks.
  Answered answer(Transport transport, std::span<const std::uint8_t> query,
                  std::span<std::uint8_t> answer) noexcept;

  // The marked publication: no answer of an older one is sent any more. Any thread.
  std::uint64_t publication() const noexcept { return marked_.load(std::memory_order_acquire); }

  std::uint16_t max_udp_payload() const noexcept { return context_.max_udp_payload; }
  WorkerCounters& counters() noexcept { return counters_; }
  const WorkerCounters& counters() const noexcept { return counters_; }

 private:
  base::SnapshotReader<ServingSnapshot> reader_;
  const ServingSnapshot* snapshot_;  // of the last refresh(), held by reader_
  std::function<void()> on_progress_;
  QueryContext context_;
  std::atomic<std::uint64_t> marked_;
  WorkerCounters counters_;
};

}  // namespace sluice::dns
