#include "tools/sluice-agent/sessions/conntrack.h"

#include <array>
#include <random>

#include <gtest/gtest.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace sluice::agent {
namespace {

base::SocketAddress end(const char* text) {
  return *base::SocketAddress::parse(text);
}

// What the kernel sends for a flow, as far as it is read (ctnetlink_fill_info).
NetlinkRequest message(const Flow& flow, std::uint8_t protocol = IPPROTO_UDP) {
  const bool v4 = flow.source.address.is_v4();
  NetlinkRequest message((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW, 0);
  message.header(nfgenmsg{static_cast<std::uint8_t>(v4 ? AF_INET : AF_INET6), 0, 0});
  const std::size_t tuple = message.begin_nest(CTA_TUPLE_ORIG);
  const std::size_t addresses = message.begin_nest(CTA_TUPLE_IP);
  message.attribute(v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, flow.source.address.octets());
  message.attribute(v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, flow.destination.address.octets());
  message.end_nest(addresses);
  const std::size_t ports = message.begin_nest(CTA_TUPLE_PROTO);
  message.number(CTA_PROTO_NUM, protocol);
  message.number(CTA_PROTO_SRC_PORT, htons(flow.source.port));
  message.number(CTA_PROTO_DST_PORT, htons(flow.destination.port));
  message.end_nest(ports);
  message.end_nest(tuple);
  message.number(CTA_STATUS, htonl(IPS_CONFIRMED | (flow.answered ? IPS_SEEN_REPLY : 0)));
  message.number(CTA_TIMEOUT, htonl(30));
  message.number(CTA_ID, flow.id);
  return message;
}

std::optional<Flow> read(NetlinkRequest written) {
  auto octets = written.octets();
  const auto part = next_message(octets);
  return part ? flow_of(*part) : std::nullopt;
}

TEST(Conntrack, ReadsAFlowOfEitherFamily) {
  const Flow v4{end("192.0.2.7@40000"), end("192.0.2.1@5060"), 0xdeadbeef, true};
  EXPECT_EQ(read(message(v4)), v4);
  const Flow v6{end("2001:db8::7@40000"), end("2001:db8::1@5060"), 1, false};
  EXPECT_EQ(read(message(v6)), v6);
}

TEST(Conntrack, LooksAtNothingElse) {
  const Flow flow{end("192.0.2.7@40000"), end("192.0.2.1@5060"), 1, true};
  EXPECT_FALSE(read(message(flow, IPPROTO_TCP)));
  EXPECT_FALSE(flow_of({(NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, 0, {}}));
  EXPECT_FALSE(flow_of({(NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW, 0, {}}));
}

TEST(Conntrack, ReadsNothingBeyondAMessageThatIsDamaged) {
  std::mt19937 random(20261129);
  NetlinkRequest written =
      message({end("192.0.2.7@40000"), end("192.0.2.1@5060"), 0xdeadbeef, true});
  const auto whole = written.octets();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    for (int round = 0; round < 50; ++round) {
      // Of its own memory, so that a sanitizer sees each octet too many.
      std::vector<std::uint8_t> damaged(whole.begin(),
                                        whole.begin() + static_cast<std::ptrdiff_t>(size));
      for (int change = 0; change < 2 && round > 0 && size > 0; ++change) {
        damaged[random() % size] = static_cast<std::uint8_t>(random());
      }
      const std::uint16_t type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW;
      static_cast<void>(flow_of({type, 0, damaged}));
    }
  }
}

}  // namespace
}  // namespace sluice::agent
