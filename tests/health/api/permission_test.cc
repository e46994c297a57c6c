#include "health/api/permission.h"

#include <map>
#include <string>

#include "health/api/routes.h"
#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

using ::testing::HasSubstr;

// What a caller of each kind gets from a route.
struct Expected {
  int nobody, reader, of_all, of_its_pool, of_other_pool, its_agent, other_agent, local;
};

class PermissionTest : public ApiTest {
 protected:
  static config::Token limited(std::string name, std::string pool) {
    config::Token made = token(std::move(name), config::Role::Operator);
    made.pools = {std::move(pool)};
    return made;
  }
  PermissionTest() {
    config::Pool other = config_.pools.front();
    other.fqdn = "other.example";
    other.srv.clear();
    other.features.clear();
    other.servers.resize(2);
    other.servers[0].fqdn = "x.other.example";
    other.servers[0].addresses = {base::IpAddress::v4({192, 0, 2, 98})};
    other.servers[1].fqdn = "y.other.example";
    other.servers[1].addresses = {base::IpAddress::v4({192, 0, 2, 99})};
    config_.pools.push_back(other);
    config_.zones.push_back({"other.example", "", {}});
    config_.api.tokens.push_back(limited("day", "pool.example"));
    config_.api.tokens.push_back(limited("night", "other.example"));
  }

  Response drain(const std::string& server, const std::string& name) {
    return ask("POST", "/v1/servers/" + server + "/drain", name, R"({"reason": "patch"})");
  }
  Response plan(const std::string& server, const std::string& name) {
    return ask("POST", "/v1/servers/" + server + "/drain", name, R"({"at": "2h"})");
  }
};

constexpr int kIn = 0;  // neither 401 nor 403: whatever else the handler says

