#include "dns/server/listen_sockets.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace sluice::dns {
namespace {

using base::SocketAddress;
using Opened = base::Result<base::FileDescriptor, std::error_code>;

// Queries that wait while a worker is busy: 4 MiB are some 5,000, ten milliseconds of a flood.
constexpr int kUdpReceiveOctets = 4 << 20;
// Room for one batch of the largest answers (64 x 4096 octets and the kernel's own per packet), so
// that EAGAIN means a slow interface and not a full batch.
constexpr int kUdpSendOctets = 1 << 20;
// What the kernel holds for one TCP client, in each direction: a client that neither reads nor
// waits must not make it grow to tcp_wmem's 4 MiB. The kernel doubles the number for its own needs.
constexpr int kTcpBufferOctets = 64 << 10;
// Handshakes done and not accepted yet. The kernel lowers it to net.core.somaxconn (4096).
constexpr int kTcpBacklog = 4096;
// Somebody else may hold the TCP port of the number that UDP got; each try draws another.
constexpr int kPortTries = 16;

enum class Sharing : std::uint8_t { Alone, WithWorkers };

std::error_code last_error() {
  return {errno, std::system_category()};
}

bool set(const base::FileDescriptor& fd, int level, int option, int value) {
  return ::setsockopt(fd.get(), level, option, &value, sizeof value) == 0;
}

// FORCE goes beyond net.core.rmem_max and needs CAP_NET_ADMIN; without it the limit applies, and
// would make a socket smaller that was opened with that privilege, by the process before.
void widen(const base::FileDescriptor& fd, int force, int option, int octets) {
  if (set(fd, SOL_SOCKET, force, octets)) return;
  int before = 0;
  socklen_t size = sizeof before;
  // The kernel tells twice what was asked for.
  const bool known = ::getsockopt(fd.get(), SOL_SOCKET, option, &before, &size) == 0;
  if (!known || before < 2 * octets) set(fd, SOL_SOCKET, option, octets);
}

void set_udp_options(const base::FileDescriptor& fd, const SocketAddress& address) {
  widen(fd, SO_RCVBUFFORCE, SO_RCVBUF, kUdpReceiveOctets);
  widen(fd, SO_SNDBUFFORCE, SO_SNDBUF, kUdpSendOctets);
  // Without "don't fragment", and deaf to "fragmentation needed": that ICMP message is easily
  // forged, and would make us cut every answer to a victim into fragments that a forger can
  // replace (RFC 9715 section 3.1). max_udp_payload keeps answers small enough. Older kernels
  // lack OMIT.
  if (address.address.is_v4()) {
    if (!set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT)) {
      set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    }
  } else if (!set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT)) {
    set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
  }
  // On a wildcard address the kernel says which address was asked: the answer must come from it.
  if (address.address.is_unspecified()) {
    if (address.address.is_v4()) {
      set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    } else {
      set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    }
  }
}

// Accepted sockets inherit all of it.
void set_tcp_options(const base::FileDescriptor& fd) {
  // A restart must not wait for the connections that the last run left in TIME_WAIT. (Two sockets
  // that listen still exclude each other.)
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set(fd, SOL_SOCKET, SO_RCVBUF, kTcpBufferOctets);
  set(fd, SOL_SOCKET, SO_SNDBUF, kTcpBufferOctets);
  // Answers of one read are sent together; nothing is gained by waiting for more.
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

Opened open_socket(const SocketAddress& address, int type, Sharing sharing) {
  const int family = address.address.is_v4() ? AF_INET : AF_INET6;
  base::FileDescriptor fd(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return base::Unexpected{last_error()};
  // "::" and "0.0.0.0" are two addresses; who wants both lists both.
  if (family == AF_INET6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
    return base::Unexpected{last_error()};
  }
  if (type == SOCK_DGRAM) {
    set_udp_options(fd, address);
  } else {
    set_tcp_options(fd);
  }
  if (sharing == Sharing::WithWorkers && !set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
    return base::Unexpected{last_error()};
  }
  sockaddr_storage storage{};
  const socklen_t length = address.to(storage);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    return base::Unexpected{last_error()};
  }
  // The address is ours: from here on the sockets of the other workers may join.
  if (sharing == Sharing::Alone && !set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
    return base::Unexpected{last_error()};
  }
  if (type == SOCK_STREAM && ::listen(fd.get(), kTcpBacklog) != 0) {
    return base::Unexpected{last_error()};
  }
  return fd;
}

std::uint16_t port_of(const base::FileDescriptor& fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return 0;
  const auto bound = SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage));
  return bound ? bound->port : std::uint16_t{0};
}

