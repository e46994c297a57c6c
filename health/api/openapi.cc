#include "health/api/openapi.h"

#include <array>
#include <string>

#include "health/api/problem.h"
#include "health/api/routes.h"
#include "health/event.h"
#include "health/membership.h"
#include "health/schedule.h"
#include "health/view.h"

namespace sluice::health {
namespace {

using nlohmann::ordered_json;

// Schemas in short: a member's type is a word of this page, or the name of another schema; "[T]" an
// array, "{T}" an object of T by name, "T?" may be null, "!" before a member's name: required.
struct Member {
  std::string_view name;
  std::string_view type;
};
struct Schema {
  std::string_view name;
  std::vector<Member> members;
};

ordered_json type_of(std::string_view text) {
  if (text.ends_with('?')) {
    return {{"anyOf", {type_of(text.substr(0, text.size() - 1)), {{"type", "null"}}}}};
  }
  const std::string_view inner = text.substr(1, text.size() - 2);
  if (text.front() == '[') return {{"type", "array"}, {"items", type_of(inner)}};
  if (text.front() == '{') {
    return {{"type", "object"}, {"additionalProperties", type_of(inner)}};
  }
  if (text == "time") return {{"type", "string"}, {"format", "date-time"}};
  for (const std::string_view plain : {"string", "integer", "number", "boolean", "object"}) {
    if (text == plain) return {{"type", plain}};
  }
  return {{"$ref", "#/components/schemas/" + std::string(text)}};
}

const std::vector<Schema>& schemas() {
  static const std::vector<Schema> kSchemas{
      {"Reason", {{"!code", "ReasonCode"}, {"!text", "string"}, {"until", "time"}}},
      {"Verdict",
       {{"!safe_to_stop", "boolean"}, {"!reasons", "[Reason]"}, {"!warnings", "[string]"}}},
      {"Hold",
       {{"!scope", "Scope"},
        {"!origin", "Origin"},
        {"!by", "string"},
        {"!reason", "string"},
        {"!since", "time"},
        {"!startup", "Startup"},
        {"!forced", "boolean"},
        {"!hide_host", "boolean"},
        {"expires", "time"},
        {"then", "Then"},
        {"alarmed", "boolean"},
        {"local", "boolean"}}},
      {"Schedule",
       {{"!id", "string"},
        {"!kind", "ScheduleKind"},
        {"!server", "string"},
        {"!service", "string?"},
        {"!at", "time"},
        {"!leaves_at", "time?"},
        {"!by", "string"},
        {"!reason", "string"},
        {"!startup", "Startup?"},
        {"!hide_host", "boolean"},
        {"!force", "boolean"},
        {"!expires", "time?"},
        {"!then", "Then?"},
        {"!created", "time"},
        {"!warnings", "[string]"}}},
      {"Schedules", {{"!schedules", "[Schedule]"}}},
      {"Event",
       {{"!id", "string?"},
        {"!at", "time"},
        {"!type", "EventType"},
        {"!server", "string?"},
        {"!service", "string?"},
        {"!by", "string?"},
        {"!origin", "string?"},
        {"!text", "string"},
        {"!generation", "integer"},
        {"was", "Status"},
        {"status", "Status"},
        {"rule", "RefusalRule"},
        {"answer_set", "string?"},
        {"numbers", "{integer}"}}},
      {"Reset", {{"!type", "ResetType"}, {"!text", "string"}}},
      {"History", {{"!server", "string"}, {"!events", "[Event]"}}},
      {"Hook", {{"!state", "string"}, {"text", "string"}}},
      {"Service",
       {{"!title", "string"},
        {"!consolidates", "[string]"},
        {"!status", "Status"},
        {"!health", "Health?"},
        {"!forced", "Health?"},
        {"!instance", "string?"},
        {"!startup", "Startup"},
        {"!sessions", "{integer}?"},
        {"!last_new_connection", "number?"},
        {"!in_answers", "boolean"},
        {"!cache_horizon", "time?"},
        {"!holds", "[Hold]"},
        {"!hook", "Hook?"},
        {"!verdict", "Verdict"}}},
      {"Lease", {{"!state", "LeaseState"}, {"!expires_in", "number?"}}},
      {"Server",
       {{"!server", "string"},
        {"!pool", "string"},
        {"!addresses", "[string]"},
        {"!weight", "integer"},
        {"!domain", "string?"},
        {"!lease", "Lease"},
        {"!host_hidden", "boolean"},
        {"!services", "{Service}"},
        {"!schedules", "[Schedule]"},
        {"!verdict", "Verdict"},
        {"!warnings", "[string]"}}},
      {"AnswerSet",
       {{"!owner", "string"},
        {"!service", "string"},
        {"!fallback", "Fallback"},
        {"!members", "[string]"},
        {"!accepting", "integer"},
        {"!min_accepting", "integer"},
        {"!since", "time"},
        {"!cache_horizon", "time"}}},
      {"Pool",
       {{"!pool", "string"},
        {"!service", "string"},
        {"!generation", "integer"},
        {"!ttl", "integer"},
        {"!answer_size", "integer?"},
        {"!last_resort", "[string]"},
        {"!min_accepting", "integer"},
        {"!dns_load_balancing", "boolean"},
        {"!mass_loss_guard", "boolean"},
        {"!answer_sets", "[AnswerSet]"},
        {"!servers", "[Server]"},
        {"!warnings", "[string]"}}},
      {"Responder", {{"!name", "string"}, {"!listen", "[string]"}, {"!zones", "[string]"}}},
      {"Responders", {{"!responders", "[Responder]"}}},
      {"Orphan", {{"!server", "string"}, {"!service", "string?"}, {"!hold", "Hold"}}},
      {"Pools", {{"!generation", "integer"}, {"!pools", "[Pool]"}, {"!orphans", "[Orphan]"}}},
      // `of`: a server's pool, the service that a pool or an owner name follows, a service's title.
      {"Name", {{"!name", "string"}, {"!of", "string"}}},
      {"Names", {{"!names", "[Name]"}, {"!more", "boolean"}}},
      {"DrainOrder",
       {{"service", "string?"},
        {"reason", "string?"},
        {"startup", "Startup?"},
        {"hide_host", "boolean?"},
        {"force", "boolean?"},
        {"local_force", "boolean?"},
        {"at", "When?"},
        {"expires", "When?"},
        {"then", "Then?"}}},
      {"DrainReply",
       {{"!generation", "integer"},
        {"!confirmed_by", "[string]"},
        {"!unconfirmed", "[string]"},
        {"!cache_horizon", "time?"},
        {"!warnings", "[string]"}}},
      {"ResumeOrder", {{"service", "string?"}}},
      {"ForceOrder", {{"!health", "ForcedHealth?"}, {"service", "string?"}}},
      {"OrderReply",
       {{"!generation", "integer"},
        {"!warnings", "[string]"},
        {"confirmed_by", "[string]"},
        {"unconfirmed", "[string]"}}},
      {"ClusterResponder",
       {{"!name", "string"},
        {"!self", "boolean"},
        {"!alive", "boolean"},
        {"!decides", "boolean"},
        {"!publication", "integer"},
        {"!generation", "integer"},
        {"!behind", "integer"},
        {"!unconfirmed_since", "time?"},
        {"!clock_offset", "number?"},
        {"!since", "time?"},
        {"!version", "string"},
        {"!dns", "[string]"},
        {"!api", "[string]"},
        {"!configuration", "string"},
        {"!same_configuration", "boolean"}}},
      {"Cluster",
       {{"!id", "string"},
        {"!prefix", "string"},
        {"!state", "ClusterState"},
        {"!stale", "boolean"},
        {"!stale_since", "time?"},
        {"!revision", "integer"},
        {"!alarm", "string?"},
        {"!decider", "string?"},
        {"!generation", "integer"},
        {"!publication", "integer"},
        {"!responders", "[ClusterResponder]"},
        {"!warnings", "[string]"}}},
      {"ForgetOrder", {{"!responder", "string"}}},
      {"Forgotten", {{"!forgotten", "string"}}},
      {"Pause",
       {{"!by", "string"},
        {"reason", "string?"},
        {"!since", "time"},
        {"startup", "Startup?"},
        {"force", "boolean?"},
        {"instance", "string?"}}},
      {"ServiceReport",
       {{"!health", "Health"},
        {"instance", "string?"},
        {"sessions", "{integer}?"},
        {"last_new_connection", "number?"},
        {"paused", "Pause?"},
        {"hook", "Hook?"}}},
      {"Heartbeat",
       {{"!instance", "string"}, {"!seq", "integer"}, {"!services", "{ServiceReport}"}}},
      {"Refused",
       {{"!rule", "RefusalRule"},
        {"!numbers", "{integer}"},
        {"answer_set", "string"},
        {"!detail", "string"}}},
      {"ServiceOrder",
       {{"!held", "boolean"},
        {"!reason", "string"},
        {"!lift", "boolean"},
        {"!refused", "Refused?"},
        {"pending", "boolean"}}},
      {"HeartbeatReply",
       {{"!generation", "integer"},
        {"!lease", "number"},
        {"stale", "boolean"},
        {"!services", "{ServiceOrder}"}}},
      {"ExplainedMember",
       {{"!server", "string"},
        {"!in", "boolean"},
        {"!rule", "MemberRule"},
        {"!text", "string"},
        {"since", "time"},
        {"by", "string"}}},
      {"Explanation",
       {{"!name", "string"},
        {"!type", "RRType"},
        {"!answer_set", "string"},
        {"!service", "string"},
        {"!fallback", "Fallback"},
        {"!members", "[ExplainedMember]"}}},
      {"Nothing", {}},
      {"Reloaded", {{"!reloaded", "boolean"}}},
      {"Version", {{"!version", "string"}}},
      {"State",
       {{"!status", "string"}, {"stale", "boolean"}, {"since", "time"}, {"reason", "string"}}},
      {"Document", {{"!openapi", "string"}}},
      {"ConfigurationError",
       {{"!file", "string"}, {"!line", "integer"}, {"!path", "string"}, {"!message", "string"}}},
      {"Problem",
       {{"!type", "string"},
        {"!title", "string"},
        {"!status", "integer"},
        {"!detail", "string"},
        {"rule", "RefusalRule"},
        {"numbers", "{integer}"},
        {"answer_set", "string"},
        {"member", "string"},
        {"pool", "string"},
        {"pools", "[string]"},
        {"in_force", "boolean"},
        {"errors", "[ConfigurationError]"}}},
  };
  return kSchemas;
}

ordered_json schema_of(const Schema& schema) {
  ordered_json properties = ordered_json::object();
  ordered_json required = ordered_json::array();
  for (const auto& [name, type] : schema.members) {
    const std::string bare(name.substr(name.starts_with('!') ? 1 : 0));
    properties[bare] = type_of(type);
    if (name.starts_with('!')) required.push_back(bare);
  }
  ordered_json object{{"type", "object"}, {"properties", properties}};
  if (!required.empty()) object["required"] = required;
  return object;
}

ordered_json enumeration(const std::vector<std::string_view>& words) {
  return {{"type", "string"}, {"enum", words}};
}

// The words of an enumeration whose last value is `last`.
template <class Enum>
ordered_json enumeration(Enum last) {
  std::vector<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    words.emplace_back(to_string(static_cast<Enum>(i)));
  }
  return enumeration(words);
}

ordered_json all_schemas() {
  ordered_json all{
      {"Status", enumeration(Status::Accepting)},
      {"Health", enumeration(Health::Stopped)},
      {"ForcedHealth", enumeration({"up", "down"})},
      {"Scope", enumeration(Scope::Service)},
      {"Origin", enumeration(Origin::Schedule)},
      {"Startup", enumeration(config::Startup::Manual)},
      {"Fallback", enumeration(Fallback::NoData)},
      {"LeaseState", enumeration(LeaseState::Guarded)},
      {"MemberRule", enumeration(Rule::Unknown)},
      {"RefusalRule", enumeration({"floor", "consolidated", "seq", "configuration", "alive"})},
      {"ReasonCode", enumeration({"not-held", "not-by-dns", "hold-not-durable",
                                  "unconfirmed-responder", "hook-failed", "served-while-held",
                                  "horizon", "sessions", "sessions-unknown", "new-connections"})},
      {"ClusterState", enumeration(ClusterState::Alone)},
      {"RRType", enumeration({"A", "AAAA", "SRV"})},
      {"EventType", enumeration(EventType::Resources)},
      {"ResetType", enumeration({"reset"})},
      {"Then", enumeration(Then::Alarm)},
      {"ScheduleKind", enumeration(ScheduleView::Kind::Expiry)},
      {"When",
       {{"type", "string"},
        {"description", "a duration such as 2h, or a time such as 2026-11-20T10:00:30Z"}}},
  };
  for (const Schema& schema : schemas()) all[std::string(schema.name)] = schema_of(schema);
  return all;
}

ordered_json content_of(std::string_view type, std::string_view schema) {
  return {{std::string(type), {{"schema", type_of(schema)}}}};
}

// A schema's name, or a media type of its own: octets or text of which JSON has no picture.
ordered_json response_content(std::string_view response) {
  if (response.find('/') != std::string_view::npos) return content_of(response, "string");
  return content_of("application/json", response);
}

ordered_json parameters_of(const Route& route) {
  ordered_json parameters = ordered_json::array();
  const std::size_t open = route.path.find('{');
  if (open != std::string_view::npos) {
    const std::string_view name = route.path.substr(open + 1, route.path.find('}') - open - 1);
    parameters.push_back(
        {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  for (const std::string_view name : route.query) {
    parameters.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

ordered_json responses_of(const Route& route) {
  ordered_json responses;
  responses["200"] = {{"description", status_phrase(200)},
                      {"content", response_content(route.response)}};
  if (route.confirmed) {
    responses["202"] = {{"description", "Accepted: not every responder has confirmed"},
                        {"content", response_content(route.response)}};
  }
  if (!route.created.empty()) {
    responses["201"] = {{"description", status_phrase(201)},
                        {"content", response_content(route.created)}};
  }
  std::vector<int> failures = route.failures;
  failures.insert(failures.begin(), {400, 413});
  if (route.access != Access::Anyone) failures.insert(failures.end(), {401, 403, 429, 503});
  for (const int status : failures) {
    responses[std::to_string(status)] = {
        {"description", status_phrase(status)},
        {"content", content_of("application/problem+json", "Problem")}};
  }
  return responses;
}

const char* role_of(Access access) {
  switch (access) {
    case Access::Anyone:
      return "none";
    case Access::Reader:
      return "reader";
    case Access::ReaderOrAgent:
      return "reader; an agent its own server";
    case Access::Operator:
      return "operator; one that is limited to pools on their servers alone";
    case Access::OperatorOfAll:
      return "operator of all pools";
    case Access::Agent:
      return "agent of that server alone";
  }
  return "";
}

ordered_json operation_of(const Route& route) {
  ordered_json operation{{"summary", route.summary}, {"x-role", role_of(route.access)}};
  if (ordered_json parameters = parameters_of(route); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (!route.request.empty()) {
    operation["requestBody"] = {{"content", content_of("application/json", route.request)}};
  }
  operation["responses"] = responses_of(route);
  if (route.access == Access::Anyone) operation["security"] = ordered_json::array();
  return operation;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c | 0x20);
  return text;
}

ordered_json make_document() {
  ordered_json paths = ordered_json::object();
  for (const Route& route : routes()) {
    paths[std::string(route.path)][lower(to_string(route.method))] = operation_of(route);
  }
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "Sluice"}, {"version", SLUICE_VERSION}}},
          {"paths", std::move(paths)},
          {"components",
           {{"schemas", all_schemas()},
            {"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}}}},
          {"security", ordered_json::array({{{"token", ordered_json::array()}}})}};
}

}  // namespace

const ordered_json& openapi_document() {
  static const ordered_json kDocument = make_document();
  return kDocument;
}

}  // namespace sluice::health
