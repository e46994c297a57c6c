#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <uv.h>

#include "config/agent_model.h"
#include "config/base/clock.h"
#include "config/base/timer.h"
#include "tools/sluice-agent/checks/check_state.h"
#include "tools/sluice-agent/checks/probe.h"
#include "tools/sluice-agent/process.h"

namespace sluice::agent {

// A check that runs by itself: at once, then every interval, never twice at the same time.
class Check {
 public:
  // Called from the loop when the status has changed.
  Check(uv_loop_t* loop, const config::Check& check, const base::Clock& clock,
        std::function<void(const Check&)> changed);

  CheckStatus status() const noexcept { return state_.status(); }
  // What is checked: "tcp 127.0.0.1@5060", "command /usr/lib/sluice/check-call-park".
  std::string subject() const;
  // What the last run said: "passed", "connection refused"; empty before the first.
  const std::string& last_result() const noexcept { return last_result_; }
  // For so long after its last packet the kernel may remember a flow of UDP: its default for those
  // that are answered (nf_conntrack_udp_timeout_stream, 2 min), and some more.
  static constexpr std::chrono::seconds kFlowRemembered{180};

  // The agent's ends of connections that the check has open now, and of flows that the kernel may
  // still know.
  void add_own_ends(base::MonoTime now, std::vector<base::SocketAddress>& own) const;

 private:
  void run();
  void run_command(const config::CommandCheck& check);
  std::unique_ptr<Probe> make_probe(Probe::Done done) const;
  bool is_flow() const;
  void remember_flow();
  void finish(bool passed, std::string text);

  uv_loop_t* loop_;
  config::Check check_;
  const base::Clock& clock_;
  std::function<void(const Check&)> changed_;
  CheckState state_;
  std::string last_result_;
  std::unique_ptr<Probe> probe_;
  struct Flow {
    base::SocketAddress end;
    base::MonoTime last;  // when it was used
  };
  std::vector<Flow> flows_;
  std::unique_ptr<Process> process_;
  bool running_ = false;
  base::Timer timer_;
};

}  // namespace sluice::agent
