#include "tools/sluice-agent/sessions/sock_diag.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "tools/sluice-agent/descriptor.h"

namespace sluice::agent {
namespace {

// A dump that the kernel says was interrupted, or of which messages were lost, is asked for anew.
constexpr int kTries = 3;
// The kernel fills at most 32 KiB a message (netlink_dump, net/netlink/af_netlink.c).
constexpr std::size_t kReceiveBuffer = 32'768;
// The kernel answers within the call; this only keeps a broken one from stopping the heartbeats.
constexpr timeval kPatience{0, 200'000};

using Ranges = std::vector<std::pair<std::uint16_t, std::uint16_t>>;

Ranges ranges_of(std::span<const std::uint16_t> ports) {
  std::vector<std::uint16_t> sorted(ports.begin(), ports.end());
  std::sort(sorted.begin(), sorted.end());
  Ranges ranges;
  for (const std::uint16_t port : sorted) {
    if (!ranges.empty() && port <= ranges.back().second + 1) {
      ranges.back().second = port;
    } else {
      ranges.emplace_back(port, port);
    }
  }
  return ranges;
}

base::Unexpected<base::Error> system_error(const char* what, int error) {
  return base::failure(std::string("sock_diag: ") + what + ": " + std::strerror(error));
}

int send_request(int fd, int family, std::span<const inet_diag_bc_op> filter) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
    nlattr attribute;
  } message{};
  static_assert(sizeof message == NLMSG_LENGTH(sizeof(inet_diag_req_v2)) + sizeof(nlattr));
  message.header.nlmsg_len = static_cast<std::uint32_t>(sizeof message + filter.size_bytes());
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = static_cast<std::uint8_t>(family);
  message.request.sdiag_protocol = IPPROTO_TCP;
  message.request.idiag_states = 1U << TCP_ESTABLISHED;
  message.attribute.nla_type = INET_DIAG_REQ_BYTECODE;
  message.attribute.nla_len = static_cast<std::uint16_t>(sizeof(nlattr) + filter.size_bytes());

  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  std::array<iovec, 2> parts{
      iovec{&message, sizeof message},
      iovec{const_cast<inet_diag_bc_op*>(filter.data()), filter.size_bytes()}};
  msghdr envelope{};
  envelope.msg_name = &kernel;
  envelope.msg_namelen = sizeof kernel;
  envelope.msg_iov = parts.data();
  envelope.msg_iovlen = parts.size();
  return sendmsg(fd, &envelope, 0) < 0 ? errno : 0;
}

base::IpAddress address_of(std::uint8_t family, const std::array<std::uint8_t, 16>& octets) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool mapped = std::equal(kMapped.begin(), kMapped.end(), octets.begin());
  if (family == AF_INET) return base::IpAddress::v4({octets[0], octets[1], octets[2], octets[3]});
  if (mapped) return base::IpAddress::v4({octets[12], octets[13], octets[14], octets[15]});
  return base::IpAddress::v6(octets);
}

Connection connection_of(const inet_diag_msg& found) {
  std::array<std::uint8_t, 16> remote{};
  std::memcpy(remote.data(), found.id.idiag_dst, remote.size());
  return {ntohs(found.id.idiag_sport),
          {address_of(found.idiag_family, remote), ntohs(found.id.idiag_dport)},
          (std::uint64_t{found.id.idiag_cookie[1]} << 32) | found.id.idiag_cookie[0]};
}

struct Dump {
  std::vector<Connection> connections;
  bool done = false;
  bool interrupted = false;
  int error = 0;
};

// Reads the messages of one datagram of the kernel's.
void read_messages(std::span<const std::uint8_t> datagram, Dump& dump) {
  while (!dump.done && datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) break;
    const auto body = datagram.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
    dump.interrupted |= (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
      dump.done = true;
      std::int32_t error = 0;  // both start with it, zero or negative
      if (body.size() >= sizeof error) std::memcpy(&error, body.data(), sizeof error);
      dump.error = -error;
    } else if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY && body.size() >= sizeof(inet_diag_msg)) {
      inet_diag_msg found{};
      std::memcpy(&found, body.data(), sizeof found);
      dump.connections.push_back(connection_of(found));
    }
    datagram =
        datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
}

