#include "dns/server/responder.h"

#include <utility>

namespace sluice::dns {

Responder::Responder(const base::SnapshotCell<ServingSnapshot>& cell, std::uint16_t max_udp_payload,
                     std::uint32_t first_rotation, std::function<void()> on_progress)
    : reader_(cell),
      snapshot_(&reader_.refresh()),
      on_progress_(std::move(on_progress)),
      marked_(reader_.publication()) {
  context_.max_udp_payload = max_udp_payload;
  context_.rotation = first_rotation;
}

void Responder::refresh() {
  snapshot_ = &reader_.refresh();
  const std::uint64_t publication = reader_.publication();
  if (publication == marked_.load(std::memory_order_relaxed)) return;
  // Release: whoever reads the mark sees that all of our sends before it are done.
  marked_.store(publication, std::memory_order_release);
  on_progress_();
}

Answered Responder::answer(Transport transport, std::span<const std::uint8_t> query,
                           std::span<std::uint8_t> answer) noexcept {
  context_.transport = transport;
  ++context_.rotation;
  return respond(*snapshot_, context_, query, answer);
}

}  // namespace sluice::dns
