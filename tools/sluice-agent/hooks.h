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
#include "config/base/timer.h"
#include "tools/sluice-agent/host_state.h"
#include "tools/sluice-agent/process.h"

namespace sluice::agent {

// Runs a service's on_hold when the authority says that it has become held, and on_resume when it
// is held no longer: each change once, one run of a service at a time, in order.
//
// The run is on disk before it starts, so that a restart of the agent does not repeat one that has
// ended well; one that the agent's end cut short counts as failed. A hook that failed is run again
// while its hold, or its absence, stands: until then the service may still refuse what it should
// take, or take what it should refuse. So a hook must bear to be run twice. The outcome is pushed.
class Hooks {
 public:
  // Between the runs of a hook that fails, doubled from the first to the last: what it asks may be
  // starting; what stays broken shall not fill the log.
  static constexpr base::Duration kFirstPause = std::chrono::seconds(10);
  static constexpr base::Duration kLongestPause = std::chrono::minutes(5);

  // `changed`: a record of `state` has changed; it is to be written to disk, and pushed.
  // `services` outlive this; `first_pause` is shorter in tests.
  Hooks(uv_loop_t* loop, const std::vector<config::AgentService>& services, HostState& state,
        std::function<void()> changed, base::Duration first_pause = kFirstPause);

  void on_held(const std::string& service, bool held);

  // For the heartbeat; nothing when the service has no hook for its present hold.
  std::optional<health::HookOutcome> outcome(std::string_view service) const;

 private:
  struct Service {
    config::Hook on_hold;
    config::Hook on_resume;
    bool wanted = false;  // held, as last heard
    std::unique_ptr<Process> process;
    bool running = false;
    base::Duration pause{0};
    std::unique_ptr<base::Timer> again;  // runs out when a hook that failed is due again
  };

  bool failed(const std::string& service) const;
  void advance(const std::string& name, Service& service);
  void start(const std::string& name, Service& service, bool held);
  void finish(const std::string& name, Service& service, const ProcessResult& result);

  uv_loop_t* loop_;
  HostState& state_;
  std::function<void()> changed_;
  base::Duration first_pause_;
  std::map<std::string, Service, std::less<>> services_;
};

}  // namespace sluice::agent
