#include "dns/server/responder.h"

#include <algorithm>
#include <utility>

#include "config/base/address.h"
#include "dns/answer/answer_set_counts.h"
#include "dns/answer/response_settings.h"

namespace sluice::dns {

Responder::Responder(const base::SnapshotCell<ServingSnapshot>& cell,
                     const ResponderSettings& settings, std::function<void()> on_progress)
    : reader_(cell),
      snapshot_(&reader_.refresh()),
      on_progress_(std::move(on_progress)),
      clock_(settings.clock),
      mono_clock_(settings.mono_clock),
      limiter_key_(settings.limiter_key),
      marked_(reader_.publication()),
      worker_(settings.worker) {
  context_.max_udp_payload = settings.max_udp_payload;
  context_.rotation = settings.worker;
  // What has no room in its units says the longest (RFC 7828 section 3.1).
  const auto idle = settings.tcp_idle / std::chrono::milliseconds(100);
  context_.tcp_idle = static_cast<std::uint16_t>(std::clamp<std::int64_t>(idle, 0, UINT16_MAX));
  read_clocks();
  adopt();
}

void Responder::read_clocks() noexcept {
  const base::Duration now = clock_().time_since_epoch();
  now_ = static_cast<std::uint32_t>(now.count());
  context_.now = static_cast<std::uint32_t>(now / std::chrono::seconds(1));
  if (snapshot_->counts_down()) context_.mono = mono_clock_();
}

// What a publication may change. The one allocation of a worker that runs: when a reload changed
// the rate limit.
void Responder::adopt() {
  by_answer_set_ = snapshot_->counts->row(worker_);
  const config::RateLimit& wanted = snapshot_->settings->rate_limit;
  if (wanted == rate_limit_) return;
  rate_limit_ = wanted;
  limiter_ = wanted.responses_per_second == 0
                 ? nullptr
                 : std::make_unique<ResponseLimiter>(wanted, limiter_key_);
}

void Responder::refresh() {
  snapshot_ = &reader_.refresh();
  read_clocks();
  const std::uint64_t publication = reader_.publication();
  if (publication == marked_.load(std::memory_order_relaxed)) return;
  adopt();
  // Release: whoever reads the mark sees that all of our sends before it are done.
  marked_.store(publication, std::memory_order_release);
  on_progress_();
}

Answered Responder::answer(Transport transport, const sockaddr* client,
                           std::span<const std::uint8_t> query,
                           std::span<std::uint8_t> answer) noexcept {
  context_.transport = transport;
  context_.client = client;
  ++context_.rotation;
  const Answered answered = respond(*snapshot_, context_, query, answer);
  if (answered.size == 0) {
    counters_.silent.add();
    return answered;
  }
  if (limiter_ == nullptr || transport != Transport::Udp) return answered;
  return limit(answered, answer);
}

Answered Responder::limit(const Answered& answered, std::span<std::uint8_t> answer) noexcept {
  switch (limiter_->judge(base::address_octets(context_.client), answered, now_)) {
    case ResponseLimiter::Verdict::Send:
      return answered;
    case ResponseLimiter::Verdict::Slip:
      counters_.limited_slipped.add();
      return cut_short(answer, answered);
    case ResponseLimiter::Verdict::Drop:
      break;
  }
  counters_.limited_dropped.add();
  return {};
}

}  // namespace sluice::dns
