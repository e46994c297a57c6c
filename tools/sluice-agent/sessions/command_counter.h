#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <uv.h>

#include "config/agent_model.h"
#include "config/base/error.h"
#include "tools/sluice-agent/process.h"

namespace sluice::agent {

// One whole number 0..2^53-1, which JSON carries exactly, with nothing but blanks around it.
base::Checked<std::uint64_t> parse_count(std::string_view text);

// A session counter that a command prints. Not known until the first run has ended, and again when
// a run fails, prints something else or meets its time limit.
class CommandCounter {
 public:
  CommandCounter(uv_loop_t* loop, config::Command command, base::Duration limit);

  // Starts a run, unless one is under way.
  void run();

  std::optional<std::uint64_t> count() const noexcept { return count_; }
  // Why the count is not known; empty when it is, or before the first run has ended.
  const std::string& failure() const noexcept { return failure_; }

 private:
  void finish(const ProcessResult& result);

  uv_loop_t* loop_;
  config::Command command_;
  base::Duration limit_;
  std::unique_ptr<Process> process_;
  std::optional<std::uint64_t> count_;
  std::string failure_;
};

}  // namespace sluice::agent
