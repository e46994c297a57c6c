#include "tools/sluice-agent/sessions/tracking_probe.h"

#include <array>
#include <cerrno>

#include <linux/netlink.h>
#include <sys/socket.h>

#include "tools/sluice-agent/sessions/conntrack.h"

namespace sluice::agent {
namespace {

// A UDP socket on a port of the kernel's choice, and where it is; an errno on failure.
int open_on(const base::IpAddress& address, base::FileDescriptor& out, base::SocketAddress& where) {
  base::FileDescriptor made(
      socket(address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (made.get() < 0) return errno;
  sockaddr_storage storage{};
  socklen_t length = base::SocketAddress{address, 0}.to(storage);
  auto* const place = reinterpret_cast<sockaddr*>(&storage);
  if (bind(made.get(), place, length) != 0) return errno;
  length = sizeof storage;
  if (getsockname(made.get(), place, &length) != 0) return errno;
  where = base::SocketAddress::from(place).value_or(base::SocketAddress{});
  out = std::move(made);
  return 0;
}

// Zero when the kernel knows the flow, ENOENT when it does not.
int look_up(const base::SocketAddress& from, const base::SocketAddress& to) {
  NetlinkRequest request = flow_request(from, to);
  const auto question = NetlinkQuestion::ask(NETLINK_NETFILTER, request);
  if (!question) return question.error();
  std::array<std::uint8_t, NetlinkQuestion::kReceiveBuffer> buffer{};
  auto datagram = question->receive(buffer);
  if (!datagram) return datagram.error();
  while (const auto message = next_message(*datagram)) {
    if (const auto flow = flow_of(*message); flow && flow->source == from) return 0;
    if (const auto end = end_of_answer(*message)) return *end != 0 ? *end : ENOENT;
  }
  return ENOENT;
}

}  // namespace

int TrackingProbe::open() {
  if (sender_.get() >= 0) return 0;
  base::FileDescriptor sender;
  if (const int error = open_on(loopback_, receiver_, to_); error != 0) return error;
  if (const int error = open_on(loopback_, sender, from_); error != 0) return error;
  sender_ = std::move(sender);
  return 0;
}

base::Result<TrackingProbe::Tracking, int> TrackingProbe::look() {
  const int opened = open();
  if (opened == EAFNOSUPPORT || opened == EADDRNOTAVAIL) return Tracking::NoFamily;
  if (opened != 0) return base::Unexpected{opened};
  // What was sent before is taken off. That a datagram is not sent shows in what is not found.
  std::array<char, 1> octet{};
  while (recv(receiver_.get(), octet.data(), octet.size(), MSG_TRUNC) >= 0) continue;
  sockaddr_storage storage{};
  const socklen_t length = to_.to(storage);
  sendto(sender_.get(), octet.data(), octet.size(), 0, reinterpret_cast<const sockaddr*>(&storage),
         length);
  const int error = look_up(from_, to_);
  if (error == ENOENT) return Tracking::Off;
  if (error != 0) return base::Unexpected{error};
  return Tracking::On;
}

}  // namespace sluice::agent
