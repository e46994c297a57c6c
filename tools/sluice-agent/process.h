#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <uv.h>

#include "config/agent_model.h"
#include "config/base/timer.h"

namespace sluice::agent {

// How a command ended.
struct ProcessResult {
  enum class End : std::uint8_t { Exited, Signalled, TimedOut, NotStarted };
  End end = End::NotStarted;
  int code = 0;        // exit status, signal, or the error (negative) of the start
  std::string output;  // of standard output, the first Process::kMaxOutput octets
  std::string errors;  // of standard error, likewise

  bool passed() const noexcept { return end == End::Exited && code == 0; }
  // "exit status 2: cannot connect", "killed at its time limit"; one line.
  std::string text() const;
};

// One run of a command: no shell, no standard input, a session (and so a process group) of its own.
// At the time limit the whole group is killed. It never blocks the loop.
class Process {
 public:
  // What a check or a counter has to say is a line; the rest is read, so that the command does not
  // block on a full pipe, and dropped.
  static constexpr std::size_t kMaxOutput = 4096;

  using Done = std::function<void(const ProcessResult&)>;

  // `done` is called once, from the loop: at the end of the command, at the time limit (even when
  // the kernel cannot end it yet), or when it could not be started. It may destroy the Process.
  Process(uv_loop_t* loop, const config::Command& command, base::Duration limit, Done done);
  // Kills the group if it still runs; `done` is not called any more.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Whether the command is over and reaped. A command that its time limit killed may take longer
  // (it hangs in the kernel); nobody should start another meanwhile.
  bool ended() const noexcept { return child_ == nullptr; }

 private:
  struct Child;

  void time_out();
  void finish(ProcessResult result);

  Child* child_ = nullptr;  // ends itself when its process has; null from then on
  base::Timer timer_;
  Done done_;
  int start_error_ = 0;
};

}  // namespace sluice::agent
