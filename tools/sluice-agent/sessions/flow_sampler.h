#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/uv_handle.h"
#include "tools/sluice-agent/sessions/flow_counts.h"
#include "tools/sluice-agent/sessions/netlink.h"
#include "tools/sluice-agent/sessions/tracking_probe.h"
#include "tools/sluice-agent/timer.h"

namespace sluice::agent {

// Counts the UDP flows to local ports (flow_counts.h) by the kernel's connection tracking: one list
// for all services. It needs CAP_NET_ADMIN and a firewall that tracks; without them nothing is
// known, which is never zero.
//
// The list is read in slices between whatever else the loop has to do, and within `limit`.
class FlowSampler {
 public:
  // More flows are said to be too many rather than kept: 16 octets each, twice. It is four times
  // what the kernel has room for by default (nf_conntrack_max, 2^18).
  static constexpr std::size_t kMaxFlows = 1U << 20U;

  FlowSampler(uv_loop_t* loop, std::vector<std::uint16_t> ports, base::Duration limit);
  FlowSampler(const FlowSampler&) = delete;
  FlowSampler& operator=(const FlowSampler&) = delete;

  // Begins to read the list, unless that is under way or there is no port to count.
  void sample(base::MonoTime now);
  bool busy() const noexcept { return question_.has_value(); }

  // Of several ports together; nothing when the last list failed, or before the first is whole.
  std::optional<FlowCounts::Count> count(std::span<const std::uint16_t> ports) const {
    return counts_.count(ports);
  }
  // Why the numbers are not known and what would be right; empty when they are, or at first.
  const std::string& failure() const noexcept { return failure_; }

 private:
  struct Family {
    std::uint8_t number;  // AF_INET, AF_INET6
    const char* name;
    TrackingProbe probe;
    TrackingProbe::Tracking tracking = TrackingProbe::Tracking::Off;
  };

  int probe();
  void ask(NetlinkRequest request);
  void read_slice();
  // Nothing: there is more of the answer.
  std::optional<int> read(std::span<const std::uint8_t> datagram);
  void finish_family(int error);
  void finish();
  void fail(std::string why);
  void stop();

  uv_loop_t* loop_;
  std::vector<std::uint16_t> ports_;
  base::Duration limit_;
  FlowCounts counts_;
  std::vector<Family> families_;
  std::size_t family_ = 0;  // of the list under way
  bool chosen_ = true;      // by the kernel: false once it refused to
  std::vector<std::uint8_t> buffer_;
  std::optional<NetlinkQuestion> question_;
  base::UvHandle<uv_poll_t> poll_;  // before its socket is closed
  Timer guard_;
  std::string failure_;
};

}  // namespace sluice::agent
