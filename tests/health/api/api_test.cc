#include "health/api/api.h"

#include "health/rfc3339.h"
#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using json = nlohmann::json;

// --- who may what ---

TEST_F(ApiTest, WantsATokenAndSaysWhichKind) {
  start();
  const Response response = ask("GET", "/v1/pools");
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(response.fields.at("www-authenticate"), HasSubstr("Bearer"));
  EXPECT_EQ(response.fields.at("content-type"), "application/problem+json");
  EXPECT_EQ(response.json()["status"], 401);
  EXPECT_EQ(response.json()["title"], "Unauthorized");
  EXPECT_EQ(ask("GET", "/v1/pools", "nobody").status, 401);
}

TEST_F(ApiTest, KnowsTheSchemeInAnyCaseAndNothingElse) {
  start();
  const auto status = [&](const std::string& field) {
    return connect()
        .ask("GET /v1/pools HTTP/1.1\r\nHost: a\r\nAuthorization: " + field + "\r\n\r\n")
        .status;
  };
  EXPECT_EQ(status("bearer dashboards-token"), 200);
  EXPECT_EQ(status("BEARER dashboards-token"), 200);
  EXPECT_EQ(status("Basic dashboards-token"), 401);
  EXPECT_EQ(status("Bearer"), 401);
  EXPECT_EQ(status("dashboards-token"), 401);
  EXPECT_EQ(status("Bearer dashboards-token, Bearer x"), 401);
  EXPECT_EQ(status("Bearer dashboards-token\r\nAuthorization: Bearer dashboards-token"), 400);
}

TEST_F(ApiTest, NeverTakesATokenFromTheUrl) {
  start();
  EXPECT_EQ(ask("GET", "/v1/pools?token=dashboards-token", "dashboards").status, 400);
  EXPECT_EQ(ask("GET", "/healthz?token=x").status, 400);
  EXPECT_EQ(ask("GET", "/v1/pools?to%6ben=dashboards-token").status, 400);
}

TEST_F(ApiTest, LetsEachRoleDoWhatIsItsOwn) {
  start();
  struct Case {
    const char* method;
    const char* target;
    int anyone, reader, operations, agent_a, agent_b;
  };
  constexpr std::array kCases{
      Case{"GET", "/v1/pools", 401, 200, 200, 403, 403},
      Case{"GET", "/v1/pools/pool.example", 401, 200, 200, 403, 403},
      Case{"GET", "/v1/servers/a.pool.example", 401, 200, 200, 200, 403},
      Case{"GET", "/v1/servers/nobody", 401, 404, 404, 403, 403},
      Case{"GET", "/v1/servers/a/verdict", 401, 200, 200, 200, 403},
      Case{"GET", "/v1/explain?name=pool.example", 401, 200, 200, 403, 403},
      Case{"GET", "/v1/names?kind=server", 401, 200, 200, 403, 403},
      Case{"POST", "/v1/servers/a/drain", 401, 403, 200, 403, 403},
      Case{"POST", "/v1/servers/a/resume", 401, 403, 200, 403, 403},
      Case{"PUT", "/v1/servers/a/heartbeat", 401, 403, 403, 400, 400},
      Case{"POST", "/v1/reload", 401, 403, 200, 403, 403},
      Case{"GET", "/metrics", 401, 200, 200, 403, 403},
      Case{"GET", "/v1/schedules", 401, 200, 200, 403, 403},
      Case{"GET", "/v1/schedules/7", 401, 404, 404, 403, 403},
      Case{"DELETE", "/v1/schedules/x", 401, 403, 404, 403, 403},
      Case{"GET", "/v1/servers/a/history", 401, 200, 200, 403, 403},
      Case{"HEAD", "/v1/events", 401, 200, 200, 403, 403},
      Case{"GET", "/v1/backup", 401, 403, 200, 403, 403},
      Case{"GET", "/healthz", 200, 200, 200, 200, 200},
      Case{"GET", "/readyz", 200, 200, 200, 200, 200},
      Case{"GET", "/v1/openapi.json", 200, 200, 200, 200, 200},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.method) + " " + c.target);
    EXPECT_EQ(ask(c.method, c.target).status, c.anyone);
    EXPECT_EQ(ask(c.method, c.target, "dashboards").status, c.reader);
    EXPECT_EQ(ask(c.method, c.target, "operations").status, c.operations);
    EXPECT_EQ(ask(c.method, c.target, "a").status, c.agent_a);
    EXPECT_EQ(ask(c.method, c.target, "b").status, c.agent_b);
  }
}

