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

base::FileDescriptor connect_udp(const base::SocketAddress& server) {
  const int family = server.address.is_v4() ? AF_INET : AF_INET6;
  base::FileDescriptor fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  const int octets = 4 << 20;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
  sockaddr_storage address{};
  const socklen_t length = server.to(address);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  return fd;
}

}  // namespace

UdpAsker::UdpAsker(const base::SocketAddress& server, std::span<const Question> questions,
                   Tally& tally)
    : fd_(connect_udp(server)), exchange_(questions, tally) {
  for (unsigned i = 0; i < kBatch; ++i) {
    in_octets_[i] = {answers_.data() + i * kAnswerOctets, kAnswerOctets};
    in_[i].msg_hdr.msg_iov = &in_octets_[i];
    in_[i].msg_hdr.msg_iovlen = 1;
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
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof sizes_[0])> control{};
    msghdr header{};
    header.msg_iov = &octets;
    header.msg_iovlen = 1;
    if (end - first > 1) {
      header.msg_control = control.data();
      header.msg_controllen = control.size();
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
  const int received = ::recvmmsg(fd_.get(), in_.data(), kBatch, MSG_DONTWAIT, nullptr);
  if (received <= 0) return 0;
  const std::uint64_t time = now_ns();
  for (unsigned i = 0; i < static_cast<unsigned>(received); ++i) {
    take({answers_.data() + i * kAnswerOctets, in_[i].msg_len}, time);
  }
  return static_cast<unsigned>(received);
}

void UdpAsker::take(std::span<const std::uint8_t> answer, std::uint64_t time) {
  exchange_.take(answer, time);
  if (kept_.empty() || answer.size() < 2) return;
  auto& place = kept_[dns::load_u16(answer.data()) % kept_.size()];
  if (place.empty()) place.assign(answer.begin(), answer.end());
}

}  // namespace sluice::bench
