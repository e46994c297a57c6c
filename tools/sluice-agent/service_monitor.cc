#include "tools/sluice-agent/service_monitor.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

namespace sluice::agent {
namespace {

std::string_view to_string(CheckStatus status) {
  switch (status) {
    case CheckStatus::Up:
      return "up";
    case CheckStatus::Down:
      return "down";
    case CheckStatus::Unknown:
      break;
  }
  return "unknown";
}

// A file that is being rewritten is whole again at the next look. One that stays unreadable after
// its service stopped may hide that it runs again: then it says nothing any more.
constexpr unsigned kUnsureLooks = 3;

// A count belongs to the present: with the wait for the next push it is never older than the usual
// lease of three heartbeats.
base::Duration counter_limit(base::Duration heartbeat) {
  return 2 * heartbeat;
}

}  // namespace

ServiceMonitor::ServiceMonitor(const config::AgentService& service, World world)
    : service_(service), world_(std::move(world)) {
  for (const config::Check& check : service_.checks) {
    checks_.push_back(std::make_unique<Check>(world_.loop, check,
                                              [this](const Check& changed) { on_check(changed); }));
  }
  if (service_.sessions) {
    for (const config::SessionCounter& counter : *service_.sessions) {
      const auto* source = std::get_if<config::CommandCount>(&counter.source);
      if (source == nullptr) continue;
      counters_[counter.name] = std::make_unique<CommandCounter>(world_.loop, source->command,
                                                                 counter_limit(world_.heartbeat));
    }
  }
  if (!service_.pid_file.empty()) process_ = read_pid_instance(service_.pid_file);
}

bool ServiceMonitor::can_tell_health(const config::AgentService& service) {
  return !service.checks.empty() || !service.pid_file.empty();
}

void ServiceMonitor::on_check(const Check& check) const {
  spdlog::info("{}: {}: {} ({})", service_.name, check.subject(), to_string(check.status()),
               check.last_result());
  world_.changed();
}

void ServiceMonitor::look_at_process() {
  if (service_.pid_file.empty()) return;
  PidInstance seen = read_pid_instance(service_.pid_file);
  if (seen.state == PidInstance::State::Unknown) {
    world_.log.warn("pid " + service_.name, world_.clock.now().mono,
                    service_.name + ": its process cannot be told: " + printable(seen.failure));
  }
  unsure_ = seen.state == PidInstance::State::Unknown ? unsure_ + 1 : 0;
  const bool stopped = process_.state == PidInstance::State::Stopped;
  if (!stopped || unsure_ < kUnsureLooks) seen = follow(process_, std::move(seen));
  const bool changed = seen.state != process_.state || seen.instance != process_.instance;
  process_ = std::move(seen);
  if (!changed) return;
  if (process_.state == PidInstance::State::Stopped) {
    spdlog::info("{}: stopped", service_.name);
  } else if (process_.state == PidInstance::State::Running) {
    spdlog::info("{}: runs as process {}", service_.name, process_.instance);
  }
  world_.changed();
}

void ServiceMonitor::count_by_commands() {
  for (const auto& [name, counter] : counters_) counter->run();
}

std::optional<health::Health> ServiceMonitor::health() const {
  if (!service_.pid_file.empty() && process_.state == PidInstance::State::Stopped) {
    return health::Health::Stopped;
  }
  if (checks_.empty()) {
    if (process_.state == PidInstance::State::Running) return health::Health::Up;
    return {};
  }
  std::vector<CheckStatus> statuses;
  for (const auto& check : checks_) statuses.push_back(check->status());
  switch (combine(statuses)) {
    case CheckStatus::Up:
      return health::Health::Up;
    case CheckStatus::Down:
      return health::Health::Down;
    case CheckStatus::Unknown:
      break;
  }
  return {};
}

std::optional<health::ServiceReport> ServiceMonitor::report() const {
  const auto known = health();
  if (!known) return {};
  health::ServiceReport report;
  report.health = *known;
  if (process_.state == PidInstance::State::Running) report.instance = process_.instance;
  count_sessions(report);
  return report;
}

void ServiceMonitor::count_sessions(health::ServiceReport& report) const {
  if (!service_.sessions) return;
  health::Sessions sessions;
  for (const config::SessionCounter& counter : *service_.sessions) {
    const auto number = count(counter, report);
    if (!number) return;  // one that is not known could be anything: all of it is not known
    sessions.emplace(counter.name, *number);
  }
  report.sessions = std::move(sessions);
}

std::optional<std::uint64_t> ServiceMonitor::count(const config::SessionCounter& counter,
                                                   health::ServiceReport& report) const {
  if (const auto* tcp = std::get_if<config::TcpConnections>(&counter.source)) {
    const auto seen = world_.ports.count(tcp->ports);
    if (!seen) return {};
    if (seen->newest) {
      const auto ago = std::chrono::floor<base::Duration>(world_.clock.now().mono - *seen->newest);
      const auto before = report.last_new_connection.value_or(ago);
      report.last_new_connection = std::max(base::Duration::zero(), std::min(ago, before));
    }
    return seen->connections;
  }
  const auto command = counters_.find(counter.name);
  if (command == counters_.end()) return {};  // a source that this version does not read
  if (!command->second->failure().empty()) {
    world_.log.warn("count " + service_.name + " " + counter.name, world_.clock.now().mono,
                    service_.name + ": sessions are not known: " + counter.name + ": " +
                        printable(command->second->failure()));
  }
  return command->second->count();
}

void ServiceMonitor::add_own_connections(std::vector<base::SocketAddress>& own) const {
  for (const auto& check : checks_) {
    if (const auto end = check->own_connection()) own.push_back(*end);
  }
}

nlohmann::json ServiceMonitor::checks_status() const {
  auto list = nlohmann::json::array();
  for (const auto& check : checks_) {
    list.push_back({{"check", check->subject()},
                    {"status", to_string(check->status())},
                    {"last_result", check->last_result()}});
  }
  return list;
}

}  // namespace sluice::agent