TEST_F(ApiTest, TakesHeartbeatsOfItsOwnServerAlone) {
  start();
  EXPECT_EQ(heartbeat("a").status, 200);
  const Response other = ask("PUT", "/v1/servers/b/heartbeat", "a",
                             R"({"instance": "boot", "seq": 1, "services": {}})");
  EXPECT_EQ(other.status, 403);
}

TEST_F(ApiTest, TakesOverTokensAtOnce) {
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(request("GET", "/v1/pools", "dashboards")).status, 200);
  config::Api changed = config_.api;
  changed.tokens = {token("others", config::Role::Reader)};
  ASSERT_TRUE(api_->use(changed));
  EXPECT_EQ(ask("GET", "/v1/pools", "dashboards").status, 401);
  EXPECT_EQ(ask("GET", "/v1/pools", "others").status, 200);
  EXPECT_TRUE(client.ends()) << "let in by a token that is gone";
}

TEST_F(ApiTest, RefusesOtherListenersWithoutARestart) {
  start();
  config::Api changed = config_.api;
  changed.tokens.clear();
  changed.listen.push_back(*base::SocketAddress::parse("::1@0"));
  auto used = api_->use(changed);
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().path, "api.listen");
  EXPECT_THAT(used.error().message, HasSubstr("needs a restart"));
  changed = config_.api;
  changed.socket.mode = 0600;
  EXPECT_EQ(api_->use(changed).error().path, "api.socket");
  EXPECT_EQ(ask("GET", "/v1/pools", "dashboards").status, 200) << "nothing changed";
}

// --- the unix socket ---

TEST_F(ApiTest, TrustsTheUsersOfTheSocketAndNamesThem) {
  start();
  Client client(config_.api.socket.path);
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.ask(request("POST", "/v1/servers/a/drain", "", "{}")).status, 200);
  const json server = client.ask(request("GET", "/v1/servers/a")).json();
  const json hold = server["services"]["front-end"]["holds"][0];
  const std::string by = hold["by"];
  EXPECT_FALSE(by.empty());
  EXPECT_NE(by, "unknown");
}

TEST_F(ApiTest, SaysWhyItCanNotListen) {
  start();
  config::Api second = config_.api;
  second.socket = {};
  second.listen = {api_->listening().at(0)};
  const auto refused = open_listen_sockets(second);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("address already in use"));
  EXPECT_THAT(refused.error().message, HasSubstr(second.listen[0].to_string()));

  second.listen.clear();
  second.socket.path = directory_ + "/" + std::string(200, 'x');
  EXPECT_THAT(open_listen_sockets(second).error().message, HasSubstr("at most 107"));
  second.socket.path = directory_ + "/other.sock";
  second.socket.group = "no-such-group";
  EXPECT_THAT(open_listen_sockets(second).error().message, HasSubstr("no group"));
}

// --- state ---

TEST_F(ApiTest, ShowsAServerAsTheContractHasIt) {
  start();
  heartbeat("a");
  clock_.advance(std::chrono::milliseconds(900));
  const Response response = ask("GET", "/v1/servers/A.Pool.Example.", "dashboards");
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(response.fields.at("content-type"), "application/json");
  EXPECT_EQ(response.fields.at("cache-control"), "no-store");
  const json server = response.json();
  EXPECT_EQ(server["server"], "a.pool.example");
  EXPECT_EQ(server["pool"], "pool.example");
  EXPECT_EQ(server["addresses"], json({"192.0.2.1"}));
  EXPECT_EQ(server["weight"], 100);
  EXPECT_EQ(server["lease"]["state"], "current");
  EXPECT_EQ(server["lease"]["expires_in"], 5.1);
  const json service = server["services"]["front-end"];
  EXPECT_EQ(service["status"], "accepting");
  EXPECT_EQ(service["health"], "up");
  EXPECT_EQ(service["forced"], nullptr);
  EXPECT_THAT(std::string(service["instance"]), HasSubstr("i1"));
  EXPECT_EQ(service["startup"], "automatic");
  EXPECT_EQ(service["sessions"], json({{"calls", 2}}));
  EXPECT_EQ(service["in_answers"], true);
  EXPECT_EQ(service["cache_horizon"], nullptr);
  EXPECT_EQ(service["holds"], json::array());
  EXPECT_EQ(service["title"], "Front-End");
  EXPECT_EQ(service["consolidates"], json({"registrar"}));
  EXPECT_EQ(service["verdict"]["safe_to_stop"], false);
  EXPECT_FALSE(server["verdict"]["reasons"].empty());
}

