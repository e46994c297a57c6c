#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <netinet/in.h>
#include <sys/socket.h>

#include "dns/server/file_descriptor.h"
#include "dns/server/responder.h"

namespace sluice::dns {

// The buffers of one turn of recvmmsg and sendmmsg, prepared once: a turn sets what the kernel
// changed and nothing else. One for each worker; nothing in it outlives UdpSocket::serve().
class UdpBatch {
 public:
  // Beyond 64 the two system calls weigh under 2 % of a query, while each message more delays the
  // first answer of the batch, and a new publication, by another microsecond.
  static constexpr unsigned kMessages = 64;

  UdpBatch();

 private:
  friend class UdpSocket;

  // A query larger than the largest payload that anybody may announce to us is cut, and so refused
  // as malformed.
  static constexpr std::size_t kQueryOctets = 4096;
  // 65 cache lines from one query to the next: at a distance of 4096 all would fall into the same
  // set of the first-level cache.
  static constexpr std::size_t kQueryStride = kQueryOctets + 64;
  // The largest max_udp_payload, and room for each answer of a batch. Answers are packed, so that
  // ordinary ones stay in a few kilobytes.
  static constexpr std::size_t kAnswerOctets = 4096;

  // in6_pktinfo is the larger of the two kinds.
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> octets;
  };

  // Room for the address that was asked. Sockets with and without a wildcard share the batch.
  void ask_addresses(bool wanted);

  bool addresses_asked_ = false;
  std::array<mmsghdr, kMessages> received_{};
  std::array<mmsghdr, kMessages> sent_{};
  std::array<iovec, kMessages> received_octets_{};
  std::array<iovec, kMessages> sent_octets_{};
  std::array<sockaddr_in6, kMessages> clients_{};  // has room for sockaddr_in too
  std::array<Control, kMessages> controls_{};
  std::array<Rcode, kMessages> rcodes_{};  // of sent_
  std::array<std::uint8_t, kMessages * kQueryStride> queries_;
  std::array<std::uint8_t, kMessages * kAnswerOctets> answers_;
};

// A bound UDP socket of one worker.
class UdpSocket {
 public:
  // `wildcard`: bound to 0.0.0.0 or ::; answers then leave from the address that was asked.
  UdpSocket(FileDescriptor fd, bool wildcard) noexcept : fd_(std::move(fd)), wildcard_(wildcard) {}

  int fd() const noexcept { return fd_.get(); }

  // One batch: receive, refresh, answer, send. Returns how many datagrams were received, 0 when
  // none waited. What the kernel does not take at once is dropped and counted, never kept: it
  // would be stale when it is sent, and the client asks again.
  unsigned serve(UdpBatch& batch, Responder& responder);

  // Queries that the kernel threw away because the receive buffer was full. Any thread.
  std::uint64_t overflow() const noexcept;

 private:
  unsigned receive(UdpBatch& batch, WorkerCounters& counters);
  unsigned answer(UdpBatch& batch, unsigned received, Responder& responder);
  void send(UdpBatch& batch, unsigned count, WorkerCounters& counters);

  FileDescriptor fd_;
  bool wildcard_;
};

}  // namespace sluice::dns
