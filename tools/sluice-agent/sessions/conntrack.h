#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/base/address.h"
#include "tools/sluice-agent/sessions/netlink.h"

namespace sluice::agent {

// A UDP flow as the kernel's connection tracking knows it, by its first packet.
struct Flow {
  base::SocketAddress source;
  base::SocketAddress destination;  // before any translation of addresses
  std::uint32_t id = 0;             // of its entry, while that lives
  bool answered = false;            // packets were seen both ways

  friend bool operator==(const Flow&, const Flow&) = default;
};

// Asks for the answered UDP flows of AF_INET or AF_INET6. The kernel chooses by protocol, port (if
// there is just one) and answer as far as it is able to (protocol and port Linux 5.8, answer 5.15);
// who asks looks again.
NetlinkRequest flows_request(std::uint8_t family, std::span<const std::uint16_t> ports);

// The same without a choice, for a kernel that refuses to choose.
NetlinkRequest all_flows_request(std::uint8_t family);

// Asks for the flow whose first packet went from the one to the other, of the same family.
NetlinkRequest flow_request(const base::SocketAddress& source,
                            const base::SocketAddress& destination);

// The flow that a message tells of; nothing: it is of another kind, or of another protocol.
std::optional<Flow> flow_of(const NetlinkPart& message);

}  // namespace sluice::agent
