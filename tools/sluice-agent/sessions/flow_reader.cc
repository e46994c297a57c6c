#include "tools/sluice-agent/sessions/flow_reader.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <linux/netlink.h>
#include <sys/socket.h>

#include "config/base/duration.h"
#include "tools/sluice-agent/sessions/local_addresses.h"

namespace sluice::agent {
namespace {

using Tracking = TrackingProbe::Tracking;

base::MonoTime now() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now());
}

std::string reason(int error) {
  if (error == EPERM) {
    return "the kernel shows UDP flows only to who has CAP_NET_ADMIN (in the agent's unit: "
           "AmbientCapabilities=CAP_NET_ADMIN)";
  }
  if (error == E2BIG) return "the kernel has more UDP flows than can be counted";
  return std::string("the kernel's list of UDP flows (nf_conntrack_netlink): ") +
         std::strerror(error);
}

}  // namespace

FlowReader::FlowReader(std::vector<std::uint16_t> ports, base::Duration limit)
    : ports_(std::move(ports)), limit_(limit) {
  families_.push_back({AF_INET, "IPv4", TrackingProbe(*base::IpAddress::parse("127.0.0.1"))});
  families_.push_back({AF_INET6, "IPv6", TrackingProbe(*base::IpAddress::parse("::1"))});
}

base::Checked<std::vector<FlowList::Key>> FlowReader::read(std::vector<base::SocketAddress> own) {
  end_ = now() + limit_;
  auto local = local_addresses();
  if (!local) return base::Unexpected{local.error()};
  FlowList list(ports_, *std::move(local), std::move(own));
  buffer_.resize(NetlinkQuestion::kReceiveBuffer);
  for (Family& family : families_) {
    if (auto why = read_family(family, list)) return base::failure(*std::move(why));
  }
  return list.take();
}

std::optional<std::string> FlowReader::read_family(Family& family, FlowList& list) {
  const auto tracking = family.probe.look();
  if (!tracking) return reason(tracking.error());
  // Without IPv6 there are no flows of it. Without the loopback of IPv4 nothing is proven.
  if (*tracking == Tracking::NoFamily && family.number == AF_INET6) return {};
  int error = chosen_ ? dump(flows_request(family.number, ports_), list) : EINVAL;
  // A kernel that does not choose by these attributes ignores them or refuses all of it.
  if (error == EOPNOTSUPP || error == EINVAL) {
    chosen_ = false;
    error = dump(all_flows_request(family.number), list);
  }
  if (error == ETIMEDOUT) {
    return "the kernel's list of UDP flows took longer than " + base::to_text(limit_);
  }
  if (error != 0) return reason(error);
  // Flows of others show it as well as our own, where a rule exempts the loopback.
  if (*tracking == Tracking::On || list.any(family.number == AF_INET)) return {};
  return std::string("the kernel tracks no UDP flows of ") + family.name +
         ": a rule of the firewall must need it, such as \"ct state established accept\" of "
         "nftables";
}

// Zero, or an errno.
int FlowReader::dump(NetlinkRequest request, FlowList& list) {
  const auto question = NetlinkQuestion::ask(NETLINK_NETFILTER, request);
  if (!question) return question.error();
  while (true) {
    auto datagram = question->receive(buffer_);
    if (!datagram) return datagram.error();
    while (const auto message = next_message(*datagram)) {
      if (const auto end = end_of_answer(*message)) return *end;
      if (const auto flow = flow_of(*message)) list.add(*flow);
    }
    if (list.size() > kMaxFlows) return E2BIG;
    if (now() > end_) return ETIMEDOUT;
  }
}

}  // namespace sluice::agent
