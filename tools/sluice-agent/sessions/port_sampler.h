#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "tools/sluice-agent/sessions/sock_diag.h"

namespace sluice::agent {

// Counts the established connections on local ports: one question to the kernel for all services.
class PortSampler {
 public:
  struct Count {
    std::uint64_t connections = 0;
    // When a sample first showed a connection that the one before did not: at most one sample
    // later than it came. Nothing before two in a row: what was there at first may be old.
    std::optional<base::MonoTime> newest;
  };

  explicit PortSampler(std::vector<std::uint16_t> ports) : ports_(std::move(ports)) {}

  // Asks the kernel. `own` are the ends of the agent's own checks, which are nobody's sessions.
  base::Checked<base::Done> sample(base::MonoTime now, std::span<const base::SocketAddress> own);
  // The same with a list at hand.
  void take(std::span<const Connection> connections, base::MonoTime now,
            std::span<const base::SocketAddress> own);
  // The numbers are not known any more. What is there after that may be old: it came before the
  // next sample, nobody knows when.
  void lose() noexcept { known_ = false; }

  // Of several ports together; nothing when the last sample failed or there was none.
  std::optional<Count> count(std::span<const std::uint16_t> ports) const;

 private:
  std::vector<std::uint16_t> ports_;
  std::map<std::uint16_t, Count> counts_;
  std::vector<std::uint64_t> cookies_;  // of the last good sample, ascending
  bool known_ = false;
};

}  // namespace sluice::agent
