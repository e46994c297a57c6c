#include "health/api/http_message.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/health/api/world.h"

// What a client may cost (HttpLimits), and for how long it is let in.
namespace sluice::health::testing {
namespace {

using ::testing::HasSubstr;

// Of `octets` in all, each having 1 KiB of its own.
HttpLimits narrow(std::size_t octets) {
  HttpLimits limits;
  limits.own_octets = 1'024;
  limits.octets = octets;
  return limits;
}

std::string half_a_head(std::size_t octets) {
  const std::string begin = "GET /healthz HTTP/1.1\r\nX: ";
  return begin + std::string(octets - begin.size(), 'x');
}

TEST_F(ApiTest, WhoHoldsTooMuchIsCutAndOthersGoOn) {
  start(narrow(20'000));
  std::vector<std::unique_ptr<Client>> hoarders;
  std::size_t cut = 0;
  for (int i = 0; i < 10; ++i) {
    hoarders.push_back(std::make_unique<Client>(api_->listening().at(0)));
    hoarders.back()->send(half_a_head(8'000));
    // What somebody else asks comes after it.
    ASSERT_EQ(ask("GET", "/v1/pools", "dashboards").status, 200);
    pollfd there{hoarders.back()->descriptor(), POLLIN, 0};
    if (poll(&there, 1, 0) == 0) continue;
    const Response refused = hoarders.back()->receive();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.fields.at("retry-after"), "1");
    EXPECT_TRUE(hoarders.back()->ends());
    ++cut;
  }
  EXPECT_GE(cut, 7U);
  EXPECT_LT(cut, 10U) << "some fit";
  // A request that comes in two halves has room of its own.
  Client slow = connect();
  const std::string whole = request("POST", "/v1/servers/a/drain", "operations", "{}");
  slow.send(whole.substr(0, 60));
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  EXPECT_EQ(slow.ask(whole.substr(60)).status, 200);
  // Who leaves gives back what it held.
  hoarders.clear();
  Client late = connect();
  late.send(half_a_head(8'000));
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  late.send("\r\nHost: a\r\n\r\n");
  EXPECT_EQ(late.receive().status, 200);
}

TEST_F(ApiTest, BodiesAndPipelinesAreCountedToo) {
  start(narrow(20'000));
  Client body = connect();
  const std::string large(500'000, ' ');
  body.send(request("POST", "/v1/servers/a/drain", "operations", large).substr(0, 400'000));
  EXPECT_EQ(body.receive().status, 503);
  serving_ = false;
  Client pipeline = connect();
  pipeline.send(request("POST", "/v1/servers/a/drain", "operations", "{}"));
  while (ask("GET", "/v1/servers/a", "dashboards").json()["services"]["front-end"]["in_answers"]) {
  }
  pipeline.send(std::string(60'000, 'x'));
  EXPECT_EQ(pipeline.receive().status, 0) << "there is a request on its way: no answer to another";
  control_.call([this] { authority_->on_served(publisher_.publications); });
}

TEST_F(ApiTest, AHeadInPiecesIsHeldAtItsSize) {
  start(narrow(4'000));
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<Client>(api_->listening().at(0)));
    clients.back()->send(half_a_head(300));
  }
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  for (const auto& client : clients) {
    client->send("\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client->receive().status, 200);
  }
}

TEST_F(ApiTest, TooManyRequestsAtOnceAreToldToComeAgain) {
  HttpLimits limits;
  limits.requests = 2;
  serving_ = false;
  start(limits);
  std::vector<std::unique_ptr<Client>> waiting;
  for (const char* server : {"a", "b"}) {
    waiting.push_back(std::make_unique<Client>(api_->listening().at(0)));
    waiting.back()->send(
        request("POST", "/v1/servers/" + std::string(server) + "/drain", "operations", "{}"));
  }
  Response refused;
  while ((refused = ask("GET", "/v1/version", "dashboards")).status == 200) {
  }
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.fields.at("retry-after"), "1");
  EXPECT_EQ(heartbeat("a").status, 200) << "agents are heard all the same";
  control_.call([this] { authority_->on_served(publisher_.publications); });
  for (const auto& client : waiting) EXPECT_EQ(client->receive().status, 200);
}

// --- tokens that go ---

TEST_F(ApiTest, AStreamEndsWithTheTokenThatOpenedIt) {
  start();
  Client reader = connect();
  Client operations = connect();
  Client idle = connect();
  Client agent = connect();
  for (Client* client : {&reader, &operations}) {
    client->send(request("GET", "/v1/events", client == &reader ? "dashboards" : "operations"));
    EXPECT_EQ(client->receive().status, 200);
    client->receive_chunks("\n\n");
  }
  EXPECT_EQ(idle.ask(request("GET", "/v1/version", "dashboards")).status, 200);
  EXPECT_EQ(agent.ask(request("GET", "/v1/servers/a", "a")).status, 200);
  config::Api changed = config_.api;
  std::erase_if(changed.tokens,
                [](const config::Token& t) { return t.name == "dashboards" || t.name == "a"; });
  ASSERT_TRUE(api_->use(changed));
  reader.receive_chunks("never");
  EXPECT_TRUE(reader.content_ended());
  EXPECT_TRUE(reader.ends());
  EXPECT_TRUE(idle.ends());
  EXPECT_TRUE(agent.ends());
  // Who is still known reads on, and so do users of the socket.
  hub_.append(Event{});
  EXPECT_THAT(operations.receive_chunks("\n\n"), HasSubstr("data: "));
}

// --- who fails to authenticate ---

TEST_F(ApiTest, WhoGuessesIsNotLookedAtAnyMoreButNeighboursAre) {
  start();
  Client known = connect();
  EXPECT_EQ(known.ask(request("GET", "/v1/version", "dashboards")).status, 200);
  Client guesser = connect();
  Response response;
  int tried = 0;
  while ((response = guesser.ask(request("GET", "/v1/version", "guess"))).status == 401) ++tried;
  EXPECT_EQ(tried, 20);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.fields.at("retry-after"), "1");
  EXPECT_EQ(response.fields.at("content-type"), "application/problem+json");
  EXPECT_EQ(ask("GET", "/v1/version", "dashboards").status, 429) << "right or not";
  EXPECT_EQ(ask("GET", "/healthz", "guess").status, 200) << "where no token is needed";
  EXPECT_EQ(ask("GET", "/v1/version").status, 401) << "none is no attempt";
  EXPECT_EQ(known.ask(request("GET", "/v1/version", "operations")).status, 200);
  // Who was known and guesses is a guesser.
  EXPECT_EQ(known.ask(request("GET", "/v1/version", "guess")).status, 401);
  EXPECT_EQ(known.ask(request("GET", "/v1/version", "dashboards")).status, 429);
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(known.ask(request("GET", "/v1/version", "dashboards")).status, 200);
  const std::string page = ask("GET", "/metrics", "dashboards").body;
  for (const char* line : {"{reason=\"unknown\"} 21\n", "{reason=\"limited\"} 3\n",
                           "{reason=\"missing\"} 1\n", "{reason=\"malformed\"} 0\n"}) {
    EXPECT_THAT(page, HasSubstr("sluice_api_authentication_failures_total" + std::string(line)));
  }
}

TEST_F(ApiTest, ContentThatNobodyReadsIsRefusedAtItsHead) {
  start();
  Client client = connect();
  const Response response =
      client.ask("GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.fields.at("connection"), "close");
}

}  // namespace
}  // namespace sluice::health::testing
