#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <uv.h>

#include "config/agent_model.h"
#include "tools/sluice-agent/host_state.h"
#include "tools/sluice-agent/process.h"

namespace sluice::agent {

// Runs a service's on_hold when the authority says that it has become held, and on_resume when it
// is held no longer: each change once, one run of a service at a time, in order.
//
// The run is on disk before it starts, so that a restart of the agent does not repeat it; one that
// the agent's end cut short counts as failed. A hook that failed is not tried again: the hold
// stands without it, and the outcome is pushed.
class Hooks {
 public:
  // A service that refuses new connections by itself does so in moments; a hook that hangs must not
  // leave a hold half done for long.
  static constexpr base::Duration kLimit = std::chrono::seconds(10);

  // `changed`: a record of `state` has changed; it is to be written to disk, and pushed.
  Hooks(uv_loop_t* loop, const std::vector<config::AgentService>& services, HostState& state,
        std::function<void()> changed);

  void on_held(const std::string& service, bool held);

  // For the heartbeat; nothing when the service has no hook for its present hold.
  std::optional<health::HookOutcome> outcome(std::string_view service) const;

 private:
  struct Service {
    config::Command on_hold;
    config::Command on_resume;
    bool wanted = false;  // held, as last heard
    std::unique_ptr<Process> process;
    bool running = false;
  };

  void advance(const std::string& name, Service& service);
  void start(const std::string& name, Service& service, bool held);
  void finish(const std::string& name, Service& service, const ProcessResult& result);

  uv_loop_t* loop_;
  HostState& state_;
  std::function<void()> changed_;
  std::map<std::string, Service, std::less<>> services_;
};

}  // namespace sluice::agent
