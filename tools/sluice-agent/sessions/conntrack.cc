#include "tools/sluice-agent/sessions/conntrack.h"

#include <algorithm>
#include <array>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace sluice::agent {
namespace {

constexpr std::uint16_t type_of(int message) {
  return static_cast<std::uint16_t>((NFNL_SUBSYS_CTNETLINK << 8) | message);
}

// Which parts of a tuple a dump is to be chosen by (net/netfilter/nf_internals.h; not in the
// headers for programs).
constexpr std::uint32_t kChooseProtocol = 1U << 3U;
constexpr std::uint32_t kChooseDestinationPort = 1U << 5U;

NetlinkRequest request(std::uint8_t family, std::uint16_t flags) {
  NetlinkRequest request(type_of(IPCTNL_MSG_CT_GET),
                         static_cast<std::uint16_t>(NLM_F_REQUEST | flags));
  request.header(nfgenmsg{family, NFNETLINK_V0, 0});
  return request;
}

void add_address(NetlinkRequest& request, const base::IpAddress& address, std::uint16_t v4,
                 std::uint16_t v6) {
  request.attribute(address.is_v4() ? v4 : v6, address.octets());
}

std::optional<base::IpAddress> address_of(std::span<const std::uint8_t> octets) {
  std::array<std::uint8_t, 4> v4{};
  std::array<std::uint8_t, 16> v6{};
  if (octets.size() == v4.size()) {
    std::copy(octets.begin(), octets.end(), v4.begin());
    return base::IpAddress::v4(v4);
  }
  if (octets.size() != v6.size()) return {};
  std::copy(octets.begin(), octets.end(), v6.begin());
  return base::IpAddress::v6(v6);
}

struct Tuple {
  std::uint8_t protocol = 0;
  std::optional<base::IpAddress> source;
  std::optional<base::IpAddress> destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

void read_addresses(std::span<const std::uint8_t> attributes, Tuple& tuple) {
  while (const auto part = next_attribute(attributes)) {
    if (part->type == CTA_IP_V4_SRC || part->type == CTA_IP_V6_SRC) {
      tuple.source = address_of(part->body);
    } else if (part->type == CTA_IP_V4_DST || part->type == CTA_IP_V6_DST) {
      tuple.destination = address_of(part->body);
    }
  }
}

void read_protocol(std::span<const std::uint8_t> attributes, Tuple& tuple) {
  while (const auto part = next_attribute(attributes)) {
    const auto port = [&] { return ntohs(part->start<std::uint16_t>().value_or(0)); };
    if (part->type == CTA_PROTO_NUM) tuple.protocol = part->start<std::uint8_t>().value_or(0);
    if (part->type == CTA_PROTO_SRC_PORT) tuple.source_port = port();
    if (part->type == CTA_PROTO_DST_PORT) tuple.destination_port = port();
  }
}

Tuple read_tuple(std::span<const std::uint8_t> attributes) {
  Tuple tuple;
  while (const auto part = next_attribute(attributes)) {
    if (part->type == CTA_TUPLE_IP) read_addresses(part->body, tuple);
    if (part->type == CTA_TUPLE_PROTO) read_protocol(part->body, tuple);
  }
  return tuple;
}

}  // namespace

NetlinkRequest all_flows_request(std::uint8_t family) {
  return request(family, NLM_F_DUMP);
}

NetlinkRequest flows_request(std::uint8_t family, std::span<const std::uint16_t> ports) {
  NetlinkRequest request = all_flows_request(family);
  std::uint32_t chosen = kChooseProtocol;
  const std::size_t tuple = request.begin_nest(CTA_TUPLE_ORIG);
  const std::size_t protocol = request.begin_nest(CTA_TUPLE_PROTO);
  request.number(CTA_PROTO_NUM, std::uint8_t{IPPROTO_UDP});
  if (ports.size() == 1) {
    request.number(CTA_PROTO_DST_PORT, htons(ports.front()));
    chosen |= kChooseDestinationPort;
  }
  request.end_nest(protocol);
  request.end_nest(tuple);
  const std::size_t filter = request.begin_nest(CTA_FILTER);
  request.number(CTA_FILTER_ORIG_FLAGS, chosen);
  request.number(CTA_FILTER_REPLY_FLAGS, std::uint32_t{0});
  request.end_nest(filter);
  request.number(CTA_STATUS, htonl(IPS_SEEN_REPLY));
  request.number(CTA_STATUS_MASK, htonl(IPS_SEEN_REPLY));
  return request;
}

NetlinkRequest flow_request(const base::SocketAddress& source,
                            const base::SocketAddress& destination) {
  NetlinkRequest asked = request(source.address.is_v4() ? AF_INET : AF_INET6, 0);
  const std::size_t tuple = asked.begin_nest(CTA_TUPLE_ORIG);
  const std::size_t addresses = asked.begin_nest(CTA_TUPLE_IP);
  add_address(asked, source.address, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
  add_address(asked, destination.address, CTA_IP_V4_DST, CTA_IP_V6_DST);
  asked.end_nest(addresses);
  const std::size_t protocol = asked.begin_nest(CTA_TUPLE_PROTO);
  asked.number(CTA_PROTO_NUM, std::uint8_t{IPPROTO_UDP});
  asked.number(CTA_PROTO_SRC_PORT, htons(source.port));
  asked.number(CTA_PROTO_DST_PORT, htons(destination.port));
  asked.end_nest(protocol);
  asked.end_nest(tuple);
  return asked;
}

std::optional<Flow> flow_of(const NetlinkPart& message) {
  if (message.type != type_of(IPCTNL_MSG_CT_NEW)) return {};
  if (message.body.size() < sizeof(nfgenmsg)) return {};
  auto attributes = message.body.subspan(sizeof(nfgenmsg));
  Flow flow;
  Tuple tuple;
  while (const auto part = next_attribute(attributes)) {
    if (part->type == CTA_TUPLE_ORIG) tuple = read_tuple(part->body);
    if (part->type == CTA_ID) flow.id = part->start<std::uint32_t>().value_or(0);
    if (part->type == CTA_STATUS) {
      flow.answered = (ntohl(part->start<std::uint32_t>().value_or(0)) & IPS_SEEN_REPLY) != 0;
    }
  }
  if (tuple.protocol != IPPROTO_UDP || !tuple.source || !tuple.destination) return {};
  flow.source = {*tuple.source, tuple.source_port};
  flow.destination = {*tuple.destination, tuple.destination_port};
  return flow;
}

}  // namespace sluice::agent