TEST_F(ApiTest, ShowsPoolsAndWhoAnswers) {
  start();
  const json all = ask("GET", "/v1/pools", "dashboards").json();
  EXPECT_TRUE(all["generation"].is_number_unsigned());
  EXPECT_EQ(all["orphans"], json::array());
  ASSERT_EQ(all["pools"].size(), 1U);
  const json pool = all["pools"][0];
  EXPECT_EQ(pool["pool"], "pool.example");
  EXPECT_EQ(pool["servers"].size(), 3U);
  EXPECT_EQ(pool["answer_sets"][0]["owner"], "pool.example");
  EXPECT_EQ(pool["answer_sets"][0]["fallback"], "none");
  EXPECT_EQ(pool["answer_sets"][0]["members"],
            json({"a.pool.example", "b.pool.example", "c.pool.example"}));
  EXPECT_EQ(ask("GET", "/v1/pools/POOL.example.", "dashboards").json()["pool"], "pool.example");
  EXPECT_EQ(ask("GET", "/v1/pools/pool", "dashboards").json()["pool"], "pool.example") << "a label";
  EXPECT_EQ(ask("GET", "/v1/pools/poo", "dashboards").status, 404);
  EXPECT_EQ(ask("GET", "/v1/pools/other.example", "dashboards").status, 404);
}

// What a check of the answers has to know, by real DNS and through caches.
TEST_F(ApiTest, ShowsWhoRespondsWhereAndWhatAnswersMayShow) {
  config_.pools[0].ttl = 40s;
  config_.pools[0].last_resort = {base::IpAddress::v4({192, 0, 2, 99})};
  config_.pools[0].when_all_held = config::WhenAllHeld::Addresses;
  config_.pools.push_back(config_.pools[0]);
  config_.pools[1].fqdn = "pool2.example";
  config_.pools[1].servers.resize(1);
  config_.pools[1].servers[0].fqdn = "a.pool2.example";
  config_.pools[1].answer_size = 2;
  config_.pools[1].last_resort.clear();
  config_.health.resolver_min_ttl = 60s;
  config_.health.horizon_margin = 2s;
  start();
  const json responders = ask("GET", "/v1/responders", "dashboards").json()["responders"];
  ASSERT_EQ(responders.size(), 1U);
  EXPECT_EQ(responders[0]["name"], "ns1");
  EXPECT_EQ(responders[0]["listen"], json({"192.0.2.53@53"}));
  EXPECT_EQ(responders[0]["zones"], json({"pool.example"}));
  const json pool = ask("GET", "/v1/pools/pool.example", "dashboards").json();
  EXPECT_EQ(pool["ttl"], 40);
  EXPECT_EQ(pool["answer_size"], nullptr);
  EXPECT_EQ(pool["last_resort"], json({"192.0.2.99"}));
  const std::string began = to_rfc3339(clock_.wall());
  EXPECT_EQ(pool["answer_sets"][0]["since"], began);
  EXPECT_EQ(pool["answer_sets"][0]["cache_horizon"], to_rfc3339(clock_.wall() + 62s));
  const json second = ask("GET", "/v1/pools/pool2.example", "dashboards").json();
  EXPECT_EQ(second["answer_size"], 2);
  EXPECT_EQ(second["last_resort"], json::array());
}

// --- failed authentications ---

