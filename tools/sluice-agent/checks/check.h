#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <uv.h>

#include "config/agent_model.h"
#include "tools/sluice-agent/checks/check_state.h"
#include "tools/sluice-agent/checks/probe.h"
#include "tools/sluice-agent/process.h"
#include "tools/sluice-agent/timer.h"

namespace sluice::agent {

// A check that runs by itself: at once, then every interval, never twice at the same time.
class Check {
 public:
  // Called from the loop when the status has changed.
  Check(uv_loop_t* loop, const config::Check& check, std::function<void(const Check&)> changed);

  CheckStatus status() const noexcept { return state_.status(); }
  // What is checked: "tcp 127.0.0.1@5060", "command /usr/lib/sluice/check-call-park".
  std::string subject() const;
  // What the last run said: "passed", "connection refused"; empty before the first.
  const std::string& last_result() const noexcept { return last_result_; }
  // The agent's end of a connection that the check has open now, or, over UDP, of its last one.
  std::optional<base::SocketAddress> own_connection() const;

 private:
  void run();
  void run_command(const config::CommandCheck& check);
  std::unique_ptr<Probe> make_probe(Probe::Done done) const;
  void finish(bool passed, std::string text);

  uv_loop_t* loop_;
  config::Check check_;
  std::function<void(const Check&)> changed_;
  CheckState state_;
  std::string last_result_;
  std::unique_ptr<Probe> probe_;
  std::unique_ptr<Process> process_;
  bool running_ = false;
  Timer timer_;
};

}  // namespace sluice::agent
