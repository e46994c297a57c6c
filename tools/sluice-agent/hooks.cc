#include "tools/sluice-agent/hooks.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "config/base/duration.h"
#include "tools/sluice-agent/log.h"

namespace sluice::agent {
namespace {

constexpr std::string_view kNone = "none";
constexpr std::string_view kRunning = "running";
constexpr std::string_view kFailed = "failed";

std::string_view hook_name(bool held) {
  return held ? "on_hold" : "on_resume";
}

// What the hook had to say, a line of the log each: its administrator looks for it there.
void log_output(const std::string& service, std::string_view hook, const ProcessResult& result) {
  for (std::string_view rest : {std::string_view(result.output), std::string_view(result.errors)}) {
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (!line.empty()) spdlog::info("{}: {} says: {}", service, hook, printable(line));
    }
  }
}

}  // namespace

Hooks::Hooks(uv_loop_t* loop, const std::vector<config::AgentService>& services, HostState& state,
             std::function<void()> changed, base::Duration first_pause)
    : loop_(loop), state_(state), changed_(std::move(changed)), first_pause_(first_pause) {
  for (const config::AgentService& service : services) {
    if (service.on_hold.command.empty() && service.on_resume.command.empty()) continue;
    Service& mine = services_[service.name];
    mine.pause = first_pause_;
    mine.again = std::make_unique<base::Timer>(loop_, [this, &name = service.name, &mine] {
      if (mine.running || !failed(name)) return;
      if (mine.process && !mine.process->ended()) {
        mine.again->start(mine.pause);  // the one that was killed still hangs in the kernel
      } else {
        start(name, mine, mine.wanted);
      }
    });
    mine.on_hold = service.on_hold;
    mine.on_resume = service.on_resume;
    const auto record = state_.services.find(service.name);
    if (record == state_.services.end() || !record->second.hook) continue;
    HookRecord& hook = *record->second.hook;
    mine.wanted = hook.held;
    if (hook.outcome.state == kRunning) {
      hook.outcome = {"failed",
                      std::string(hook_name(hook.held)) + " was cut short by the end of the agent"};
      spdlog::warn("{}: {}", service.name, hook.outcome.text);
    }
    if (failed(service.name)) mine.again->start(mine.pause);
  }
}

void Hooks::on_held(const std::string& service, bool held) {
  const auto found = services_.find(service);
  if (found == services_.end()) return;
  found->second.wanted = held;
  advance(service, found->second);
}

std::optional<health::HookOutcome> Hooks::outcome(std::string_view service) const {
  const auto found = state_.services.find(service);
  if (found == state_.services.end() || !found->second.hook) return {};
  if (!services_.contains(service) || found->second.hook->outcome.state == kNone) return {};
  return found->second.hook->outcome;
}

bool Hooks::failed(const std::string& service) const {
  const auto found = state_.services.find(service);
  return found != state_.services.end() && found->second.hook &&
         found->second.hook->outcome.state == kFailed;
}

void Hooks::advance(const std::string& name, Service& service) {
  if (service.running) return;
  const auto& record = state_.services[name].hook;
  // Nothing on record: the service was never held in this agent's time.
  if (service.wanted == (record ? record->held : false)) return;
  service.pause = first_pause_;
  start(name, service, service.wanted);
}

void Hooks::start(const std::string& name, Service& service, bool held) {
  service.again->stop();
  const config::Hook& hook = held ? service.on_hold : service.on_resume;
  const config::Command& command = hook.command;
  HookRecord& record = state_.services[name].hook.emplace();
  record.held = held;
  record.outcome.state = command.empty() ? kNone : kRunning;
  changed_();
  if (command.empty()) return;
  spdlog::info("{}: running {}: {}", name, hook_name(held), printable(command.front()));
  service.running = true;
  service.process = std::make_unique<Process>(
      loop_, command, hook.timeout,
      [this, name, &service](const ProcessResult& result) { finish(name, service, result); });
}

void Hooks::finish(const std::string& name, Service& service, const ProcessResult& result) {
  service.running = false;
  HookRecord& record = *state_.services[name].hook;
  const std::string text = std::string(hook_name(record.held)) + ": " + result.text();
  record.outcome = {std::string(result.passed() ? "ok" : kFailed), text};
  log_output(name, hook_name(record.held), result);
  if (result.passed()) {
    spdlog::info("{}: {}", name, text);
  } else {
    spdlog::error("{}: {}; it is run again in {}", name, text, base::to_text(service.pause));
    service.again->start(service.pause);
    service.pause = std::min(2 * service.pause, kLongestPause);
  }
  changed_();
  advance(name, service);  // the hold may have changed meanwhile
}

}  // namespace sluice::agent
