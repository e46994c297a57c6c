#include "dns/server/udp_socket.h"

#include <array>
#include <cerrno>
#include <span>

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

namespace sluice::dns {
namespace {

// The interface is slower than we.
bool is_full(int error) noexcept {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

void count(const UdpBatch::Answer& answer, Responder& responder) noexcept {
  responder.count(Transport::Udp, answer.rcode, answer.answer_set);
  if (answer.truncated) responder.counters().truncated.add();
}

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

// Linux 4.18 and later. A refused setting says nothing: a socket of another kind ignores it.
bool can_segment(int fd) noexcept {
  int octets = 0;
  socklen_t length = sizeof octets;
  return ::getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &octets, &length) == 0;
}

}  // namespace

UdpSocket::UdpSocket(base::FileDescriptor fd, bool wildcard) noexcept
    : fd_(std::move(fd)), wildcard_(wildcard), coalesces_(can_segment(fd_.get())) {}

unsigned UdpSocket::serve(UdpBatch& batch, Responder& responder) {
  const unsigned received = receive(batch, responder.counters());
  responder.refresh();
  if (received == 0) return 0;
  answer(batch, received, responder);
  send(batch, responder);
  return received;
}

unsigned UdpSocket::receive(UdpBatch& batch, WorkerCounters& counters) {
  const int received = ::recvmmsg(fd_.get(), batch.to_receive(wildcard_).data(),
                                  UdpBatch::kMessages, MSG_DONTWAIT, nullptr);
  if (received > 0) {
    counters.udp_received.add(static_cast<std::uint64_t>(received));
    counters.udp_batches.add();
    return static_cast<unsigned>(received);
  }
  if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) counters.receive_errors.add();
  return 0;
}

void UdpSocket::answer(UdpBatch& batch, unsigned received, Responder& responder) const {
  batch.begin_letters();
  std::array<std::span<const std::uint8_t>, UdpBatch::kMessages> queries;
  static_assert(UdpBatch::kMessages <= kMaxWarm);
  for (unsigned i = 0; i < received; ++i) queries[i] = batch.query(i);
  responder.expect(std::span(queries).first(received));
  for (unsigned i = 0; i < received; ++i) {
    const Answered answered = responder.answer(Transport::Udp, batch.client(i), batch.query(i),
                                               {batch.room(), responder.max_udp_payload()});
    if (answered.size > 0) {
      msghdr& from = batch.received(i);
      if (wildcard_) leave_interface_open(from);
      batch.add(from, answered, coalesces_);
    }
  }
  batch.end_letters(received);
}

void UdpSocket::send(UdpBatch& batch, Responder& responder) {
  WorkerCounters& counters = responder.counters();
  std::span<mmsghdr> letters = batch.letters();
  std::size_t done = 0;
  while (done < letters.size()) {
    const int sent =
        ::sendmmsg(fd_.get(), &letters[done], static_cast<unsigned>(letters.size() - done),
                   MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      for (const std::size_t end = done + static_cast<std::size_t>(sent); done < end; ++done) {
        for (const UdpBatch::Answer& answer : batch.answers_of(done)) count(answer, responder);
      }
    } else if (is_full(errno)) {
      for (; done < letters.size(); ++done) {
        counters.udp_dropped.add(batch.answers_of(done).size());
      }
    } else if (errno == EINTR) {
      continue;
    } else if (batch.answers_of(done).size() > 1) {
      // Where they go one by one, it was the cutting; else it is this client's fault.
      if (send_one_by_one(batch, done++, responder) > 0) coalesces_ = false;
    } else {
      // This one's fault (no route to it, port 0): on with the next.
      counters.udp_send_errors.add();
      ++done;
    }
  }
}

std::size_t UdpSocket::send_one_by_one(UdpBatch& batch, std::size_t letter, Responder& responder) {
  WorkerCounters& counters = responder.counters();
  const std::span<const UdpBatch::Answer> answers = batch.answers_of(letter);
  std::size_t sent = 0;
  for (std::size_t i = 0; i < answers.size();) {
    const msghdr& single = batch.single(letter, i);
    if (::sendmsg(fd_.get(), &single, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
      count(answers[i], responder);
      ++sent;
    } else if (errno == EINTR) {
      continue;
    } else {
      (is_full(errno) ? counters.udp_dropped : counters.udp_send_errors).add();
    }
    ++i;
  }
  return sent;
}

std::uint64_t UdpSocket::overflow() const noexcept {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t length = sizeof memory;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_MEMINFO, memory.data(), &length) != 0) return 0;
  return memory[SK_MEMINFO_DROPS];
}

}  // namespace sluice::dns
