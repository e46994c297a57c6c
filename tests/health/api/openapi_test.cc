#include "health/api/openapi.h"

#include <cctype>
#include <set>

#include "gtest/gtest.h"

#include "health/api/event_json.h"
#include "health/api/problem.h"
#include "health/api/routes.h"
#include "health/api/view_json.h"

namespace sluice::health {
namespace {

using nlohmann::ordered_json;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

TEST(OpenApi, ListsExactlyTheRoutesThatAreDispatched) {
  std::set<std::string> routed;
  for (const Route& route : routes()) {
    routed.insert(lower(to_string(route.method)) + " " + std::string(route.path));
  }
  EXPECT_EQ(routed.size(), routes().size()) << "a route twice";
  std::set<std::string> documented;
  for (const auto& [path, operations] : openapi_document()["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      documented.insert(method + " " + path);
    }
  }
  EXPECT_EQ(documented, routed);
}

TEST(OpenApi, HasTheCallsOfTheContract) {
  const ordered_json& paths = openapi_document()["paths"];
  for (const auto& [method, path] : std::initializer_list<std::pair<const char*, const char*>>{
           {"get", "/v1/pools"},
           {"get", "/v1/pools/{pool}"},
           {"get", "/v1/servers/{server}"},
           {"post", "/v1/servers/{server}/drain"},
           {"post", "/v1/servers/{server}/resume"},
           {"post", "/v1/servers/{server}/force"},
           {"put", "/v1/servers/{server}/heartbeat"},
           {"get", "/v1/servers/{server}/verdict"},
           {"get", "/v1/explain"},
           {"get", "/v1/responders"},
           {"get", "/v1/names"},
           {"get", "/v1/cluster"},
           {"post", "/v1/cluster/forget"},
           {"get", "/v1/schedules"},
           {"get", "/v1/schedules/{id}"},
           {"delete", "/v1/schedules/{id}"},
           {"get", "/v1/servers/{server}/history"},
           {"get", "/v1/events"},
           {"get", "/v1/backup"},
           {"get", "/metrics"},
           {"get", "/healthz"},
           {"get", "/readyz"},
           {"get", "/v1/openapi.json"}}) {
    EXPECT_TRUE(paths.contains(path) && paths[path].contains(method)) << method << " " << path;
  }
}

TEST(OpenApi, ListsEveryEnumeration) {
  const ordered_json& schemas = openapi_document()["components"]["schemas"];
  EXPECT_EQ(schemas["Status"]["enum"],
            ordered_json({"unknown", "down", "held", "draining", "drained", "accepting"}));
  EXPECT_EQ(schemas["Origin"]["enum"], ordered_json({"operator", "host", "schedule"}));
  EXPECT_EQ(schemas["LeaseState"]["enum"],
            ordered_json({"current", "expired", "never", "guarded"}));
  EXPECT_EQ(
      schemas["EventType"]["enum"],
      ordered_json({"drain",     "resume",  "release",  "expire",     "alarm",  "refusal",
                    "force",     "unforce", "schedule", "cancel",     "reload", "authentication",
                    "forbidden", "forget",  "status",   "generation", "lease",  "mass-loss",
                    "guard-end", "store",   "resources"}));
  EXPECT_EQ(schemas["ClusterState"]["enum"],
            ordered_json({"deciding", "following", "cut-off", "alone"}));
  EXPECT_EQ(schemas["Then"]["enum"], ordered_json({"lift", "alarm"}));
  EXPECT_EQ(schemas["ScheduleKind"]["enum"], ordered_json({"drain", "expiry"}));
  for (const char* name : {"Health", "Scope", "Startup", "Fallback", "MemberRule", "RefusalRule",
                           "ReasonCode", "RRType"}) {
    const ordered_json& words = schemas[name]["enum"];
    EXPECT_GE(words.size(), 2U) << name;
    for (const ordered_json& word : words) EXPECT_NE(word, "") << name;
  }
}

// Every "$ref" below `node` names a schema.
void check_references(const ordered_json& node, const ordered_json& schemas) {
  if (node.is_object() && node.contains("$ref")) {
    const std::string name = std::string(node["$ref"]).substr(21);
    EXPECT_TRUE(schemas.contains(name)) << name;
  }
  if (!node.is_structured()) return;
  for (const ordered_json& child : node) check_references(child, schemas);
}

TEST(OpenApi, RefersToSchemasThatAreThere) {
  check_references(openapi_document(), openapi_document()["components"]["schemas"]);
}

void expect_members(const ordered_json& written, const char* schema) {
  const ordered_json& described = openapi_document()["components"]["schemas"][schema];
  for (const auto& [name, value] : written.items()) {
    EXPECT_TRUE(described["properties"].contains(name)) << schema << " has no " << name;
  }
  for (const ordered_json& name : described["required"]) {
    EXPECT_TRUE(written.contains(name)) << schema << " lacks " << name;
  }
}

TEST(OpenApi, DescribesEventsOfEveryType) {
  for (int type = 0; type <= static_cast<int>(EventType::Resources); ++type) {
    Event event;
    event.type = static_cast<EventType>(type);
    expect_members(to_json(event), "Event");
  }
}

TEST(OpenApi, NamesMediaTypesTheOneAndTheOtherSuccess) {
  const ordered_json& paths = openapi_document()["paths"];
  EXPECT_TRUE(
      paths["/v1/events"]["get"]["responses"]["200"]["content"].contains("text/event-stream"));
  EXPECT_TRUE(paths["/v1/backup"]["get"]["responses"]["200"]["content"].contains(
      "application/vnd.sqlite3"));
  EXPECT_TRUE(paths["/metrics"]["get"]["responses"]["200"]["content"].contains("text/plain"));
  const ordered_json& drain = paths["/v1/servers/{server}/drain"]["post"]["responses"];
  EXPECT_EQ(drain["201"]["content"]["application/json"]["schema"]["$ref"],
            "#/components/schemas/Schedule");
  EXPECT_EQ(drain["200"]["content"]["application/json"]["schema"]["$ref"],
            "#/components/schemas/DrainReply");
  EXPECT_EQ(drain["202"]["content"], drain["200"]["content"]);
  EXPECT_TRUE(paths["/v1/servers/{server}/resume"]["post"]["responses"].contains("202"));
  EXPECT_TRUE(paths["/v1/servers/{server}/force"]["post"]["responses"].contains("202"));
  EXPECT_FALSE(paths["/v1/reload"]["post"]["responses"].contains("202"));
}

TEST(OpenApi, DescribesWhatIsWritten) {
  ServerView server;
  ServiceView service;
  service.name = "front-end";
  service.hook = HookOutcome{"ok", ""};
  HoldView hold;
  hold.expiry = Expiry{};
  hold.expiry->alarmed = true;
  hold.local = true;
  service.holds = {hold};
  server.services = {service};
  server.schedules = {ScheduleView{}};
  const ordered_json written = to_json(server);
  expect_members(written, "Server");
  expect_members(written["lease"], "Lease");
  expect_members(written["services"]["front-end"], "Service");
  expect_members(written["services"]["front-end"]["holds"][0], "Hold");
  expect_members(written["services"]["front-end"]["hook"], "Hook");
  expect_members(written["schedules"][0], "Schedule");
  expect_members(written["verdict"], "Verdict");
  PoolView pool;
  pool.answer_sets = {{"pool.example", "front-end", Fallback::None, {}, 0, 0, {}, {}}};
  expect_members(to_json(pool), "Pool");
  expect_members(to_json(pool)["answer_sets"][0], "AnswerSet");
  expect_members(to_json(ResponderView{}), "Responder");
  expect_members(to_json(OrphanView{}), "Orphan");
  expect_members(to_json(DrainReply{}), "DrainReply");
  expect_members(to_json(ResumeReply{}), "OrderReply");
  ResumeReply confirmed;
  confirmed.confirmed_by = {"ns1"};
  expect_members(to_json(confirmed), "OrderReply");
  ClusterView cluster;
  cluster.responders.resize(1);
  expect_members(to_json(cluster), "Cluster");
  expect_members(to_json(cluster)["responders"][0], "ClusterResponder");
  HeartbeatReply reply;
  reply.stale = true;
  reply.services["front-end"].refused = Refusal{};
  const ordered_json replied = ordered_json::parse(to_text(reply));
  expect_members(replied, "HeartbeatReply");
  expect_members(replied["services"]["front-end"], "ServiceOrder");
  expect_members(replied["services"]["front-end"]["refused"], "Refused");
  Refusal refusal;
  refusal.kind = Refusal::Kind::StoreFailed;
  refusal.rule = "floor";
  refusal.answer_set = "pool.example";
  refusal.member = "service";
  expect_members(ordered_json::parse(problem(refusal).body), "Problem");
  expect_members(ordered_json::parse(problem(std::vector<base::Error>(1)).body), "Problem");
}

}  // namespace
}  // namespace sluice::health
