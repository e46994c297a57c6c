#include "tools/sluice-agent/drain_and_wait.h"

#include <utility>

#include "config/base/duration.h"

namespace sluice::agent {
namespace {

// Without the numbers, which change each second.
std::string shape_of(const std::string& text) {
  std::string shape;
  for (const char c : text) {
    if (c < '0' || c > '9') shape += c;
  }
  return shape;
}

}  // namespace

DrainAndWait::DrainAndWait(ControlRequest pause, std::optional<base::Duration> limit, World world)
    : pause_(std::move(pause)), limit_(limit), world_(std::move(world)) {
  pause_.command = ControlRequest::Command::Pause;
  pause_.force = true;
}

ControlAnswer DrainAndWait::run() {
  const auto start = world_.clock.now().mono;
  ControlAnswer paused = pause();
  // By force it stands, though the authority has not confirmed it in time: the verdict tells when.
  if (paused.exit != ExitCode::Done && paused.exit != ExitCode::TimedOut) return paused;
  world_.say(paused.text);
  while (true) {
    const auto text = against();
    if (!text) return {ExitCode::NoAuthority, text.error().message, {}};
    if (text->empty())
      return {ExitCode::Done, pause_.service.value_or("it") + " is safe to stop", {}};
    if (limit_ && world_.clock.now().mono - start >= *limit_) {
      return {ExitCode::TimedOut, "not safe after " + base::to_text(*limit_) + ": " + *text, {}};
    }
    say_sometimes(*text);
    world_.sleep(kLook);
  }
}

ControlAnswer DrainAndWait::pause() {
  while (true) {
    ControlAnswer answer = world_.ask(pause_);
    if (answer.exit != ExitCode::NoAuthority || !may_return(answer)) return answer;
    say_sometimes(answer.text);
    world_.sleep(kLook);
  }
}

bool DrainAndWait::may_return(const ControlAnswer& answer) {
  if (answer.exit != ExitCode::NoAuthority) {
    gone_since_.reset();
    return true;
  }
  const auto now = world_.clock.now().mono;
  if (!gone_since_) gone_since_ = now;
  return now - *gone_since_ < kGone;
}

// An authority that does not answer may come back, and so may the agent for a while.
base::Checked<std::string> DrainAndWait::against() {
  ControlRequest question;
  question.command = ControlRequest::Command::Verdict;
  question.service = pause_.service;
  const ControlAnswer answer = world_.ask(question);
  if (!may_return(answer)) return base::failure(answer.text);
  if (!answer.status.is_object()) return "no verdict: " + answer.text;
  if (answer.status.value("safe_to_stop", false)) return std::string();
  std::string text;
  for (const auto& reason : answer.status.value("reasons", nlohmann::json::array())) {
    text += (text.empty() ? "" : "; ") + reason.get<std::string>();
  }
  return text.empty() ? "the verdict is not safe" : text;
}

void DrainAndWait::say_sometimes(const std::string& text) {
  const auto now = world_.clock.now().mono;
  const std::string shape = shape_of(text);
  if (shape == said_ && now - said_at_ < kSayAgain) return;
  said_ = shape;
  said_at_ = now;
  world_.say("waiting: " + text);
}

}  // namespace sluice::agent