// Every route has its line here: one that is added fails this test until somebody has said who may
// ask it. The path names server a of pool.example, or a schedule that is not there.
TEST_F(PermissionTest, EveryRouteAsksOfEachRoleWhatThisTableSays) {
  const std::map<std::string, Expected> kTable{
      {"GET /v1/pools", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"GET /v1/pools/{pool}", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"GET /v1/servers/{server}", {401, kIn, kIn, kIn, kIn, kIn, 403, kIn}},
      {"POST /v1/servers/{server}/drain", {401, 403, kIn, kIn, 403, 403, 403, kIn}},
      {"POST /v1/servers/{server}/pause", {401, 403, kIn, kIn, 403, 403, 403, kIn}},
      {"POST /v1/servers/{server}/resume", {401, 403, kIn, kIn, 403, 403, 403, kIn}},
      {"POST /v1/servers/{server}/force", {401, 403, kIn, kIn, 403, 403, 403, kIn}},
      {"PUT /v1/servers/{server}/heartbeat", {401, 403, 403, 403, 403, kIn, 403, 403}},
      {"GET /v1/servers/{server}/verdict", {401, kIn, kIn, kIn, kIn, kIn, 403, kIn}},
      {"GET /v1/servers/{server}/history", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"GET /v1/schedules", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"GET /v1/schedules/{id}", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"DELETE /v1/schedules/{id}", {401, 403, kIn, kIn, kIn, 403, 403, kIn}},
      {"GET /v1/events", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"GET /v1/explain", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"GET /v1/responders", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"GET /v1/cluster", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"POST /v1/cluster/forget", {401, 403, kIn, 403, 403, 403, 403, kIn}},
      {"GET /v1/names", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"POST /v1/reload", {401, 403, kIn, 403, 403, 403, 403, kIn}},
      {"GET /v1/backup", {401, 403, kIn, 403, 403, 403, 403, kIn}},
      {"GET /v1/version", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
      {"GET /v1/openapi.json", {kIn, kIn, kIn, kIn, kIn, kIn, kIn, kIn}},
      {"GET /healthz", {kIn, kIn, kIn, kIn, kIn, kIn, kIn, kIn}},
      {"GET /readyz", {kIn, kIn, kIn, kIn, kIn, kIn, kIn, kIn}},
      {"GET /metrics", {401, kIn, kIn, kIn, kIn, 403, 403, kIn}},
  };
  start();
  std::size_t asked = 0;
  for (const Route& route : routes()) {
    const std::string name = std::string(to_string(route.method)) + " " + std::string(route.path);
    SCOPED_TRACE(name);
    const auto found = kTable.find(name);
    ASSERT_NE(found, kTable.end()) << "say in this table who may ask the new route";
    ++asked;
    std::string target(route.path);
    for (const auto& [placeholder, value] : std::map<std::string, std::string>{
             {"{pool}", "pool.example"}, {"{server}", "a.pool.example"}, {"{id}", "7"}}) {
      const std::size_t at = target.find(placeholder);
      if (at != std::string::npos) target.replace(at, placeholder.size(), value);
    }
    const std::map<std::string_view, std::string> kBodies{
        {"DrainOrder", "{}"},
        {"ResumeOrder", "{}"},
        {"ForceOrder", R"({"health": null})"},
        {"Heartbeat", R"({"instance": "boot", "seq": 1, "services": {}})"},
        {"ForgetOrder", R"({"responder": "ns2"})"},
        {"Nothing", "{}"}};
    ASSERT_TRUE(route.request.empty() || kBodies.contains(route.request)) << route.request;
    const std::string body = route.request.empty() ? "" : kBodies.at(route.request);
    const std::string method = route.path == "/v1/events" ? "HEAD" : to_string(route.method);
    const auto in_or_not = [](int status) {
      EXPECT_NE(status, 0);
      return status == 401 || status == 403 ? status : kIn;
    };
    const auto as = [&](const std::string& who) {
      return in_or_not(ask(method, target, who, body).status);
    };
    const Expected& expected = found->second;
    EXPECT_EQ(as(""), expected.nobody);
    EXPECT_EQ(as("dashboards"), expected.reader);
    EXPECT_EQ(as("operations"), expected.of_all);
    EXPECT_EQ(as("day"), expected.of_its_pool);
    EXPECT_EQ(as("night"), expected.of_other_pool);
    EXPECT_EQ(as("a"), expected.its_agent);
    EXPECT_EQ(as("b"), expected.other_agent);
    Client client(config_.api.socket.path);
    client.send(request(method, target, "", body));
    EXPECT_EQ(in_or_not(client.receive(method == "HEAD").status), expected.local);
  }
  EXPECT_EQ(asked, kTable.size()) << "a line of a route that is no more";
}

TEST_F(PermissionTest, AnOperatorOfAPoolActsOnItsServersAlone) {
  start();
  EXPECT_EQ(drain("a", "day").status, 200);
  const Response refused = drain("x", "day");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.fields.at("content-type"), "application/problem+json");
  const nlohmann::json document = refused.json();
  EXPECT_EQ(document["pool"], "other.example");
  EXPECT_EQ(document["pools"], nlohmann::json({"pool.example"}));
  EXPECT_THAT(std::string(document["detail"]),
              HasSubstr("x.other.example is a server of other.example"));
  const std::string force = R"({"health": "down"})";
  EXPECT_EQ(ask("POST", "/v1/servers/x/force", "day", force).status, 403);
  EXPECT_EQ(ask("POST", "/v1/servers/x/resume", "day").status, 403);
  EXPECT_EQ(ask("POST", "/v1/servers/x/pause", "day", "{}").status, 403);
  EXPECT_EQ(plan("x", "day").status, 403);
  EXPECT_EQ(drain("x", "night").status, 200);
  EXPECT_EQ(drain("nobody", "night").status, 404);
  // Nothing of what was refused happened.
  const nlohmann::json server = ask("GET", "/v1/servers/x", "day").json();
  EXPECT_EQ(server["services"]["front-end"]["holds"].size(), 1U);
  EXPECT_EQ(server["services"]["front-end"]["holds"][0]["by"], "night");
  EXPECT_EQ(server["services"]["front-end"]["forced"], nullptr);
}

TEST_F(PermissionTest, AnOperatorOfAPoolCancelsItsSchedulesAlone) {
  start();
  const Response planned = plan("a", "operations");
  ASSERT_EQ(planned.status, 201);
  const std::string target = "/v1/schedules/" + std::string(planned.json()["id"]);
  const Response refused = ask("DELETE", target, "night");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.json()["pool"], "pool.example");
  EXPECT_EQ(ask("GET", target, "night").status, 200) << "it is still planned, and all may see it";
  EXPECT_EQ(ask("DELETE", target, "day").status, 200);
}

