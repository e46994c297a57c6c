#include "dns/server/udp_socket.h"

#include <cerrno>

#include <linux/sock_diag.h>

namespace sluice::dns {
namespace {

constexpr std::size_t kFlagsOctet = 2;  // of the header: QR, OPCODE, AA, TC, RD
constexpr std::uint8_t kTruncated = kFlagTC >> 8;

// The asked address becomes the sending one. The interface is left to the routing table: the way
// back need not be the way of the query (a link-local client's interface is in its address).
void leave_interface_open(msghdr& header) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      reinterpret_cast<in_pktinfo*>(CMSG_DATA(part))->ipi_ifindex = 0;
    } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      reinterpret_cast<in6_pktinfo*>(CMSG_DATA(part))->ipi6_ifindex = 0;
    }
  }
}

}  // namespace

UdpBatch::UdpBatch() {
  for (std::size_t i = 0; i < kMessages; ++i) {
    received_octets_[i] = {queries_.data() + i * kQueryStride, kQueryOctets};
    received_[i].msg_hdr.msg_name = &clients_[i];
    received_[i].msg_hdr.msg_namelen = sizeof clients_[i];
    received_[i].msg_hdr.msg_iov = &received_octets_[i];
    received_[i].msg_hdr.msg_iovlen = 1;
    sent_[i].msg_hdr.msg_iov = &sent_octets_[i];
    sent_[i].msg_hdr.msg_iovlen = 1;
  }
}

void UdpBatch::ask_addresses(bool wanted) {
  if (addresses_asked_ == wanted) return;
  addresses_asked_ = wanted;
  for (std::size_t i = 0; i < kMessages; ++i) {
    received_[i].msg_hdr.msg_control = wanted ? controls_[i].octets.data() : nullptr;
    received_[i].msg_hdr.msg_controllen = wanted ? controls_[i].octets.size() : 0;
  }
}

unsigned UdpSocket::serve(UdpBatch& batch, Responder& responder) {
  const unsigned received = receive(batch, responder.counters());
  responder.refresh();
  if (received == 0) return 0;
  const unsigned count = answer(batch, received, responder);
  send(batch, count, responder.counters());
  return received;
}

unsigned UdpSocket::receive(UdpBatch& batch, WorkerCounters& counters) {
  batch.ask_addresses(wildcard_);
  const int received =
      ::recvmmsg(fd_.get(), batch.received_.data(), UdpBatch::kMessages, MSG_DONTWAIT, nullptr);
  if (received > 0) {
    counters.udp_received.add(static_cast<std::uint64_t>(received));
    counters.udp_batches.add();
    return static_cast<unsigned>(received);
  }
  if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) counters.receive_errors.add();
  return 0;
}

unsigned UdpSocket::answer(UdpBatch& batch, unsigned received, Responder& responder) {
  unsigned count = 0;
  std::size_t used = 0;
  for (unsigned i = 0; i < received; ++i) {
    msghdr& from = batch.received_[i].msg_hdr;
    const std::uint8_t* query = batch.queries_.data() + i * UdpBatch::kQueryStride;
    std::uint8_t* room = batch.answers_.data() + used;
    const Answered answered = responder.answer(Transport::Udp, {query, batch.received_[i].msg_len},
                                               {room, responder.max_udp_payload()});
    if (answered.size > 0) {
      msghdr& to = batch.sent_[count].msg_hdr;
      to.msg_name = from.msg_name;
      to.msg_namelen = from.msg_namelen;
      if (wildcard_) leave_interface_open(from);
      to.msg_control = from.msg_control;
      to.msg_controllen = from.msg_controllen;
      batch.sent_octets_[count] = {room, answered.size};
      batch.rcodes_[count] = answered.rcode;
      used += answered.size;
      ++count;
    } else {
      responder.counters().silent.add();
    }
    // The kernel had set them to what the client needed.
    from.msg_namelen = sizeof batch.clients_[i];
    if (wildcard_) from.msg_controllen = batch.controls_[i].octets.size();
  }
  return count;
}

void UdpSocket::send(UdpBatch& batch, unsigned count, WorkerCounters& counters) {
  unsigned done = 0;
  while (done < count) {
    const int sent =
        ::sendmmsg(fd_.get(), batch.sent_.data() + done, count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      for (const unsigned end = done + static_cast<unsigned>(sent); done < end; ++done) {
        const auto* answer = static_cast<const std::uint8_t*>(batch.sent_octets_[done].iov_base);
        counters.answered(Transport::Udp, batch.rcodes_[done]);
        if ((answer[kFlagsOctet] & kTruncated) != 0) counters.truncated.add();
      }
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
      counters.udp_dropped.add(count - done);
      return;
    } else if (errno != EINTR) {
      counters.udp_send_errors
          .add();  // this one's fault (no route to it, port 0): on with the next
      ++done;
    }
  }
}

std::uint64_t UdpSocket::overflow() const noexcept {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t length = sizeof memory;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_MEMINFO, memory.data(), &length) != 0) return 0;
  return memory[SK_MEMINFO_DROPS];
}

}  // namespace sluice::dns
