#include "tools/sluice-agent/sessions/netlink.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <linux/netlink.h>
#include <sys/socket.h>

namespace sluice::agent {
namespace {

// Takes `length` octets off, and what fills them up to a multiple of four.
std::span<const std::uint8_t> after(std::span<const std::uint8_t> octets, std::size_t length) {
  return octets.subspan(std::min<std::size_t>(NLMSG_ALIGN(length), octets.size()));
}

}  // namespace

NetlinkRequest::NetlinkRequest(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  this->header(header);
}

void NetlinkRequest::append(std::span<const std::uint8_t> octets) {
  octets_.insert(octets_.end(), octets.begin(), octets.end());
  octets_.resize(NLMSG_ALIGN(octets_.size()));
}

void NetlinkRequest::attribute(std::uint16_t type, std::span<const std::uint8_t> value) {
  const nlattr head{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
  header(head);
  append(value);
}

std::size_t NetlinkRequest::begin_nest(std::uint16_t type) {
  const std::size_t begin = octets_.size();
  header(nlattr{0, static_cast<std::uint16_t>(type | NLA_F_NESTED)});
  return begin;
}

void NetlinkRequest::end_nest(std::size_t begin) {
  const auto length = static_cast<std::uint16_t>(octets_.size() - begin);
  std::memcpy(octets_.data() + begin + offsetof(nlattr, nla_len), &length, sizeof length);
}

std::span<const std::uint8_t> NetlinkRequest::octets() {
  const auto length = static_cast<std::uint32_t>(octets_.size());
  std::memcpy(octets_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
  return octets_;
}

std::optional<NetlinkPart> next_message(std::span<const std::uint8_t>& datagram) {
  nlmsghdr header{};
  if (datagram.size() < sizeof header) return {};
  std::memcpy(&header, datagram.data(), sizeof header);
  if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) return {};
  const NetlinkPart message{header.nlmsg_type, header.nlmsg_flags,
                            datagram.subspan(sizeof header, header.nlmsg_len - sizeof header)};
  datagram = after(datagram, header.nlmsg_len);
  return message;
}

std::optional<NetlinkPart> next_attribute(std::span<const std::uint8_t>& attributes) {
  nlattr header{};
  if (attributes.size() < sizeof header) return {};
  std::memcpy(&header, attributes.data(), sizeof header);
  if (header.nla_len < sizeof header || header.nla_len > attributes.size()) return {};
  const NetlinkPart attribute{static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK), 0,
                              attributes.subspan(sizeof header, header.nla_len - sizeof header)};
  attributes = after(attributes, header.nla_len);
  return attribute;
}

std::optional<int> end_of_answer(const NetlinkPart& message) {
  if (message.type != NLMSG_DONE && message.type != NLMSG_ERROR) return {};
  // Both start with it, zero or negative.
  return -message.start<std::int32_t>().value_or(0);
}

base::Result<NetlinkQuestion, int> NetlinkQuestion::ask(int family, NetlinkRequest& request) {
  NetlinkQuestion question(
      base::FileDescriptor(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, family)));
  if (question.fd() < 0) return base::Unexpected{errno};
  // Dumps of routes are filtered by the kernel only for those who ask strictly (Linux 4.20).
  const int on = 1;
  setsockopt(question.fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const auto octets = request.octets();
  if (sendto(question.fd(), octets.data(), octets.size(), 0,
             reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0) {
    return base::Unexpected{errno};
  }
  return question;
}

base::Result<std::span<const std::uint8_t>, int> NetlinkQuestion::receive(
    std::span<std::uint8_t> buffer) const {
  while (true) {
    sockaddr_nl from{};
    socklen_t length = sizeof from;
    const ssize_t count = recvfrom(fd(), buffer.data(), buffer.size(), MSG_TRUNC,
                                   reinterpret_cast<sockaddr*>(&from), &length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::Unexpected{errno};
    if (count == 0) return base::Unexpected{EIO};
    if (static_cast<std::size_t>(count) > buffer.size()) return base::Unexpected{ENOBUFS};
    if (from.nl_pid != 0) continue;  // not the kernel
    return std::span<const std::uint8_t>(buffer).first(static_cast<std::size_t>(count));
  }
}

}  // namespace sluice::agent
