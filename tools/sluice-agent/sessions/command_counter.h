#pragma once

#include <memory>

#include <uv.h>

#include "config/agent_model.h"
#include "tools/sluice-agent/process.h"
#include "tools/sluice-agent/sessions/counter.h"

namespace sluice::agent {

// A number that a command prints. Not known when a run fails, prints something else or meets its
// time limit.
class CommandCounter final : public Counter {
 public:
  CommandCounter(uv_loop_t* loop, config::Command command, base::Duration limit);

  void read(base::MonoTime now) override;

 private:
  uv_loop_t* loop_;
  config::Command command_;
  base::Duration limit_;
  std::unique_ptr<Process> process_;
};

}  // namespace sluice::agent
