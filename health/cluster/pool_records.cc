#include <utility>

#include "health/cluster/record_keys.h"
#include "health/cluster/record_readers.h"
#include "health/rfc3339.h"

namespace sluice::cluster {
namespace {

using nlohmann::json;

json set_json(const health::SharedSet& set) {
  json slow_starts = json::array();
  for (const auto& [server, tenths] : set.slow_starts) {
    slow_starts.push_back(RecordWriter().text("server", server).number("tenths", tenths).take());
  }
  RecordWriter writer;
  writer.text("service", set.service).number("generation", set.generation);
  if (set.fallback != health::Fallback::None) {
    writer.text("fallback", word(kFallbacks, set.fallback));
  }
  return writer.time("since", set.since)
      .texts("servers", set.servers)
      .member("slow_starts", std::move(slow_starts))
      .take();
}

void read_slow_start(RecordReader& reader, const std::string& path, const json& value,
                     health::SharedSet& set) {
  constexpr std::uint64_t kMost = 9;  // ten tenths are its weight
  RecordReader inner(value, path);
  std::string server = inner.name("server", is_server, kNoServer);
  const std::uint64_t tenths = inner.number("tenths", kMost);
  if (tenths == 0) inner.fail("tenths", "must not be 0");
  set.slow_starts.emplace_back(std::move(server), static_cast<std::uint8_t>(tenths));
  reader.take(inner.finish_known());
}

health::SharedSet read_set(RecordReader& pool, const std::string& path, const json& value) {
  RecordReader reader(value, path);
  health::SharedSet set;
  set.service = reader.name("service", is_service, kNoService);
  set.generation = reader.number("generation");
  set.fallback = reader.choice("fallback", kFallbacks).value_or(health::Fallback::None);
  set.since = reader.time("since");
  set.servers = reader.texts_or_none("servers");
  for (const std::string& server : set.servers) {
    if (!is_server(server)) reader.fail("servers", "has what is no name of a server");
  }
  reader.each_element("slow_starts", [&](const std::string& at, const json& slow_start) {
    read_slow_start(reader, health::member_path(path, at), slow_start, set);
  });
  pool.take(reader.finish_known());
  return set;
}

json sessions_json(const health::Sessions& sessions) {
  json object = json::object();
  for (const auto& [counter, value] : sessions) object[counter] = value;
  return object;
}

json service_json(const health::ReportedService& service) {
  RecordWriter writer;
  writer.text("health", word(health::kHealth, service.health))
      .flag("counted_since_horizon", service.counted_since_horizon)
      .flag("connected_since_horizon", service.connected_since_horizon);
  if (service.hook) {
    writer.member("hook", json{{"state", service.hook->state}, {"text", service.hook->text}});
  }
  json object = writer.take();
  // None and an empty one are two things.
  if (service.instance) object["instance"] = *service.instance;
  if (service.sessions) object["sessions"] = sessions_json(*service.sessions);
  return object;
}

void read_hook(RecordReader& reader, const std::string& path, health::ReportedService& service) {
  const json* value = reader.optional("hook");
  if (value == nullptr) return;
  RecordReader inner(*value, health::member_path(path, "hook"));
  service.hook = {inner.text_or_empty("state"), inner.text_or_empty("text")};
  reader.take(inner.finish_known());
}

void read_sessions(RecordReader& reader, health::ReportedService& service) {
  if (reader.optional("sessions") == nullptr) return;
  service.sessions.emplace();
  reader.each_member("sessions", [&](const std::string& counter, const json& value) {
    const auto count = reader.integer(&value, "sessions." + counter, health::kMaxJsonInteger);
    service.sessions->emplace(counter, count.value_or(0));
  });
}

health::ReportedService read_service(RecordReader& report, const std::string& name,
                                     const json& value) {
  const std::string path = "services." + name;
  RecordReader reader(value, path);
  health::ReportedService service;
  service.health = reader.word("health", health::kHealth);
  service.instance = reader.text("instance");
  read_sessions(reader, service);
  service.counted_since_horizon = reader.flag_or_false("counted_since_horizon");
  service.connected_since_horizon = reader.flag_or_false("connected_since_horizon");
  read_hook(reader, path, service);
  report.take(reader.finish_known());
  return service;
}

}  // namespace

Write write_of(const health::SharedPool& pool) {
  json sets = json::array();
  for (const health::SharedSet& set : pool.sets) sets.push_back(set_json(set));
  json guarded = json::object();
  for (const auto& [server, until] : pool.guarded) guarded[server] = health::to_rfc3339(until);
  return {
      key_of("pools", pool.pool),
      RecordWriter().member("sets", std::move(sets)).member("guarded", std::move(guarded)).dump(),
      0};
}

ReadRecord read_pool(const Entry& entry) {
  if (!is_dns_name(entry.rest)) return wrong("must be pools/FQDN");
  if (entry.value == nullptr) return Record(Ignored{});
  RecordReader reader(*entry.value, {});
  health::SharedPool pool;
  pool.pool = entry.rest;
  reader.each_element("sets", [&](const std::string& path, const json& value) {
    pool.sets.push_back(read_set(reader, path, value));
  });
  reader.each_member("guarded", [&](const std::string& server, const json& value) {
    if (!is_server(server)) return reader.fail("guarded", "has what is no name of a server");
    const auto until = value.is_string()
                           ? health::parse_rfc3339(value.get_ref<const std::string&>())
                           : std::nullopt;
    if (!until) return reader.fail("guarded." + server, "must be a time of RFC 3339");
    pool.guarded.emplace(server, *until);
  });
  return finish(reader, std::move(pool));
}

Write write_of(const health::SharedHost& host) {
  return {key_of("hosts", host.server),
          RecordWriter().flag("hidden", host.hidden).number("generation", host.generation).dump(),
          0};
}

ReadRecord read_host(const Entry& entry) {
  if (!is_server(entry.rest)) return wrong("must be hosts/SERVER");
  if (entry.value == nullptr) return Record(Ignored{});
  RecordReader reader(*entry.value, {});
  health::SharedHost host;
  host.server = entry.rest;
  host.hidden = reader.flag_or_false("hidden");
  host.generation = reader.number("generation");
  return finish(reader, std::move(host));
}

Write write_of(const health::AgentReport& report) {
  json services = json::object();
  for (const auto& [name, service] : report.services) services[name] = service_json(service);
  return {key_of("agents", report.server),
          RecordWriter()
              .text("responder", report.responder)
              .text("run", report.run)
              .text("boot", report.boot)
              .number("seq", report.seq)
              .flag("current", report.current)
              .flag("silent", report.silent)
              .member("services", std::move(services))
              .dump(),
          0};
}

ReadRecord read_agent(const Entry& entry) {
  if (!is_server(entry.rest)) return wrong("must be agents/SERVER");
  if (entry.value == nullptr) return Record(ForgottenAgent{std::string(entry.rest)});
  RecordReader reader(*entry.value, {});
  health::AgentReport report;
  report.server = entry.rest;
  report.responder =
      reader.name("responder", is_responder, "must be 1 to 255 visible ASCII characters");
  report.run = reader.required_text("run");
  report.boot = reader.text_or_empty("boot");
  report.seq = reader.number("seq", UINT64_MAX);
  report.current = reader.flag_or_false("current");
  report.silent = reader.flag_or_false("silent");
  reader.each_member("services", [&](const std::string& name, const json& value) {
    if (!is_service(name)) return reader.fail("services", "has what is no service");
    report.services.emplace(name, read_service(reader, name, value));
  });
  return finish(reader, std::move(report));
}

}  // namespace sluice::cluster
