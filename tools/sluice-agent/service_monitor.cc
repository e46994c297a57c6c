#include "tools/sluice-agent/service_monitor.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "tools/sluice-agent/sessions/command_counter.h"
#include "tools/sluice-agent/sessions/file_counter.h"
#include "tools/sluice-agent/sessions/http_counter.h"

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

}  // namespace

ServiceMonitor::ServiceMonitor(const config::AgentService& service, World world)
    : service_(service), world_(std::move(world)) {
  for (const config::Check& check : service_.checks) {
    checks_.push_back(std::make_unique<Check>(world_.loop, check, world_.clock,
                                              [this](const Check& changed) { on_check(changed); }));
  }
  if (service_.sessions) {
    for (const config::SessionCounter& counter : *service_.sessions) {
      if (auto made = make_counter(counter)) counters_[counter.name] = std::move(made);
    }
  }
  if (!service_.pid_file.empty()) process_ = read_pid_instance(service_.pid_file);
}

// Null: it is counted together with those of the other services.
std::unique_ptr<Counter> ServiceMonitor::make_counter(const config::SessionCounter& counter) const {
  const base::Duration limit = counter_limit(world_.heartbeat);
  if (const auto* source = std::get_if<config::CommandCount>(&counter.source)) {
    return std::make_unique<CommandCounter>(world_.loop, source->command, limit);
  }
  if (const auto* source = std::get_if<config::HttpMetric>(&counter.source)) {
    return std::make_unique<HttpCounter>(world_.loop, *source, limit);
  }
  if (const auto* source = std::get_if<config::FileCount>(&counter.source)) {
    return std::make_unique<FileCounter>(*source, world_.clock);
  }
  return nullptr;
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

void ServiceMonitor::look_at_units() {
  std::vector<UnitState> states;
  for (const std::string& unit : service_.units) states.push_back(world_.units.state(unit));
  UnitsVerdict seen = judge_units(states);
  if (seen == units_) return;
  units_ = std::move(seen);
  world_.changed();
}

void ServiceMonitor::read_counters() {
  const base::MonoTime now = world_.clock.now().mono;
  for (const auto& [name, counter] : counters_) counter->read(now);
}

std::optional<health::Health> ServiceMonitor::process_health() const {
  if (!service_.units.empty()) {
    switch (units_.health) {
      case UnitsVerdict::Health::Up:
        return health::Health::Up;
      case UnitsVerdict::Health::Down:
        return health::Health::Down;
      case UnitsVerdict::Health::Stopped:
        return health::Health::Stopped;
      case UnitsVerdict::Health::Unknown:
        break;
    }
    return {};
  }
  if (!service_.pid_file.empty()) {
    if (process_.state == PidInstance::State::Stopped) return health::Health::Stopped;
    // A pid file that cannot be read says nothing: the checks decide, where there are any.
    if (process_.state == PidInstance::State::Unknown && checks_.empty()) return {};
  }
  return health::Health::Up;
}

std::optional<health::Health> ServiceMonitor::checks_health() const {
  if (checks_.empty()) return health::Health::Up;
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

std::optional<health::Health> ServiceMonitor::health() const {
  const auto process = process_health();
  return process == health::Health::Up ? checks_health() : process;
}

std::optional<health::ServiceReport> ServiceMonitor::report() const {
  const auto known = health();
  if (!known) return {};
  health::ServiceReport report;
  report.health = *known;
  if (process_.state == PidInstance::State::Running) report.instance = process_.instance;
  if (!units_.instance.empty()) report.instance = units_.instance;
  // What nothing tells apart within a boot (a mount has no invocation) is told apart by the boot at
  // least, so that a hold with startup automatic does not outlive it.
  const bool tells = !service_.pid_file.empty() || report.health == health::Health::Stopped;
  if (!report.instance && !tells) report.instance = "boot";
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
    note_newest(seen->newest, report);
    return seen->connections;
  }
  if (const auto* udp = std::get_if<config::UdpFlows>(&counter.source)) {
    const auto seen = world_.flows.count(udp->ports);
    if (!seen) return {};
    note_newest(seen->newest, report);
    return seen->flows;
  }
  const auto found = counters_.find(counter.name);
  if (found == counters_.end()) return {};
  const Counter& source = *found->second;
  if (!source.failure().empty()) {
    world_.log.warn("count " + service_.name + " " + counter.name, world_.clock.now().mono,
                    service_.name + ": sessions are not known: " + counter.name + ": " +
                        printable(source.failure()));
  }
  note_newest(source.newest(), report);
  return source.count();
}

// The latest of all counters is the service's.
void ServiceMonitor::note_newest(std::optional<base::MonoTime> newest,
                                 health::ServiceReport& report) const {
  if (!newest) return;
  const auto ago = std::chrono::floor<base::Duration>(world_.clock.now().mono - *newest);
  const auto before = report.last_new_connection.value_or(ago);
  report.last_new_connection = std::max(base::Duration::zero(), std::min(ago, before));
}

void ServiceMonitor::add_own_connections(std::vector<base::SocketAddress>& own) const {
  for (const auto& check : checks_) {
    check->add_own_ends(world_.clock.now().mono, own);
  }
  for (const auto& [name, counter] : counters_) {
    const auto ends = counter->own_connections();
    own.insert(own.end(), ends.begin(), ends.end());
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

nlohmann::json ServiceMonitor::units_status() const {
  auto list = nlohmann::json::array();
  for (const std::string& unit : service_.units) {
    list.push_back({{"unit", unit}, {"state", world_.units.state(unit).text()}});
  }
  return list;
}

}  // namespace sluice::agent
