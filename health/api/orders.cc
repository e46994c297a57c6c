#include "health/api/orders.h"

#include <array>

#include "config/base/duration.h"
#include "config/base/foreign_text.h"
#include "health/api/problem.h"
#include "health/rfc3339.h"
#include "health/strict_json.h"

namespace sluice::health {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<std::string_view, Health>, 2> kForced{
    {{"up", Health::Up}, {"down", Health::Down}}};
constexpr std::array<std::pair<std::string_view, config::Startup>, 2> kStartup{
    {{"automatic", config::Startup::Automatic}, {"manual", config::Startup::Manual}}};
constexpr std::array<std::pair<std::string_view, Then>, 2> kThen{
    {{"lift", Then::Lift}, {"alarm", Then::Alarm}}};

base::Unexpected<HttpResponse> refuse(const JsonError& error) {
  return base::Unexpected{bad_member(error.path, error.message)};
}

Read<json> read_document(std::string_view body) {
  if (body.empty()) return json::object();
  auto document = parse_json(body);
  if (!document) return refuse(document.error());
  return std::move(*document);
}

// An operator's words end up in logs and on terminals: one line, no control sequences, and nothing
// that makes it read as what it is not.
std::string read_line(JsonReader& reader, std::string_view name) {
  std::string line = reader.text(name).value_or("");
  if (!base::is_plain_line(line)) reader.fail(name, "must not contain control characters");
  return line;
}

std::optional<std::string> read_service(JsonReader& reader) {
  auto service = reader.text("service");
  if (service && service->empty()) reader.fail("service", "must not be empty");
  return service;
}

std::optional<DrainRequest::When> read_when(JsonReader& reader, std::string_view name) {
  const auto text = reader.text(name);
  if (!text) return {};
  if (const auto duration = base::parse_duration(*text)) return *duration;
  if (const auto time = parse_rfc3339(*text)) return *time;
  reader.fail(name, "must be a duration such as 2h, or a time such as 2026-11-20T10:00:30Z");
  return {};
}

}  // namespace

Read<DrainOrder> read_drain(std::string_view body) {
  const auto document = read_document(body);
  if (!document) return base::Unexpected{document.error()};
  JsonReader reader(*document, "");
  DrainOrder order;
  DrainRequest& drain = order.drain;
  drain.service = read_service(reader);
  drain.reason = read_line(reader, "reason");
  drain.startup = reader.choice("startup", kStartup);
  drain.hide_host = reader.flag("hide_host").value_or(false);
  drain.force = reader.flag("force").value_or(false);
  drain.local_force = reader.flag("local_force").value_or(false);
  order.at = read_when(reader, "at");
  drain.expires = read_when(reader, "expires");
  if (const auto then = reader.choice("then", kThen)) {
    drain.then = *then;
    if (!drain.expires) reader.fail("then", "says what happens at `expires`, which is not given");
  }
  if (drain.local_force && order.at) {
    reader.fail("local_force", "is for now: what is planned is the whole cluster's");
  }
  if (const auto error = reader.finish()) return refuse(*error);
  return order;
}

Read<ResumeOrder> read_resume(std::string_view body) {
  const auto document = read_document(body);
  if (!document) return base::Unexpected{document.error()};
  JsonReader reader(*document, "");
  ResumeOrder order{read_service(reader)};
  if (const auto error = reader.finish()) return refuse(*error);
  return order;
}

Read<ForceOrder> read_force(std::string_view body) {
  const auto document = read_document(body);
  if (!document) return base::Unexpected{document.error()};
  JsonReader reader(*document, "");
  // Null lifts the force: here absence is a mistake, and null is not.
  if (document->is_object() && !document->contains("health")) {
    reader.fail("health", "must be given: up, down, or null to lift it");
  }
  ForceOrder order;
  order.health = reader.choice("health", kForced);
  order.service = read_service(reader);
  if (const auto error = reader.finish()) return refuse(*error);
  return order;
}

Read<std::string> read_forget(std::string_view body) {
  const auto document = read_document(body);
  if (!document) return base::Unexpected{document.error()};
  JsonReader reader(*document, "");
  std::string name = reader.required_text("responder");
  if (const auto error = reader.finish()) return refuse(*error);
  return name;
}

Read<base::Done> read_nothing(std::string_view body) {
  const auto document = read_document(body);
  if (!document) return base::Unexpected{document.error()};
  if (const auto error = JsonReader(*document, "").finish()) return refuse(*error);
  return base::Done{};
}

Read<Heartbeat> read_heartbeat(std::string_view body) {
  auto heartbeat = parse_heartbeat(body);
  if (!heartbeat) {
    return base::Unexpected{bad_member(heartbeat.error().member, heartbeat.error().message)};
  }
  return std::move(*heartbeat);
}

}  // namespace sluice::health
