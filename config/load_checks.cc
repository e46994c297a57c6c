// One service of the agent: its checks and hooks.

#include <algorithm>

#include "config/agent_blocks.h"
#include "config/files.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

std::optional<Check> read_probe(Mapping& block, const AgentReading& reading) {
  const auto tcp = block.find("tcp");
  const auto command = block.find("command");
  const std::size_t before = block.value().findings().size();
  for (const char* later : {"http", "tls", "sip"}) block.refuse(later);
  if (block.value().findings().size() > before) return {};
  if (tcp.has_value() == command.has_value()) {
    block.value().reject("needs one of tcp: ADDRESS@PORT and command: [PROGRAM, ARGUMENT...]");
    return {};
  }
  Check check;
  if (command) {
    check.probe = CommandCheck{read_command(*command, reading)};
    return check;
  }
  const auto target = tcp->socket_address();
  if (!target) return {};
  if (target->port == 0) {
    tcp->reject("must name a port to connect to, is " + target->to_string());
    return {};
  }
  check.probe = TcpCheck{*target};
  return check;
}

void read_check(const Value& value, const AgentReading& reading, std::vector<Check>& out) {
  Mapping block(value);
  if (value.kind() != Document::Kind::Mapping) {
    if (value.kind() == Document::Kind::Null) value.reject("must be a check, is empty");
    return;
  }
  Check check = read_probe(block, reading).value_or(Check{});
  block.read("interval", check.interval, 100ms, 1h);
  const auto timeout = block.find("timeout");
  check.timeout = std::min(check.timeout, check.interval);
  // A check that runs longer than its interval would pile up.
  if (timeout) check.timeout = timeout->duration(10ms, check.interval).value_or(check.timeout);
  block.read("rise", check.rise, 1, 20);
  block.read("fall", check.fall, 1, 20);
  out.push_back(std::move(check));
}

// "kamailio.service": what systemd calls a unit (systemd.unit(5)).
void read_unit(const Value& value, const AgentReading& reading, std::string& out) {
  const auto text = value.text();
  if (!text) return;
  const bool known = std::all_of(text->begin(), text->end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(":-_.\\@").find(c) != std::string_view::npos;
  });
  const auto dot = text->rfind('.');
  if (!known || text->size() > 255 || dot == std::string_view::npos || dot == 0 ||
      dot + 1 == text->size()) {
    return value.reject("must be the name of a systemd unit such as kamailio.service, is " +
                        value.shown());
  }
  out = *text;
  reading.warn(value,
               "is not watched by this version yet: what the unit would tell is pushed as "
               "not known; checks and pid_file count");
}

}  // namespace

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

AgentService read_agent_service(const Value& value, std::string name, const AgentReading& reading) {
  Mapping block(value);
  AgentService service;
  service.name = std::move(name);
  const auto unit = block.find("unit");
  const auto pid_file = block.find("pid_file");
  const auto checks = block.find("checks");
  if (unit) read_unit(*unit, reading, service.unit);
  if (pid_file) service.pid_file = read_path(*pid_file, reading.folder).value_or("");
  const std::size_t before = value.findings().size();
  if (checks) {
    checks->each([&](const Value& item) { read_check(item, reading, service.checks); });
  }
  if (service.checks.empty() && !unit && !pid_file && value.findings().size() == before) {
    value.reject("needs checks: (or unit: or pid_file:): nothing says whether it is up");
  }
  if (const auto sessions = block.find("sessions"))
    service.sessions = read_sessions(*sessions, reading);
  if (const auto hook = block.find("on_hold")) service.on_hold = read_command(*hook, reading);
  if (const auto hook = block.find("on_resume")) service.on_resume = read_command(*hook, reading);
  return service;
}

}  // namespace sluice::config
