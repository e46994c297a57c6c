#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "tools/sluice-agent/sessions/flow_counts.h"
#include "tools/sluice-agent/sessions/netlink.h"
#include "tools/sluice-agent/sessions/tracking_probe.h"

namespace sluice::agent {

// Reads the kernel's list of UDP flows to local ports (ctnetlink). It needs CAP_NET_ADMIN and a
// firewall that tracks; without them it says so, for an empty list would be taken for zero.
//
// It takes its time: the kernel walks its whole table within one call, 50 ms when that has 100,000
// flows. Threads: any, one at a time.
class FlowReader {
 public:
  // More flows are said to be too many rather than kept, 16 octets each. It is four times what the
  // kernel has room for by default (nf_conntrack_max, 2^18).
  static constexpr std::size_t kMaxFlows = 1U << 20U;

  // A reading that takes longer than `limit` fails.
  FlowReader(std::vector<std::uint16_t> ports, base::Duration limit);

  // All that count, or why they are not known and what would be right. `own`: as FlowList has it.
  base::Checked<std::vector<FlowList::Key>> read(std::vector<base::SocketAddress> own);

 private:
  struct Family {
    std::uint8_t number;  // AF_INET, AF_INET6
    const char* name;
    TrackingProbe probe;
  };

  // Nothing, or why its flows are not known.
  std::optional<std::string> read_family(Family& family, FlowList& list);
  int dump(NetlinkRequest request, FlowList& list);

  std::vector<std::uint16_t> ports_;
  base::Duration limit_;
  std::vector<Family> families_;
  bool chosen_ = true;  // by the kernel: false once it refused to
  std::vector<std::uint8_t> buffer_;
  base::MonoTime end_;  // of the time for the reading under way
};

}  // namespace sluice::agent
