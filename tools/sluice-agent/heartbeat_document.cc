#include "tools/sluice-agent/heartbeat_document.h"

#include <cmath>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "health/rfc3339.h"
#include "health/strict_json.h"
#include "tools/sluice-agent/log.h"
#include "tools/sluice-agent/startup.h"

namespace sluice::agent {
namespace {

using nlohmann::json;

std::string bounded(std::string_view text) {
  if (text.size() <= health::kMaxJsonText) return std::string(text);
  std::size_t size = health::kMaxJsonText;
  // Not in the middle of a character: 10xxxxxx continues one (RFC 3629 section 3).
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
  return std::string(text.substr(0, size));
}

json pushed_json(const health::HostPause& pause) {
  json object{{"by", bounded(pause.by)},
              {"reason", bounded(pause.reason)},
              {"since", health::to_rfc3339(pause.since)},
              {"force", pause.force}};
  if (pause.startup) object["startup"] = to_string(*pause.startup);
  if (pause.instance) object["instance"] = bounded(*pause.instance);
  return object;
}

json pushed_json(const health::ServiceReport& report) {
  json object{{"health", to_string(report.health)}};
  if (report.instance) object["instance"] = bounded(*report.instance);
  if (report.sessions) {
    object["sessions"] = json::object();
    for (const auto& [name, count] : *report.sessions) object["sessions"][name] = count;
  }
  if (report.last_new_connection) {
    object["last_new_connection"] = static_cast<double>(report.last_new_connection->count()) / 1e3;
  }
  if (report.paused) object["paused"] = pushed_json(*report.paused);
  if (report.hook) {
    object["hook"] = {{"state", report.hook->state}, {"text", bounded(report.hook->text)}};
  }
  return object;
}

// The member, or null when it is absent or null.
const json* member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

base::Checked<std::string> read_text(const json& object, const char* name) {
  const json* value = member(object, name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return base::failure(std::string(name) + " must be a text");
  return value->get<std::string>();
}

base::Checked<bool> read_flag(const json& object, const char* name) {
  const json* value = member(object, name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) return base::failure(std::string(name) + " must be true or false");
  return value->get<bool>();
}

base::Checked<PauseRefusal> read_refusal(const json& value) {
  if (!value.is_object()) return base::failure("refused must be an object");
  auto rule = read_text(value, "rule");
  if (!rule) return base::Unexpected{rule.error()};
  auto detail = read_text(value, "detail");
  if (!detail) return base::Unexpected{detail.error()};
  PauseRefusal refusal{*std::move(rule), *std::move(detail), {}};
  if (const json* numbers = member(value, "numbers"); numbers != nullptr && numbers->is_object()) {
    for (const auto& [name, number] : numbers->items()) {
      if (number.is_number_unsigned()) refusal.numbers.emplace(name, number.get<std::uint64_t>());
    }
  }
  return refusal;
}

base::Checked<ServiceOrder> read_order(const json& value) {
  if (!value.is_object()) return base::failure("must be an object");
  ServiceOrder order;
  const auto held = read_flag(value, "held");
  if (!held) return base::Unexpected{held.error()};
  if (member(value, "held") == nullptr) return base::failure("held is missing");
  order.held = *held;
  auto reason = read_text(value, "reason");
  if (!reason) return base::Unexpected{reason.error()};
  order.reason = *std::move(reason);
  const auto pending = read_flag(value, "pending");
  if (!pending) return base::Unexpected{pending.error()};
  order.pending = *pending;
  const auto lift = read_flag(value, "lift");
  if (!lift) return base::Unexpected{lift.error()};
  order.lift = *lift;
  if (const json* refused = member(value, "refused"); refused != nullptr) {
    auto refusal = read_refusal(*refused);
    if (!refusal) return base::Unexpected{refusal.error()};
    order.refused = *std::move(refusal);
  }
  return order;
}

}  // namespace

std::string_view to_string(health::Health health) {
  switch (health) {
    case health::Health::Up:
      return "up";
    case health::Health::Down:
      return "down";
    case health::Health::Stopped:
      return "stopped";
  }
  return "down";
}

std::string render_heartbeat(const health::Heartbeat& heartbeat) {
  json services = json::object();
  for (const auto& [name, report] : heartbeat.services) services[name] = pushed_json(report);
  const json document{
      {"instance", heartbeat.instance}, {"seq", heartbeat.seq}, {"services", std::move(services)}};
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string PauseRefusal::text() const {
  std::string text = rule.empty() ? "no rule named" : rule;
  std::string list;
  for (const auto& [name, number] : numbers) {
    list += (list.empty() ? "" : ", ") + name + " " + std::to_string(number);
  }
  if (!list.empty()) text += " (" + list + ")";
  if (!detail.empty()) text += ": " + detail;
  return text;
}

base::Checked<HeartbeatReply> parse_reply(std::string_view octets) {
  const auto document = health::parse_json(octets);
  if (!document) return base::failure(document.error().message);
  if (!document->is_object()) return base::failure("must be an object");
  const json* generation = member(*document, "generation");
  if (generation == nullptr || !generation->is_number_unsigned()) {
    return base::failure("generation must be a number");
  }
  const json* lease = member(*document, "lease");
  const double seconds = lease != nullptr && lease->is_number() ? lease->get<double>() : -1.0;
  if (!(seconds >= 0.1 && seconds <= 86'400.0)) {
    return base::failure("lease must be a number of seconds 0.1..86400");
  }
  HeartbeatReply reply;
  reply.generation = generation->get<std::uint64_t>();
  reply.lease = base::Duration(std::llround(seconds * 1e3));
  const auto stale = read_flag(*document, "stale");
  if (!stale) return base::Unexpected{stale.error()};
  reply.stale = *stale;
  const json* services = member(*document, "services");
  if (services == nullptr || !services->is_object()) {
    return base::failure("services must be an object");
  }
  for (const auto& [name, value] : services->items()) {
    auto order = read_order(value);
    if (!order) return base::failure("services." + name + ": " + order.error().message);
    reply.services.emplace(name, *std::move(order));
  }
  return reply;
}

Problem parse_problem(std::string_view octets) {
  const auto document = health::parse_json(octets);
  if (!document || !document->is_object()) return {{}, printable(octets)};
  Problem problem;
  for (const char* name : {"detail", "title"}) {
    const auto text = read_text(*document, name);
    if (problem.text.empty() && text) problem.text = printable(*text);
  }
  if (const auto rule = read_text(*document, "rule")) problem.rule = printable(*rule);
  return problem;
}

}  // namespace sluice::agent
