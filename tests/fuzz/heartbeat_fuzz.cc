#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "health/heartbeat.h"
#include "health/rfc3339.h"

// Property: any octets are accepted or refused with a message; what is accepted, written again in
// canonical form, is accepted again and writes the same; the plain reader says nothing, or what the
// full one says.
namespace sluice::health {
namespace {

using nlohmann::json;

const char* name_of(Health health) {
  switch (health) {
    case Health::Up:
      return "up";
    case Health::Down:
      return "down";
    case Health::Stopped:
      return "stopped";
  }
  std::abort();
}

json to_json(const HostPause& pause) {
  json object{{"by", pause.by}, {"reason", pause.reason}, {"since", to_rfc3339(pause.since)}};
  if (pause.startup) {
    object["startup"] = *pause.startup == config::Startup::Manual ? "manual" : "automatic";
  }
  object["force"] = pause.force;
  if (pause.instance) object["instance"] = *pause.instance;
  return object;
}

json to_json(const ServiceReport& report) {
  json object{{"health", name_of(report.health)}};
  if (report.instance) object["instance"] = *report.instance;
  if (report.sessions)
    object["sessions"] = json(json::object_t(report.sessions->begin(), report.sessions->end()));
  if (report.last_new_connection) {
    object["last_new_connection"] = static_cast<double>(report.last_new_connection->count()) / 1e3;
  }
  if (report.paused) object["paused"] = to_json(*report.paused);
  if (report.hook) object["hook"] = {{"state", report.hook->state}, {"text", report.hook->text}};
  return object;
}

std::string canonical(const Heartbeat& heartbeat) {
  json services = json::object();
  for (const auto& [name, report] : heartbeat.services) services[name] = to_json(report);
  const json document{
      {"instance", heartbeat.instance}, {"seq", heartbeat.seq}, {"services", services}};
  return document.dump();
}

}  // namespace
}  // namespace sluice::health

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  using namespace sluice::health;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto first = parse_heartbeat(octets);
  const auto full = parse_full_heartbeat(octets);
  if (first.has_value() != full.has_value() || (first && *first != *full)) std::abort();
  if (!first) {
    if (first.error().message.empty()) std::abort();
    return 0;
  }
  const std::string written = canonical(*first);
  const auto second = parse_heartbeat(written);
  if (!second || canonical(*second) != written) std::abort();
  return 0;
}