// The hold of a server that a reload dropped comes back with the server, and so does what was
// planned for it: cancelling that is acting on whoever's it was.
TEST_F(PermissionTest, WhatIsOfAServerInNoPoolIsForOperatorsOfAllPools) {
  const Topology topology(test_config({"a", "b"}));
  const auto status = [&](const config::Token& who, std::string_view server) {
    Exchange exchange;
    exchange.who = {who.name, who.role, "", "", who.sha256};
    exchange.access = Access::Operator;
    const auto may = may_act_on(topology, Tokens({who}), exchange, server);
    return may ? 200 : may.error().response.status;
  };
  const config::Token all = token("all", config::Role::Operator);
  const config::Token day = limited("day", "pool.example");
  EXPECT_EQ(status(all, "gone.pool.example"), 200);
  EXPECT_EQ(status(day, "gone.pool.example"), 403);
  EXPECT_EQ(status(day, "a.pool.example"), 200);
  EXPECT_EQ(status(day, ""), 200) << "nobody's: 404 is another's matter";
}

TEST_F(PermissionTest, WhoAsksForAnothersIsAudited) {
  start();
  const auto events = [this](std::size_t count) {
    std::unique_lock lock(failures_mutex_);
    failures_came_.wait_for(lock, std::chrono::seconds(20),
                            [&] { return failures_.size() >= count; });
    return failures_;
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask("PUT", "/v1/servers/b/heartbeat", "a",
                  R"({"instance": "boot", "seq": 1, "services": {}})")
                  .status,
              403);
  }
  EXPECT_EQ(ask("GET", "/v1/servers/nobody", "a").status, 403);
  EXPECT_EQ(drain("x", "day").status, 403);
  const std::vector<Event> told = events(3);
  ASSERT_EQ(told.size(), 3U) << "each kind once";
  EXPECT_EQ(told[0].type, EventType::Forbidden);
  EXPECT_EQ(told[0].by, "a");
  EXPECT_EQ(told[0].server, "b.pool.example");
  EXPECT_TRUE(told[0].origin.starts_with("127.0.0.1@")) << told[0].origin;
  EXPECT_EQ(told[0].text, "the agent of a.pool.example asked for another server");
  EXPECT_EQ(told[1].server, "");
  EXPECT_EQ(told[2].by, "day");
  EXPECT_EQ(told[2].server, "x.other.example");
  EXPECT_THAT(told[2].text, HasSubstr("a server of other.example"));
  clock_.advance(std::chrono::minutes(1));
  const std::vector<Event> all = events(4);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[3].numbers.at("requests"), 2U);
}

// The head is judged when it comes; what was ordered, when it is done.
TEST_F(PermissionTest, AReloadBetweenHeadAndBodyDecides) {
  start();
  const std::string body = R"({"reason": "patch"})";
  // The 100 says that the head was let in.
  const auto begun = [&](Client& client, const std::string& server, const std::string& name) {
    const Response invited = client.ask(
        "POST /v1/servers/" + server +
        "/drain HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\nAuthorization: Bearer " + name + "-token\r\n\r\n");
    EXPECT_EQ(invited.status, 100);
  };
  Client removed = connect();
  Client moved = connect();
  Client widened = connect();
  begun(removed, "a", "operations");
  begun(moved, "a", "day");
  begun(widened, "b", "night");
  config::Api changed = config_.api;
  std::erase_if(changed.tokens, [](const config::Token& t) {
    return t.name == "operations" || t.name == "day" || t.name == "night";
  });
  changed.tokens.push_back(limited("day", "other.example"));
  changed.tokens.push_back(token("night", config::Role::Operator));
  ASSERT_TRUE(api_->use(changed));
  for (Client* client : {&removed, &moved, &widened}) client->send(body);
  const Response unknown = removed.receive();
  EXPECT_EQ(unknown.status, 401);
  EXPECT_THAT(unknown.body, HasSubstr("not known any more"));
  EXPECT_EQ(moved.receive().status, 403);
  EXPECT_EQ(widened.receive().status, 200);
}

}  // namespace
}  // namespace sluice::health::testing