TEST_F(ApiTest, TellsFailedAuthenticationsOncePerAddressAndMinute) {
  start();
  // What was told once there are so many.
  const auto told = [&](std::size_t count) {
    std::unique_lock lock(failures_mutex_);
    failures_came_.wait_for(lock, std::chrono::seconds(20),
                            [&] { return failures_.size() >= count; });
    return failures_;
  };
  EXPECT_EQ(ask("POST", "/v1/servers/a/drain", "dashboards").status, 403) << "known, not allowed";
  EXPECT_EQ(ask("GET", "/v1/pools").status, 401) << "no token is no attempt";
  // Those that are not looked at any more are attempts, too.
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ask("GET", "/v1/pools", "nobody").status, i < 20 ? 401 : 429);
  }
  EXPECT_TRUE(told(0).empty());
  clock_.advance(std::chrono::seconds(61));
  const std::vector<Event> first = told(1);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].type, EventType::Authentication);
  EXPECT_EQ(first[0].origin, "127.0.0.1");
  EXPECT_EQ(first[0].numbers.at("failures"), 50U);

  ask("GET", "/v1/pools", "nobody");
  const auto quiet = std::make_shared<std::promise<void>>();
  api_->quiesce([quiet] { quiet->set_value(); });
  quiet->get_future().wait();
  EXPECT_EQ(told(2).size(), 2U) << "what is left is told at the end";
}

// --- orders ---

TEST_F(ApiTest, DrainsAndResumes) {
  start();
  for (const char* server : {"a", "b", "c"}) heartbeat(server);
  const Response drained = ask("POST", "/v1/servers/a/drain", "operations",
                               R"({"reason": "patch", "startup": "manual", "hide_host": true})");
  ASSERT_EQ(drained.status, 200) << drained.body;
  EXPECT_EQ(drained.json()["confirmed_by"], json({"ns1"}));
  EXPECT_EQ(drained.json()["unconfirmed"], json::array());
  EXPECT_TRUE(drained.json()["cache_horizon"].is_string());
  EXPECT_TRUE(drained.json()["generation"].is_number_unsigned());
  EXPECT_TRUE(drained.json()["warnings"].is_array());

  json server = ask("GET", "/v1/servers/a", "dashboards").json();
  EXPECT_EQ(server["host_hidden"], true);
  const json hold = server["services"]["front-end"]["holds"][0];
  EXPECT_EQ(hold["scope"], "server");
  EXPECT_EQ(hold["origin"], "operator");
  EXPECT_EQ(hold["by"], "operations");
  EXPECT_EQ(hold["reason"], "patch");
  EXPECT_EQ(hold["startup"], "manual");
  EXPECT_EQ(server["services"]["front-end"]["status"], "draining");
  EXPECT_EQ(server["services"]["front-end"]["in_answers"], false);

  const json told = heartbeat("a").json();
  EXPECT_EQ(told["lease"], 6.0);
  EXPECT_EQ(told["services"]["front-end"],
            json({{"held", true}, {"reason", "patch"}, {"lift", false}, {"refused", nullptr}}));

  const Response resumed = ask("POST", "/v1/servers/a/resume", "operations");
  ASSERT_EQ(resumed.status, 200) << resumed.body;
  EXPECT_GT(resumed.json()["generation"], drained.json()["generation"]);
  server = ask("GET", "/v1/servers/a", "dashboards").json();
  EXPECT_EQ(server["services"]["front-end"]["status"], "accepting");
}

TEST_F(ApiTest, KnowsPauseAsAWordForDrain) {
  start();
  EXPECT_EQ(ask("POST", "/v1/servers/a/pause", "operations", R"({"service": "call-park"})").status,
            200);
}

