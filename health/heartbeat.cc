#include "health/heartbeat.h"

#include <cmath>
#include <limits>

#include "health/rfc3339.h"
#include "health/strict_json.h"

namespace sluice::health {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<std::string_view, Health>, 3> kHealth{
    {{"up", Health::Up}, {"down", Health::Down}, {"stopped", Health::Stopped}}};
constexpr std::array<std::pair<std::string_view, config::Startup>, 2> kStartup{
    {{"automatic", config::Startup::Automatic}, {"manual", config::Startup::Manual}}};

// Some 31 years: longer than any host is up, and any double in it has exact milliseconds.
constexpr double kMaxSecondsAgo = 1e9;
// Counters are kept, and each is a series of the metrics page: an agent must not make them by the
// ten thousand. A console lists some ten.
constexpr std::size_t kMostCounters = 256;
constexpr std::size_t kMostNameOctets = 255;

// `value` is the object of counters, or null when there was none.
std::optional<Sessions> read_sessions(const json* value, const std::string& path,
                                      JsonReader& parent) {
  if (value == nullptr) return {};
  JsonReader reader(*value, path);
  Sessions sessions;
  if (!reader.failed()) {
    if (value->size() > kMostCounters) parent.fail("sessions", "has more than 256 counters");
    for (const auto& [name, counter] : value->items()) {
      if (name.empty()) reader.fail(name, "must have a name");
      if (name.size() > kMostNameOctets) {
        reader.fail(name.substr(0, kMostNameOctets), "has a name of more than 255 octets");
      }
      reader.optional(name);
      // A null here is a mistake: one counter alone can't be "not known", the service is.
      const auto count = reader.integer(&counter, name, kMaxJsonInteger);
      if (count) sessions.emplace(name, *count);
    }
  }
  parent.take(reader.finish());
  return sessions;
}

std::optional<HostPause> read_pause(const json* value, std::string path, JsonReader& parent) {
  if (value == nullptr) return {};
  JsonReader reader(*value, std::move(path));
  HostPause pause;
  pause.by = reader.required_text("by");
  pause.reason = reader.text("reason").value_or("");
  const auto since = parse_rfc3339(reader.required_text("since"));
  if (!since) reader.fail("since", "must be a time like 2026-11-20T10:00:30Z");
  pause.since = since.value_or(base::WallTime{});
  pause.startup = reader.choice("startup", kStartup);
  pause.force = reader.flag("force").value_or(false);
  pause.instance = reader.text("instance");
  parent.take(reader.finish());
  return pause;
}

std::optional<HookOutcome> read_hook(const json* value, std::string path, JsonReader& parent) {
  if (value == nullptr) return {};
  JsonReader reader(*value, std::move(path));
  HookOutcome hook;
  hook.state = reader.required_text("state");
  hook.text = reader.text("text").value_or("");
  parent.take(reader.finish());
  return hook;
}

std::optional<std::chrono::milliseconds> read_seconds_ago(JsonReader& reader,
                                                          std::string_view name) {
  const json* value = reader.optional(name);
  if (value == nullptr) return {};
  const double seconds = value->is_number() ? value->get<double>() : -1.0;
  if (!(seconds >= 0.0 && seconds <= kMaxSecondsAgo)) {
    reader.fail(name, "must be a number of seconds 0..1000000000");
    return {};
  }
  return std::chrono::milliseconds(std::llround(seconds * 1e3));
}

ServiceReport read_service(const json& value, const std::string& path, JsonReader& parent) {
  JsonReader reader(value, path);
  ServiceReport report;
  reader.required("health");
  report.health = reader.choice("health", kHealth).value_or(Health::Down);
  report.instance = reader.text("instance");
  report.sessions =
      read_sessions(reader.optional("sessions"), member_path(path, "sessions"), reader);
  report.last_new_connection = read_seconds_ago(reader, "last_new_connection");
  report.paused = read_pause(reader.optional("paused"), member_path(path, "paused"), reader);
  report.hook = read_hook(reader.optional("hook"), member_path(path, "hook"), reader);
  if (report.instance && report.instance->empty()) reader.fail("instance", "must not be empty");
  parent.take(reader.finish());
  return report;
}

void read_services(const json* value, Heartbeat& heartbeat, JsonReader& parent) {
  if (value == nullptr) return;
  JsonReader reader(*value, "services");
  if (!reader.failed()) {
    for (const auto& [name, service] : value->items()) {
      if (name.empty()) reader.fail(name, "must have a name");
      reader.optional(name);
      heartbeat.services.emplace(name,
                                 read_service(service, member_path("services", name), reader));
    }
  }
  parent.take(reader.finish());
}

}  // namespace

base::Result<Heartbeat, HeartbeatError> parse_heartbeat(std::string_view octets) {
  if (auto plain = parse_plain_heartbeat(octets)) return *std::move(plain);
  return parse_full_heartbeat(octets);
}

base::Result<Heartbeat, HeartbeatError> parse_full_heartbeat(std::string_view octets) {
  const auto document = parse_json(octets);
  if (!document) {
    return base::Unexpected{HeartbeatError{document.error().path, document.error().message}};
  }
  JsonReader reader(*document, "");
  Heartbeat heartbeat;
  heartbeat.instance = reader.required_text("instance");
  heartbeat.seq =
      reader.integer(reader.required("seq"), "seq", std::numeric_limits<std::uint64_t>::max())
          .value_or(0);
  read_services(reader.required("services"), heartbeat, reader);
  if (const auto error = reader.finish()) {
    return base::Unexpected{HeartbeatError{error->path, error->message}};
  }
  return heartbeat;
}

}  // namespace sluice::health
