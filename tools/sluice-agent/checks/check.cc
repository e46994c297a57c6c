#include "tools/sluice-agent/checks/check.h"

#include <utility>

namespace sluice::agent {

Check::Check(uv_loop_t* loop, const config::Check& check, std::function<void(const Check&)> changed)
    : loop_(loop),
      check_(check),
      changed_(std::move(changed)),
      state_({check.rise, check.fall}),
      timer_(loop, [this] { run(); }) {
  timer_.start(base::Duration::zero(), check.interval);
}

std::string Check::subject() const {
  if (const auto* tcp = std::get_if<config::TcpCheck>(&check_.probe)) {
    return "tcp " + tcp->target.to_string();
  }
  return "command " + std::get<config::CommandCheck>(check_.probe).command.front();
}

std::optional<base::SocketAddress> Check::own_connection() const {
  return running_ && probe_ ? probe_->local() : std::nullopt;
}

void Check::run() {
  if (running_) return;  // the time limit is at most the interval: this ends within moments
  if (const auto* tcp = std::get_if<config::TcpCheck>(&check_.probe)) {
    running_ = true;
    probe_ =
        std::make_unique<TcpProbe>(loop_, tcp->target, check_.timeout, [this](const auto& failure) {
          finish(failure.empty(), failure.empty() ? "passed" : failure);
        });
    return;
  }
  if (process_ && !process_->ended()) {
    finish(false, "the last run was killed and has not ended yet");
    return;
  }
  running_ = true;
  process_ = std::make_unique<Process>(loop_, std::get<config::CommandCheck>(check_.probe).command,
                                       check_.timeout, [this](const ProcessResult& result) {
                                         finish(result.passed(),
                                                result.passed() ? "passed" : result.text());
                                       });
}

void Check::finish(bool passed, std::string text) {
  running_ = false;
  last_result_ = std::move(text);
  if (state_.apply(passed) == Transition::Changed) changed_(*this);
}

}  // namespace sluice::agent
