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

#include "tools/sluice-agent/sessions/netlink.h"

namespace sluice::agent {
namespace {

// A dump that the kernel says was interrupted, or of which messages were lost, is asked for anew.
constexpr int kTries = 3;

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

void add_filter(NetlinkRequest& request, std::span<const inet_diag_bc_op> filter) {
  request.attribute(INET_DIAG_REQ_BYTECODE,
                    {reinterpret_cast<const std::uint8_t*>(filter.data()), filter.size_bytes()});
}

// The older form of the question, which asks for both families: the kernel walks its table once,
// which is most of what a count costs.
NetlinkRequest both_families(std::span<const inet_diag_bc_op> filter) {
  NetlinkRequest request(TCPDIAG_GETSOCK, NLM_F_REQUEST | NLM_F_DUMP);
  inet_diag_req wanted{};
  wanted.idiag_states = 1U << TCP_ESTABLISHED;
  request.header(wanted);
  add_filter(request, filter);
  return request;
}

NetlinkRequest one_family(int family, std::span<const inet_diag_bc_op> filter) {
  NetlinkRequest request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP);
  inet_diag_req_v2 wanted{};
  wanted.sdiag_family = static_cast<std::uint8_t>(family);
  wanted.sdiag_protocol = IPPROTO_TCP;
  wanted.idiag_states = 1U << TCP_ESTABLISHED;
  request.header(wanted);
  add_filter(request, filter);
  return request;
}

// Zero, or an errno; ENOBUFS and EINTR are worth another try. What it found until then is in
// `connections` all the same.
int dump(NetlinkRequest request, std::vector<Connection>& connections) {
  const auto question = NetlinkQuestion::ask(NETLINK_SOCK_DIAG, request);
  if (!question) return question.error();
  std::array<std::uint8_t, NetlinkQuestion::kReceiveBuffer> buffer{};
  bool interrupted = false;
  while (true) {
    auto datagram = question->receive(buffer);
    if (!datagram) return datagram.error();
    while (const auto message = next_message(*datagram)) {
      interrupted |= (message->flags & NLM_F_DUMP_INTR) != 0;
      if (const auto end = end_of_answer(*message)) return *end == 0 && interrupted ? EINTR : *end;
      if (message->type != SOCK_DIAG_BY_FAMILY && message->type != TCPDIAG_GETSOCK) continue;
      if (const auto found = message->start<inet_diag_msg>()) {
        connections.push_back(connection_of(*found));
      }
    }
  }
}

int dump_all(std::span<const inet_diag_bc_op> filter, std::vector<Connection>& connections) {
  const int both = dump(both_families(filter), connections);
  if (both != EINVAL && both != EOPNOTSUPP && both != ENOENT) return both;
  // A kernel without the older form.
  connections.clear();
  const int error = dump(one_family(AF_INET, filter), connections);
  if (error != 0) return error;
  // Accepted IPv4 connections of an IPv6 listener are in the IPv6 dump alone: nothing is twice.
  return dump(one_family(AF_INET6, filter), connections);
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
    error = dump_all(filter, connections);
    if (error == 0) return connections;
    if (error != ENOBUFS && error != EINTR) break;
  }
  return system_error("the kernel's list of connections", error);
}

}  // namespace sluice::agent