// "\0sluice-dns:ADDRESS@PORT"; not open when somebody has the name already.
base::FileDescriptor take_name(const SocketAddress& address) {
  const std::string text = "sluice-dns:" + address.to_string();  // at most 56 octets of 107
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path + 1, text.data(), text.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  base::FileDescriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0) return {};
  return fd;
}

base::Unexpected<base::Error> refusal(const SocketAddress& address, std::string why) {
  return base::Unexpected{
      base::Error{{}, "dns.listen", address.to_string() + ": " + std::move(why)}};
}

// Whether the name was free tells who has the address.
base::Unexpected<base::Error> refusal(const ListenSockets& sockets, const std::error_code& error) {
  if (error != std::errc::address_in_use) return refusal(sockets.address, error.message());
  return refusal(sockets.address, std::string("address already in use by another ") +
                                      (sockets.name.is_open() ? "program" : "sluiced"));
}

base::Checked<ListenSockets> open_once(const SocketAddress& wanted, unsigned workers) {
  ListenSockets sockets;
  sockets.address = wanted;
  if (wanted.port != 0) sockets.name = take_name(wanted);
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    auto& opened = type == SOCK_DGRAM ? sockets.udp : sockets.tcp;
    while (opened.size() < workers) {
      const Sharing sharing = opened.empty() ? Sharing::Alone : Sharing::WithWorkers;
      auto fd = open_socket(sockets.address, type, sharing);
      if (!fd) return refusal(sockets, fd.error());
      opened.push_back(*std::move(fd));
      if (sockets.address.port == 0) {
        sockets.address.port = port_of(opened.back());
        sockets.name = take_name(sockets.address);
      }
    }
  }
  return sockets;
}

base::Checked<ListenSockets> open_one(const SocketAddress& wanted, unsigned workers) {
  auto sockets = open_once(wanted, workers);
  for (int tries = 1; !sockets && wanted.port == 0 && tries < kPortTries; ++tries) {
    sockets = open_once(wanted, workers);
  }
  return sockets;
}

// Workers beyond those that are given share: the kernel spreads queries over a socket that joins at
// once, and until the workers run, which is seconds later or never, nobody would answer those.
ListenSockets inherit(ListenSockets sockets, unsigned workers) {
  for (const base::FileDescriptor& fd : sockets.udp) set_udp_options(fd, sockets.address);
  for (const base::FileDescriptor& fd : sockets.tcp) set_tcp_options(fd);
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    auto& opened = type == SOCK_DGRAM ? sockets.udp : sockets.tcp;
    const std::size_t given = opened.size();
    while (opened.size() < workers) opened.push_back(opened[opened.size() % given].duplicate());
  }
  return sockets;
}

// Takes what is wanted out of `inherited`.
std::optional<ListenSockets> find(std::vector<ListenSockets>& inherited,
                                  const SocketAddress& wanted) {
  const auto found = std::ranges::find_if(inherited, [&](const ListenSockets& sockets) {
    return sockets.address.address == wanted.address && !sockets.udp.empty() &&
           !sockets.tcp.empty() && (wanted.port == 0 || wanted.port == sockets.address.port);
  });
  if (found == inherited.end()) return std::nullopt;
  std::optional<ListenSockets> sockets = std::move(*found);
  inherited.erase(found);
  return sockets;
}

bool overlap(const SocketAddress& one, const SocketAddress& other) {
  if (one.port != other.port || one.port == 0) return false;
  if (one.address.is_v4() != other.address.is_v4()) return false;
  return one.address == other.address || one.address.is_unspecified() ||
         other.address.is_unspecified();
}

}  // namespace

base::Checked<std::vector<ListenSockets>> open_listen_sockets(
    const std::vector<SocketAddress>& addresses, unsigned workers,
    std::vector<ListenSockets> inherited) {
  std::vector<std::optional<ListenSockets>> found(addresses.size());
  // What is asked for by its port goes before what may have any.
  for (const bool any_port : {false, true}) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      if ((addresses[i].port == 0) == any_port) found[i] = find(inherited, addresses[i]);
    }
  }
  std::vector<ListenSockets> all;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (overlap(addresses[earlier], addresses[i])) {
        return refusal(addresses[i],
                       addresses[earlier] == addresses[i]
                           ? "is listed twice"
                           : "overlaps " + addresses[earlier].to_string() + ": list one of them");
      }
    }
    if (found[i]) {
      all.push_back(inherit(*std::move(found[i]), workers));
      continue;
    }
    auto sockets = open_one(addresses[i], workers);
    if (!sockets) return base::Unexpected{sockets.error()};
    all.push_back(*std::move(sockets));
  }
  return all;
}

}  // namespace sluice::dns
