#include "tools/bench/load/udp_asker.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <netinet/in.h>
#include <netinet/udp.h>

#include "dns/wire/writer.h"

namespace sluice::bench {
namespace {

dns::FileDescriptor connect_to(const base::SocketAddress& server) {
  const int family = server.address.is_v4() ? AF_INET : AF_INET6;
  dns::FileDescriptor fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  const int octets = 4 << 20;
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
  ::setsockopt(fd.get(), IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  sockaddr_storage address{};
  const socklen_t length = server.to(address);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  return fd;
}

// The size of each datagram of a joined letter but the last; all of it when it is one.
std::size_t segment_of(msghdr& header, std::size_t size) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != IPPROTO_UDP || part->cmsg_type != UDP_GRO) continue;
    int segment = 0;
    std::memcpy(&segment, CMSG_DATA(part), sizeof segment);
    if (segment > 0) return static_cast<std::size_t>(segment);
  }
  return std::max<std::size_t>(size, 1);
}

}  // namespace

UdpAsker::UdpAsker(const base::SocketAddress& server, std::span<const Question> questions,
                   Tally& tally)
    : fd_(connect_to(server)), exchange_(questions, tally) {
  for (unsigned i = 0; i < kLetters; ++i) {
    in_octets_[i] = {answers_.data() + i * kLetterOctets, kLetterOctets};
    in_[i].msg_hdr.msg_iov = &in_octets_[i];
    in_[i].msg_hdr.msg_iovlen = 1;
    in_[i].msg_hdr.msg_control = controls_[i].octets.data();
  }
}

// Where the letter ends that begins at `first`: all but its last query have one size.
unsigned UdpAsker::letter_end(unsigned first, unsigned count) const noexcept {
  unsigned end = first + 1;
  while (end < count && sizes_[end] == sizes_[first]) ++end;
  return end;
}

void UdpAsker::ask(unsigned count) {
  queries_.clear();
  for (unsigned i = 0; i < count; ++i) {
    const auto id = static_cast<std::uint16_t>(exchange_.next_id() + i);
    const Question& question = exchange_.question(id);
    queries_.insert(queries_.end(), question.octets.begin(), question.octets.end());
    sizes_[i] = static_cast<std::uint16_t>(question.octets.size());
    dns::store_u16(queries_.data() + queries_.size() - sizes_[i], id);
  }
  const std::uint64_t time = now_ns();
  std::uint8_t* at = queries_.data();
  for (unsigned first = 0; first < count;) {
    const unsigned end = letter_end(first, count);
    iovec octets{at, std::size_t{sizes_[first]} * (end - first)};
    Control control{};
    msghdr header{};
    header.msg_iov = &octets;
    header.msg_iovlen = 1;
    if (end - first > 1) {
      header.msg_control = control.octets.data();
      header.msg_controllen = CMSG_SPACE(sizeof sizes_[first]);
      cmsghdr* part = CMSG_FIRSTHDR(&header);
      part->cmsg_level = IPPROTO_UDP;
      part->cmsg_type = UDP_SEGMENT;
      part->cmsg_len = CMSG_LEN(sizeof sizes_[first]);
      std::memcpy(CMSG_DATA(part), &sizes_[first], sizeof sizes_[first]);
    }
    if (::sendmsg(fd_.get(), &header, MSG_DONTWAIT) < 0) return;
    for (unsigned i = first; i < end; ++i) exchange_.ask(time);
    at += octets.iov_len;
    first = end;
  }
}

unsigned UdpAsker::take_answers() {
  for (mmsghdr& letter : in_) letter.msg_hdr.msg_controllen = sizeof(Control);
  const int received = ::recvmmsg(fd_.get(), in_.data(), kLetters, MSG_DONTWAIT, nullptr);
  if (received <= 0) return 0;
  const std::uint64_t time = now_ns();
  unsigned count = 0;
  for (unsigned i = 0; i < static_cast<unsigned>(received); ++i) {
    std::span<const std::uint8_t> left(answers_.data() + i * kLetterOctets, in_[i].msg_len);
    const std::size_t segment = segment_of(in_[i].msg_hdr, left.size());
    do {
      const std::size_t size = std::min(segment, left.size());
      take(left.first(size), time);
      left = left.subspan(size);
      ++count;
    } while (!left.empty());
  }
  return count;
}

void UdpAsker::take(std::span<const std::uint8_t> answer, std::uint64_t time) {
  exchange_.take(answer, time);
  if (kept_.empty() || answer.size() < 2) return;
  auto& place = kept_[dns::load_u16(answer.data()) % kept_.size()];
  if (place.empty()) place.assign(answer.begin(), answer.end());
}

}  // namespace sluice::bench
