#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "config/base/file_descriptor.h"
#include "dns/server/responder.h"
#include "dns/server/udp_batch.h"

namespace sluice::dns {

// A bound UDP socket of one worker.
class UdpSocket {
 public:
  // `wildcard`: bound to 0.0.0.0 or ::; answers then leave from the address that was asked.
  UdpSocket(base::FileDescriptor fd, bool wildcard) noexcept;

  int fd() const noexcept { return fd_.get(); }

  // One batch: receive, refresh, answer, send. Returns how many datagrams were received, 0 when
  // none waited. What the kernel does not take at once is dropped and counted, never kept: it
  // would be stale when it is sent, and the client asks again.
  unsigned serve(UdpBatch& batch, Responder& responder);

  // Queries that the kernel threw away because the receive buffer was full. Any thread.
  std::uint64_t overflow() const noexcept;

 private:
  unsigned receive(UdpBatch& batch, WorkerCounters& counters);
  void answer(UdpBatch& batch, unsigned received, Responder& responder) const;
  void send(UdpBatch& batch, Responder& responder);
  // Returns how many the kernel took.
  std::size_t send_one_by_one(UdpBatch& batch, std::size_t letter, Responder& responder);

  base::FileDescriptor fd_;
  bool wildcard_;
  // Several answers may be one letter: the kernel can cut it, and has not refused one so far (an
  // interface may be unable to).
  bool coalesces_;
};

}  // namespace sluice::dns
