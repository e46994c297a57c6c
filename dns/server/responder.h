#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include <sys/socket.h>

#include "config/base/clock.h"
#include "config/base/snapshot.h"
#include "dns/answer/limit.h"
#include "dns/answer/respond.h"
#include "dns/answer/warm.h"
#include "dns/server/counters.h"

namespace sluice::dns {

// What a responder is made with.
struct ResponderSettings {
  std::uint16_t max_udp_payload = 1232;
  // From 0; differs from worker to worker: each has a row of counts, and begins with another
  // server.
  unsigned worker = 0;
  // After how long without a query the worker ends a TCP connection: clients are told.
  base::Duration tcp_idle = std::chrono::seconds(10);
  // Read once a batch.
  base::WallTime (*clock)() = base::coarse_wall_time;
  // The same while TTLs count down, and only then: it is exact, so it costs a system's clock read.
  base::MonoTime (*mono_clock)() = [] { return base::MonoTime(std::chrono::steady_clock::now()); };
  SipKey limiter_key{};  // random, see ResponseLimiter
};

// What a worker answers with: its view of the published snapshot, and its counters. The worker's
// thread calls everything but publication() and counters().read().
//
// The promise of an acknowledgement (semantics.md section 5) rests on one rule, which everybody who
// calls refresh() keeps: at that moment no rendered answer waits to be sent. Then each answer of an
// older publication is with the kernel, or was thrown away, and the publication may be marked.
class Responder {
 public:
  // `on_progress` is called by refresh() when it marks another publication than before.
  Responder(const base::SnapshotCell<ServingSnapshot>& cell, const ResponderSettings& settings,
            std::function<void()> on_progress);

  // Where the random numbers of this worker's answers come from (QueryContext::seed).
  void set_seed(std::uint64_t seed) noexcept { context_.seed = seed; }

  // Takes the newest snapshot for the answers that follow, and marks it; reads the clocks. Once a
  // batch, after the queries were received: a query that came after an acknowledgement sees what
  // was acknowledged.
  void refresh();

  // Of several messages that are about to be answered, at most kMaxWarm (dns/answer/warm.h).
  void expect(std::span<const std::span<const std::uint8_t>> queries) const noexcept {
    warm(*snapshot_, queries);
  }

  // One message from `client`, by the snapshot of the last refresh(). `answer` has room as
  // respond() asks. Silence and what the rate limit does are counted here, answers by who sends
  // them: count().
  Answered answer(Transport transport, const sockaddr* client, std::span<const std::uint8_t> query,
                  std::span<std::uint8_t> answer) noexcept;

  // An answer that the kernel took, before the next refresh().
  void count(Transport transport, Rcode rcode, health::AnswerSetId answer_set) noexcept {
    counters_.answered(transport, rcode);
    if (answer_set < by_answer_set_.size()) by_answer_set_[answer_set].add();
  }

  // The marked publication: no answer of an older one is sent any more. Any thread.
  std::uint64_t publication() const noexcept { return marked_.load(std::memory_order_acquire); }

  std::uint16_t max_udp_payload() const noexcept { return context_.max_udp_payload; }
  WorkerCounters& counters() noexcept { return counters_; }
  const WorkerCounters& counters() const noexcept { return counters_; }

 private:
  void read_clocks() noexcept;
  void adopt();
  Answered limit(const Answered& answered, std::span<std::uint8_t> answer) noexcept;

  base::SnapshotReader<ServingSnapshot> reader_;
  const ServingSnapshot* snapshot_;  // of the last refresh(), held by reader_
  std::function<void()> on_progress_;
  base::WallTime (*clock_)();
  base::MonoTime (*mono_clock_)();
  QueryContext context_;
  std::uint32_t now_ = 0;  // milliseconds, modulo 2^32
  SipKey limiter_key_;
  config::RateLimit rate_limit_;              // what limiter_ was made of
  std::unique_ptr<ResponseLimiter> limiter_;  // null: off
  std::atomic<std::uint64_t> marked_;
  WorkerCounters counters_;
  unsigned worker_;
  std::span<Count> by_answer_set_;  // of snapshot_; empty: not counted
};

}  // namespace sluice::dns
