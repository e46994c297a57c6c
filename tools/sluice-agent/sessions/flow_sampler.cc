#include "tools/sluice-agent/sessions/flow_sampler.h"

#include <array>
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

// Some 1,500 flows, which take about a millisecond.
constexpr int kDatagramsOfASlice = 8;

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

FlowSampler::FlowSampler(uv_loop_t* loop, std::vector<std::uint16_t> ports, base::Duration limit)
    : loop_(loop), ports_(std::move(ports)), limit_(limit), counts_(ports_), guard_(loop, [this] {
        fail("the kernel's list of UDP flows took longer than " + base::to_text(limit_));
      }) {
  families_.push_back({AF_INET, "IPv4", TrackingProbe(*base::IpAddress::parse("127.0.0.1"))});
  families_.push_back({AF_INET6, "IPv6", TrackingProbe(*base::IpAddress::parse("::1"))});
}

void FlowSampler::sample(base::MonoTime now) {
  if (ports_.empty() || busy()) return;
  if (const int error = probe(); error != 0) return fail(reason(error));
  auto local = local_addresses();
  if (!local) return fail(local.error().message);
  counts_.begin(now, *std::move(local));
  buffer_.resize(NetlinkQuestion::kReceiveBuffer);
  family_ = 0;
  guard_.start(limit_);
  const std::uint8_t first = families_.front().number;
  ask(chosen_ ? flows_request(first, ports_) : all_flows_request(first));
}

int FlowSampler::probe() {
  for (Family& family : families_) {
    const auto tracking = family.probe.look();
    if (!tracking) return tracking.error();
    family.tracking = *tracking;
  }
  return 0;
}

void FlowSampler::ask(NetlinkRequest request) {
  poll_.reset();
  question_.reset();
  auto question = NetlinkQuestion::ask(NETLINK_NETFILTER, request);
  if (!question) return fail(reason(question.error()));
  question_ = *std::move(question);
  auto* poll = new uv_poll_t;
  if (const int error = uv_poll_init(loop_, poll, question_->fd()); error != 0) {
    delete poll;
    return fail(reason(-error));
  }
  poll->data = this;
  poll_.reset(poll);
  uv_poll_start(poll, UV_READABLE, [](uv_poll_t* handle, int, int) {
    static_cast<FlowSampler*>(handle->data)->read_slice();
  });
}

void FlowSampler::read_slice() {
  for (int i = 0; i < kDatagramsOfASlice; ++i) {
    const auto datagram = question_->receive(buffer_);
    if (!datagram && datagram.error() == EAGAIN) return;
    const auto end = datagram ? read(*datagram) : std::optional<int>(datagram.error());
    if (end) return finish_family(*end);
  }
}

std::optional<int> FlowSampler::read(std::span<const std::uint8_t> datagram) {
  while (const auto message = next_message(datagram)) {
    if (const auto end = end_of_answer(*message)) return end;
    if (const auto flow = flow_of(*message)) counts_.add(*flow);
  }
  if (counts_.size() > kMaxFlows) return E2BIG;
  return {};
}

void FlowSampler::finish_family(int error) {
  Family& family = families_[family_];
  // A kernel that does not choose by these attributes ignores them or refuses all of it.
  if ((error == EOPNOTSUPP || error == EINVAL) && std::exchange(chosen_, false)) {
    return ask(all_flows_request(family.number));
  }
  if (error != 0) return fail(reason(error));
  // Flows of others show it as well as our own, where a rule exempts the loopback.
  if (family.tracking == Tracking::Off && !counts_.any(family.number == AF_INET)) {
    return fail(std::string("the kernel tracks no UDP flows of ") + family.name +
                ": a rule of the firewall must need it, such as \"ct state established accept\" "
                "of nftables");
  }
  ++family_;
  if (family_ == families_.size()) return finish();
  const std::uint8_t next = families_[family_].number;
  ask(chosen_ ? flows_request(next, ports_) : all_flows_request(next));
}

void FlowSampler::finish() {
  stop();
  counts_.end();
  failure_.clear();
}

void FlowSampler::fail(std::string why) {
  stop();
  counts_.lose();
  failure_ = std::move(why);
}

void FlowSampler::stop() {
  guard_.stop();
  poll_.reset();
  question_.reset();
  buffer_ = {};
}

}  // namespace sluice::agent