TEST_F(ApiTest, NamesRuleAndNumbersOfARefusal) {
  config_.pools[0].min_accepting = 3;
  start();
  for (const char* server : {"a", "b", "c"}) heartbeat(server);
  const Response floor = ask("POST", "/v1/servers/a/drain", "operations");
  EXPECT_EQ(floor.status, 409);
  EXPECT_EQ(floor.json()["rule"], "floor");
  EXPECT_EQ(floor.json()["type"], "urn:sluice:rule:floor");
  EXPECT_EQ(floor.json()["numbers"]["min_accepting"], 3);
  EXPECT_FALSE(floor.json()["answer_set"].empty());
  const Response part =
      ask("POST", "/v1/servers/a/drain", "operations", R"({"service": "registrar"})");
  EXPECT_EQ(part.status, 409);
  EXPECT_EQ(part.json()["rule"], "consolidated");
  EXPECT_EQ(ask("POST", "/v1/servers/a/drain", "operations", R"({"force": true})").status, 200);
}

TEST_F(ApiTest, NamesTheMemberThatIsWrong) {
  start();
  const auto member = [&](const std::string& order, const std::string& body) {
    const Response response = ask("POST", "/v1/servers/a/" + order, "operations", body);
    EXPECT_EQ(response.status, 400) << body;
    return response.json().value("member", "");
  };
  EXPECT_EQ(member("drain", R"({"servcie": "front-end"})"), "servcie");
  EXPECT_EQ(member("drain", R"({"service": "none"})"), "service");
  EXPECT_EQ(member("drain", R"({"service": ""})"), "service");
  EXPECT_EQ(member("drain", R"({"startup": "later"})"), "startup");
  EXPECT_EQ(member("drain", R"({"force": 1})"), "force");
  EXPECT_EQ(member("drain", R"({"reason": "a", "reason": "b"})"), "reason");
  EXPECT_EQ(member("drain", R"({"reason": "\u001b[2J"})"), "reason");
  EXPECT_EQ(member("drain", R"({"at": "tomorrow"})"), "at");
  EXPECT_EQ(member("drain", R"({"expires": "1"})"), "expires");
  EXPECT_EQ(member("drain", R"({"then": "lift"})"), "then");
  EXPECT_EQ(member("drain", "[]"), "");
  EXPECT_EQ(member("drain", "{"), "");
  EXPECT_EQ(member("resume", R"({"reason": "x"})"), "reason");
  EXPECT_EQ(member("force", "{}"), "health");
  EXPECT_EQ(member("force", R"({"health": "stopped"})"), "health");
  const Response heartbeat = ask("PUT", "/v1/servers/a/heartbeat", "a",
                                 R"({"instance": "b", "seq": 1, "services": {"x": {}}})");
  EXPECT_EQ(heartbeat.status, 400);
  EXPECT_EQ(heartbeat.json()["member"], "services.x.health");
}

TEST_F(ApiTest, ForcesAndUnforces) {
  start();
  heartbeat("a");
  EXPECT_EQ(ask("POST", "/v1/servers/a/force", "operations", R"({"health": "down"})").status, 200);
  EXPECT_EQ(ask("GET", "/v1/servers/a", "a").json()["services"]["front-end"]["forced"], "down");
  EXPECT_EQ(ask("POST", "/v1/servers/a/force", "operations", R"({"health": null})").status, 200);
  EXPECT_EQ(ask("GET", "/v1/servers/a", "a").json()["services"]["front-end"]["forced"], nullptr);
}

TEST_F(ApiTest, RefusesAnOlderHeartbeat) {
  start();
  heartbeat("a");
  seq_ = 0;
  const Response older = heartbeat("a");
  EXPECT_EQ(older.status, 409);
  EXPECT_EQ(older.json()["rule"], "seq");
}

TEST_F(ApiTest, GivesVerdictsOfServersAndServices) {
  start();
  heartbeat("a");
  const json verdict = ask("GET", "/v1/servers/a/verdict", "a").json();
  EXPECT_EQ(verdict["safe_to_stop"], false);
  EXPECT_EQ(verdict["reasons"][0]["code"], "not-held");
  EXPECT_TRUE(verdict["warnings"].is_array());
  EXPECT_EQ(ask("GET", "/v1/servers/a/verdict?service=call-park", "a").status, 200);
  EXPECT_GE(ask("GET", "/v1/servers/a/verdict?service=none", "a").status, 400);
}

TEST_F(ApiTest, SaysThatAHoldIsInForceWhenTheStoreFails) {
  start();
  store_.failure = "database or disk is full";
  const Response response = ask("POST", "/v1/servers/a/drain", "operations");
  EXPECT_EQ(response.status, 507);
  EXPECT_EQ(response.json()["in_force"], true);
  EXPECT_THAT(std::string(response.json()["detail"]), HasSubstr("disk is full"));
  store_.failure.reset();
  EXPECT_EQ(ask("POST", "/v1/servers/a/drain", "operations").status, 200);
}

TEST_F(ApiTest, Reloads) {
  start();
  const Response done = ask("POST", "/v1/reload", "operations");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.json()["reloaded"], true);
  EXPECT_EQ(reloaded_by_, "operations");
  reload_errors_ = {{{"sluice.yaml", 12}, "pools[0].ttl", "must be 0s..7d, is 900d"}};
  const Response refused = ask("POST", "/v1/reload", "operations");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.json()["rule"], "configuration");
  EXPECT_EQ(refused.json()["errors"][0]["line"], 12);
  EXPECT_THAT(std::string(refused.json()["detail"]), HasSubstr("sluice.yaml:12: pools[0].ttl"));
}

