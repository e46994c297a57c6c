#include "dns/server/responder.h"

#include <algorithm>
#include <utility>

namespace sluice::dns {

Responder::Responder(const base::SnapshotCell<ServingSnapshot>& cell,
                     const ResponderSettings& settings, std::function<void()> on_progress)
    : reader_(cell),
      snapshot_(&reader_.refresh()),
      on_progress_(std::move(on_progress)),
      clock_(settings.clock),
      marked_(reader_.publication()) {
  context_.max_udp_payload = settings.max_udp_payload;
  context_.rotation = settings.first_rotation;
  // What has no room in its units says the longest (RFC 7828 section 3.1).
  const auto idle = settings.tcp_idle / std::chrono::milliseconds(100);
  context_.tcp_idle = static_cast<std::uint16_t>(std::clamp<std::int64_t>(idle, 0, UINT16_MAX));
  read_clock();
}

void Responder::read_clock() noexcept {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_().time_since_epoch());
  context_.now = static_cast<std::uint32_t>(now.count());
}

void Responder::refresh() {
  snapshot_ = &reader_.refresh();
  read_clock();
  const std::uint64_t publication = reader_.publication();
  if (publication == marked_.load(std::memory_order_relaxed)) return;
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
  if (answered.size == 0) counters_.silent.add();
  return answered;
}

}  // namespace sluice::dns
