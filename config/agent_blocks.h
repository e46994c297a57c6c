#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/agent_model.h"
#include "config/value.h"

// The readers of the blocks of agent.yaml, for load_agent.cc alone.
namespace sluice::config {

class Mapping;

struct AgentReading {
  std::string folder;  // relative paths are relative to it
  Findings* warnings;

  // Of what has no effect or is not safe.
  void warn(const Value& value, std::string message) const {
    warnings->add(value.line(), value.path(), std::move(message));
  }
};

AgentService read_agent_service(const Value& value, std::string name, const AgentReading& reading);
// The keys of whoever asks by TLS.
TlsTrust read_trust(Mapping& block, const AgentReading& reading);
void read_check(const Value& value, const AgentReading& reading, std::vector<Check>& out);
Command read_command(const Value& value, const AgentReading& reading);
Hook read_hook(const Value& value, const AgentReading& reading);
std::vector<SessionCounter> read_sessions(const Value& value, const AgentReading& reading);

}  // namespace sluice::config