// --- for machines ---

TEST_F(ApiTest, IsReadyWhenItIs) {
  start();
  EXPECT_EQ(ask("GET", "/readyz").json()["stale"], false);
  not_ready_ = "no worker has served the first generation";
  const Response response = ask("GET", "/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.json()["detail"], *not_ready_);
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(ApiTest, SaysSinceWhenAndWhyItsStateMayBeOld) {
  start();
  stale_ = Staleness{clock_.wall(), "etcd does not answer"};
  const Response response = ask("GET", "/readyz");
  EXPECT_EQ(response.status, 200) << "it answers";
  EXPECT_EQ(response.json(), json({{"status", "serving"},
                                   {"stale", true},
                                   {"since", to_rfc3339(clock_.wall())},
                                   {"reason", "etcd does not answer"}}));
  EXPECT_THAT(ask("GET", "/metrics", "dashboards").body, HasSubstr("\nsluice_state_stale 1\n"));
}

// --- a cluster ---

TEST_F(ApiTest, SaysThatThereIsNoCluster) {
  start();
  const Response none = ask("GET", "/v1/cluster", "dashboards");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.json()["detail"], "this responder has the embedded store");
  EXPECT_THAT(ask("GET", "/metrics", "dashboards").body, Not(HasSubstr("sluice_cluster_")));
  const Response local =
      ask("POST", "/v1/servers/a/drain", "operations", R"({"local_force": true})");
  EXPECT_EQ(local.status, 400);
  EXPECT_EQ(local.json()["member"], "local_force");
}

TEST_F(ApiTest, ShowsTheClusterToReaders) {
  start();
  cluster_ = ClusterView{};
  cluster_->state = ClusterState::Following;
  cluster_->decider = "ns2";
  cluster_->responders.resize(2);
  cluster_->responders[1].name = "ns2";
  cluster_->responders[1].alive = true;
  const json cluster = ask("GET", "/v1/cluster", "dashboards").json();
  EXPECT_EQ(cluster["state"], "following");
  EXPECT_EQ(cluster["decider"], "ns2");
  EXPECT_EQ(cluster["responders"][1]["name"], "ns2");
  EXPECT_THAT(ask("GET", "/metrics", "dashboards").body,
              HasSubstr("\nsluice_cluster_responders{state=\"lost\"} 1\n"));
  EXPECT_EQ(ask("POST", "/v1/servers/a/drain", "operations", R"({"local_force": true})").status,
            200);
}

TEST_F(ApiTest, ForgetsAResponder) {
  start();
  const std::string ns2 = R"({"responder": "ns2"})";
  const Response done = ask("POST", "/v1/cluster/forget", "operations", ns2);
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.json(), json({{"forgotten", "ns2"}}));
  EXPECT_THAT(forgotten_, ElementsAre("operations forgot ns2"));
  Refusal alive = refuse(Refusal::Kind::Rule, "ns2 is alive");
  alive.rule = "alive";
  forget_ = base::Unexpected{alive};
  const Response refused = ask("POST", "/v1/cluster/forget", "operations", ns2);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.json()["rule"], "alive");
  forget_ = base::Unexpected{refuse(Refusal::Kind::NotFound, "there is no responder ns2")};
  EXPECT_EQ(ask("POST", "/v1/cluster/forget", "operations", ns2).status, 404);
  EXPECT_EQ(ask("POST", "/v1/cluster/forget", "operations", "{}").json()["member"], "responder");
}