// Zero, or an errno; ENOBUFS and EINTR are worth another try.
int dump_family(int family, std::span<const inet_diag_bc_op> filter,
                std::vector<Connection>& connections) {
  // A socket for each dump: what is left of one that failed is not taken for the next.
  const Descriptor netlink(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (netlink.get() < 0) return errno;
  setsockopt(netlink.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (const int error = send_request(netlink.get(), family, filter); error != 0) return error;
  std::vector<std::uint8_t> buffer(kReceiveBuffer);
  Dump dump;
  while (!dump.done) {
    sockaddr_nl from{};
    socklen_t from_length = sizeof from;
    const ssize_t count = recvfrom(netlink.get(), buffer.data(), buffer.size(), MSG_TRUNC,
                                   reinterpret_cast<sockaddr*>(&from), &from_length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0 ? EIO : errno;
    if (static_cast<std::size_t>(count) > buffer.size()) return ENOBUFS;
    if (from.nl_pid != 0) continue;  // not the kernel
    read_messages(std::span(buffer).first(static_cast<std::size_t>(count)), dump);
  }
  if (dump.error != 0) return dump.error;
  if (dump.interrupted) return EINTR;
  connections.insert(connections.end(), dump.connections.begin(), dump.connections.end());
  return 0;
}

}  // namespace

// GE and LE compare the local port with the `no` of the operation that follows them. Where a
// comparison holds the program goes on `yes` octets further, otherwise `no` octets; it accepts at
// exactly its end and rejects 4 octets beyond it. The kernel wants each jump to meet the chain of
// the `yes` jumps, so a range that matched leaves by a JMP, which takes its `no`.
std::vector<inet_diag_bc_op> port_filter(std::span<const std::uint16_t> ports) {
  constexpr std::size_t kOp = sizeof(inet_diag_bc_op);
  constexpr std::size_t kCompare = 2 * kOp;
  constexpr std::size_t kRange = 2 * kCompare + kOp;  // GE, LE, JMP
  const Ranges ranges = ranges_of(ports);
  std::vector<inet_diag_bc_op> program;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const bool last = i + 1 == ranges.size();
    const std::size_t left = (ranges.size() - i) * kRange - kOp;  // the last has no JMP
    // Where it does not match: the next range, or beyond the end.
    const std::size_t miss = last ? left + kOp : kRange;
    const auto no = [](std::size_t octets) { return static_cast<unsigned short>(octets); };
    program.push_back({INET_DIAG_BC_S_GE, kCompare, no(miss)});
    program.push_back({INET_DIAG_BC_NOP, 0, ranges[i].first});
    program.push_back({INET_DIAG_BC_S_LE, kCompare, no(miss - kCompare)});
    program.push_back({INET_DIAG_BC_NOP, 0, ranges[i].second});
    if (!last) program.push_back({INET_DIAG_BC_JMP, kOp, no(left - 2 * kCompare)});
  }
  return program;
}

base::Checked<std::vector<Connection>> established_connections(
    std::span<const std::uint16_t> ports) {
  std::vector<Connection> connections;
  if (ports.empty()) return connections;
  const auto filter = port_filter(ports);
  // The length of the filter and its jumps are 16 bits wide.
  if (filter.size() * sizeof(inet_diag_bc_op) > 60'000) {
    return base::failure("sock_diag: too many ports for one filter");
  }
  int error = 0;
  for (int i = 0; i < kTries; ++i) {
    connections.clear();
    // Accepted IPv4 connections of an IPv6 listener are in the IPv6 dump alone: nothing is twice.
    error = dump_family(AF_INET, filter, connections);
    if (error == 0) error = dump_family(AF_INET6, filter, connections);
    if (error == 0) return connections;
    if (error != ENOBUFS && error != EINTR) break;
  }
  return system_error("the kernel's list of connections", error);
}

}  // namespace sluice::agent
