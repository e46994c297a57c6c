#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "config/base/address.h"
#include "config/base/clock.h"
#include "tools/sluice-agent/sessions/conntrack.h"

namespace sluice::agent {

// The flows to local ports in one list of the kernel's: pure.
//
// A flow counts when it was sent to one of the ports at an address of this host and was answered:
// what nobody answers is no session, and a scanner or a forged packet must not keep a server from
// being stopped. Whether it is old enough to be ASSURED does not matter: a call is one from its
// first answer on. It ends when the kernel forgets it, some time after its last packet (30 s to
// 2 min by default, nf_conntrack_udp_timeout and its _stream): late, never early.
class FlowList {
 public:
  // 32 bits of a flow's name are the kernel's, which may use them again for another flow; the rest
  // tells who sent it.
  struct Key {
    std::uint64_t flow = 0;
    std::uint16_t port = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  // `own` are the ends of the agent's own checks, which are nobody's sessions.
  FlowList(std::vector<std::uint16_t> ports, std::vector<base::Prefix> local,
           std::vector<base::SocketAddress> own = {});

  void add(const Flow& flow);
  std::size_t size() const noexcept { return keys_.size(); }
  // Whether there are flows of the family that count, or are our own.
  bool any(bool v4) const noexcept { return v4 ? any_v4_ : any_v6_; }
  // All that were added, ascending; one that was added twice is there once.
  std::vector<Key> take();

 private:
  bool is_local(const base::IpAddress& address);

  std::vector<std::uint16_t> ports_;  // ascending
  std::vector<base::Prefix> local_;
  std::vector<base::SocketAddress> own_;
  std::optional<base::IpAddress> last_local_;  // the answer for most flows
  std::vector<Key> keys_;
  bool any_v4_ = false;
  bool any_v6_ = false;
};

// What one list after the other says of the ports: pure.
class FlowCounts {
 public:
  struct Count {
    std::uint64_t flows = 0;
    // When the list was begun that first showed a flow that the one before did not. Nothing without
    // a list before it: what is there at first may be old.
    std::optional<base::MonoTime> newest;
  };

  // A whole list, as FlowList::take() gives it.
  void take(std::vector<FlowList::Key> list, base::MonoTime begun);
  // There is no whole list: the numbers are not known any more.
  void lose();

  // Of several ports together; nothing while not known.
  std::optional<Count> count(std::span<const std::uint16_t> ports) const;

 private:
  std::vector<FlowList::Key> list_;  // the last one
  std::map<std::uint16_t, Count> counts_;
  bool known_ = false;
};

}  // namespace sluice::agent
