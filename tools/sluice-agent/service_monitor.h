#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <uv.h>

#include "config/agent_model.h"
#include "health/heartbeat.h"
#include "tools/sluice-agent/checks/check.h"
#include "tools/sluice-agent/log.h"
#include "tools/sluice-agent/pid_instance.h"
#include "tools/sluice-agent/sessions/counter.h"
#include "tools/sluice-agent/sessions/flow_sampler.h"
#include "tools/sluice-agent/sessions/port_sampler.h"
#include "tools/sluice-agent/systemd/unit_watcher.h"

namespace sluice::agent {

// What the agent sees of one service of its host: health, instance, sessions.
//
// What it does not know it leaves unsaid. The health of a service is not known before each of its
// checks has had a result and systemd has told of each of its units: until then the service is not
// pushed, and the authority keeps what it knew. Sessions are not known when one counter is not.
class ServiceMonitor {
 public:
  struct World {
    uv_loop_t* loop;
    const UnitWatcher& units;
    const PortSampler& ports;
    const FlowSampler& flows;
    const base::Clock& clock;
    LogLimit& log;
    std::function<void()> changed;  // health or instance is not what it was
    base::Duration heartbeat{0};
  };

  ServiceMonitor(const config::AgentService& service, World world);

  // Reads the pid file; calls `changed` when it says something else than before.
  void look_at_process();
  // The same for what systemd has told of the units.
  void look_at_units();
  // Starts the readings of the counters that are read one by one. It and the pid file's: once a
  // heartbeat.
  void read_counters();

  // Without the host's pause and the hook. Nothing: the health is not known.
  std::optional<health::ServiceReport> report() const;

  // The agent's ends of connections that its checks and counters have open.
  void add_own_connections(std::vector<base::SocketAddress>& own) const;
  // For `sluice-agent status`.
  nlohmann::json checks_status() const;
  nlohmann::json units_status() const;

 private:
  // Of the units or the pid file; nothing to say against it: Up.
  std::optional<health::Health> process_health() const;
  std::optional<health::Health> checks_health() const;
  std::optional<health::Health> health() const;
  void count_sessions(health::ServiceReport& report) const;
  std::optional<std::uint64_t> count(const config::SessionCounter& counter,
                                     health::ServiceReport& report) const;
  void note_newest(std::optional<base::MonoTime> newest, health::ServiceReport& report) const;
  std::unique_ptr<Counter> make_counter(const config::SessionCounter& counter) const;
  void on_check(const Check& check) const;

  config::AgentService service_;
  World world_;
  std::vector<std::unique_ptr<Check>> checks_;
  std::map<std::string, std::unique_ptr<Counter>, std::less<>> counters_;
  UnitsVerdict units_;
  PidInstance process_;
  unsigned unsure_ = 0;  // looks in a row that could not tell
};

}  // namespace sluice::agent
