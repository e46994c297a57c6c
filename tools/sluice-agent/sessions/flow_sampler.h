#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "tools/sluice-agent/sessions/flow_counts.h"
#include "tools/sluice-agent/sessions/flow_reader.h"

namespace sluice::agent {

// Counts the UDP flows to local ports: one list (flow_reader.h) for all services, read on a thread
// of libuv's pool.
class FlowSampler {
 public:
  FlowSampler(uv_loop_t* loop, std::vector<std::uint16_t> ports, base::Duration limit);
  ~FlowSampler();  // a reading under way ends by itself and tells nobody
  FlowSampler(const FlowSampler&) = delete;
  FlowSampler& operator=(const FlowSampler&) = delete;

  // Begins to read the list, unless that is under way or there is no port to count. `own`: the ends
  // of the agent's own checks.
  void sample(base::MonoTime now, std::vector<base::SocketAddress> own);
  bool busy() const noexcept { return work_ != nullptr; }

  // Of several ports together; nothing when the last list failed, or before the first is whole.
  std::optional<FlowCounts::Count> count(std::span<const std::uint16_t> ports) const {
    return counts_.count(ports);
  }
  // Why the numbers are not known and what would be right; empty when they are, or at first.
  const std::string& failure() const noexcept { return failure_; }

 private:
  struct Work;

  void finish(Work& work);

  uv_loop_t* loop_;
  std::unique_ptr<FlowReader> reader_;  // null: it is at work, or there is nothing to read
  Work* work_ = nullptr;                // owned by libuv until it ends
  FlowCounts counts_;
  std::string failure_;
};

}  // namespace sluice::agent