TEST_F(ApiTest, ShowsMetrics) {
  start();
  heartbeat("a");
  store_.histogram.observe(std::chrono::milliseconds(3));
  const Response response = ask("GET", "/metrics", "dashboards");
  EXPECT_THAT(response.fields.at("content-type"), HasSubstr("version=0.0.4"));
  for (const char* line :
       {"sluice_servers{pool=\"pool.example\",service=\"front-end\",status=\"accepting\"} 1\n",
        "sluice_holds{origin=\"operator\"} 0\n",
        "sluice_mass_loss_guard_active{pool=\"pool.example\"} 0\n", "sluice_state_stale 0\n",
        "sluice_heartbeats_total 1\n", "sluice_store_failures_total 0\n",
        "# TYPE sluice_drain_ack_seconds histogram\n",
        "sluice_store_commit_seconds_bucket{le=\"0.005\"} 1\n",
        "sluice_store_commit_seconds_bucket{le=\"+Inf\"} 1\n",
        "sluice_store_commit_seconds_count 1\n", "sluice_dns_queries_total 7\n",
        "sluice_api_event_readers 0\n",
        "sluice_api_requests_total{method=\"PUT\",path=\"/v1/servers/{server}/"
        "heartbeat\",code=\"200\"} "
        "1\n"}) {
    EXPECT_THAT(response.body, HasSubstr(line));
  }
}

TEST_F(ApiTest, AnswersHeadLikeGetWithoutTheContent) {
  start();
  Client client = connect();
  client.send(request("HEAD", "/v1/pools", "dashboards") +
              request("GET", "/v1/pools", "dashboards"));
  const Response head = client.receive(true);
  const Response get = client.receive();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.at("content-length"), get.fields.at("content-length"));
  EXPECT_EQ(std::to_string(get.body.size()), get.fields.at("content-length"));
}

TEST_F(ApiTest, NamesTheMethodsOfAPath) {
  start();
  const Response wrong = ask("DELETE", "/v1/pools", "operations");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.fields.at("allow"), "GET, HEAD, OPTIONS");
  const Response options = ask("OPTIONS", "/v1/servers/a/drain");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.fields.at("allow"), "POST, OPTIONS");
  EXPECT_EQ(options.fields.count("content-length"), 0U);
  EXPECT_EQ(ask("PUT", "/v1/schedules/7", "operations").fields.at("allow"),
            "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "*").status, 204);
  EXPECT_EQ(ask("TRACE", "/healthz").status, 405);
}

TEST_F(ApiTest, KnowsNoOtherPaths) {
  start();
  for (const char* path :
       {"/", "/v1", "/v1/", "/v1/pools/", "//v1/pools", "/v1/../v1/pools", "/v1/pools/a/b",
        "/v1/event", "/v1/schedules/1/2", "/v1/servers/a/events", "/v1/servers/a%2Fdrain",
        "/healthz/x", "/V1/pools"}) {
    EXPECT_EQ(ask("GET", path, "operations").status, 404) << path;
  }
  EXPECT_EQ(ask("GET", "/v1/pools%", "operations").status, 400);
  EXPECT_EQ(ask("GET", "/v1/pools%00", "operations").status, 400);
  EXPECT_EQ(ask("GET", "/v1/pools?x=%zz", "operations").status, 400);
}

TEST_F(ApiTest, PutsNothingOfTheClientIntoFields) {
  start();
  for (const char* target : {"/v1/%0d%0aX:%20y", "/x?%0d%0aX=y", "/v1/servers/%c3%a9%ff"}) {
    const Response response = ask("GET", target, "operations");
    EXPECT_GE(response.status, 400);
    EXPECT_EQ(response.fields.count("x"), 0U);
    EXPECT_FALSE(response.json().is_discarded()) << "invalid JSON";
  }
}

}  // namespace
}  // namespace sluice::health::testing
