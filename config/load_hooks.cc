// What the agent runs for a service: commands, and the hooks of a hold.

#include "config/agent_blocks.h"
#include "config/files.h"
#include "config/mapping.h"

namespace sluice::config {

using namespace std::chrono_literals;

Command read_command(const Value& value, const AgentReading& reading) {
  Command command;
  const std::size_t before = value.findings().size();
  if (value.kind() == Document::Kind::Scalar) {
    value.reject(R"(must be a list: ["/path/to/program", "argument"]; no shell splits it)");
    return command;
  }
  value.each([&](const Value& item) {
    if (const auto text = item.text()) command.emplace_back(*text);
  });
  if (value.findings().size() > before) return command;
  if (command.empty()) {
    value.reject("must have at least the program to run");
  } else if (command.front().find('/') != std::string::npos) {
    // Only a name without a slash is looked up in PATH (execvp(3)).
    command.front() = resolve(reading.folder, command.front());
  }
  return command;
}

// [PROGRAM, ARGUMENT...], or {command: [...], timeout: DURATION}.
Hook read_hook(const Value& value, const AgentReading& reading) {
  Hook hook;
  if (value.kind() != Document::Kind::Mapping) {
    hook.command = read_command(value, reading);
    return hook;
  }
  Mapping block(value);
  if (const auto command = block.require("command", "[PROGRAM, ARGUMENT...], what to run")) {
    hook.command = read_command(*command, reading);
  }
  block.read("timeout", hook.timeout, 100ms, 10min);
  return hook;
}

}  // namespace sluice::config
