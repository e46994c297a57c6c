// One service of the agent: where its health and its sessions come from.

#include <algorithm>

#include "config/agent_blocks.h"
#include "config/files.h"
#include "config/mapping.h"

namespace sluice::config {
namespace {

// "kamailio.service": what systemd calls a unit (systemd.unit(5)).
void read_unit(const Value& value, std::vector<std::string>& out) {
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
  if (std::find(out.begin(), out.end(), *text) != out.end()) {
    return value.reject(std::string(*text) + " stands here twice");
  }
  out.emplace_back(*text);
}

// `unit: NAME` or `units: [NAME, ...]`; says whether one of them stands there.
bool read_units(Mapping& block, std::vector<std::string>& out) {
  const auto unit = block.find("unit");
  const auto units = block.find("units");
  if (unit && units) {
    units->reject("stands beside unit: one of them names them all");
  } else if (unit) {
    read_unit(*unit, out);
  } else if (units) {
    const std::size_t before = units->findings().size();
    units->each([&](const Value& item) { read_unit(item, out); });
    if (out.empty() && units->findings().size() == before) {
      units->reject("must have at least one unit");
    }
  }
  return unit || units;
}

}  // namespace

AgentService read_agent_service(const Value& value, std::string name, const AgentReading& reading) {
  Mapping block(value);
  AgentService service;
  service.name = std::move(name);
  const bool has_units = read_units(block, service.units);
  const auto pid_file = block.find("pid_file");
  if (pid_file && has_units) {
    reading.warn(*pid_file, "is not read: the unit tells more");
  } else if (pid_file) {
    service.pid_file = read_path(*pid_file, reading.folder).value_or("");
  }
  const auto checks = block.find("checks");
  const std::size_t before = value.findings().size();
  if (checks) {
    checks->each([&](const Value& item) { read_check(item, reading, service.checks); });
  }
  if (service.checks.empty() && !has_units && !pid_file && value.findings().size() == before) {
    value.reject("needs checks: (or unit: or pid_file:): nothing says whether it is up");
  }
  if (const auto sessions = block.find("sessions"))
    service.sessions = read_sessions(*sessions, reading);
  if (const auto hook = block.find("on_hold")) service.on_hold = read_hook(*hook, reading);
  if (const auto hook = block.find("on_resume")) service.on_resume = read_hook(*hook, reading);
  return service;
}

}  // namespace sluice::config
