#include "tools/sluice-agent/sessions/local_addresses.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <string>

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tools/sluice-agent/sessions/netlink.h"

namespace sluice::agent {
namespace {

std::optional<base::Prefix> prefix_of(const NetlinkPart& message) {
  const auto route = message.start<rtmsg>();
  if (message.type != RTM_NEWROUTE || !route || route->rtm_type != RTN_LOCAL) return {};
  auto attributes = message.body.subspan(sizeof(rtmsg));
  while (const auto part = next_attribute(attributes)) {
    if (part->type != RTA_DST) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (part->body.size() != (route->rtm_family == AF_INET ? 4U : 16U)) return {};
    if (inet_ntop(route->rtm_family, part->body.data(), text.data(), text.size()) == nullptr) {
      return {};
    }
    return base::Prefix::parse(std::string(text.data()) + "/" + std::to_string(route->rtm_dst_len));
  }
  return {};
}

// Zero, or an errno. Routes are dumped within the calls: nothing is waited for.
int read_family(std::uint8_t family, std::vector<base::Prefix>& out) {
  NetlinkRequest request(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP);
  rtmsg wanted{};
  wanted.rtm_family = family;
  wanted.rtm_table = RT_TABLE_LOCAL;
  wanted.rtm_type = RTN_LOCAL;
  request.header(wanted);
  const auto question = NetlinkQuestion::ask(NETLINK_ROUTE, request);
  if (!question) return question.error();
  std::array<std::uint8_t, NetlinkQuestion::kReceiveBuffer> buffer{};
  while (true) {
    auto datagram = question->receive(buffer);
    if (!datagram) return datagram.error();
    while (const auto message = next_message(*datagram)) {
      if (const auto end = end_of_answer(*message)) return *end;
      if (const auto prefix = prefix_of(*message)) out.push_back(*prefix);
    }
  }
}

}  // namespace

base::Checked<std::vector<base::Prefix>> local_addresses() {
  std::vector<base::Prefix> prefixes;
  for (const auto family : std::initializer_list<std::uint8_t>{AF_INET, AF_INET6}) {
    const int error = read_family(family, prefixes);
    // A host without addresses of the family may be without its table, or its protocol.
    if (error == 0 || error == ENOENT || error == EOPNOTSUPP || error == EAFNOSUPPORT) continue;
    return base::failure(std::string("the addresses of this host: ") + std::strerror(error));
  }
  return prefixes;
}

}  // namespace sluice::agent
