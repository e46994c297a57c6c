#include "health/api/shedding.h"

#include <future>
#include <optional>

#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

TEST(Shedding, RefusesWhatIsLargeOrStays) {
  std::vector<std::string_view> heavy;
  for (const Route& route : routes()) {
    if (is_heavy(route)) heavy.push_back(route.path);
  }
  EXPECT_THAT(heavy, ::testing::UnorderedElementsAre("/v1/pools", "/v1/events", "/v1/backup"));
}

class SheddingTest : public ApiTest {
 protected:
  // Done when the api thread has done it.
  void shed(bool on) {
    api_->shed(on);
    std::promise<void> done;
    api_->ask([&done] { done.set_value(); });
    done.get_future().wait();
  }
  Client local() { return Client(config_.api.socket.path); }
  static std::string push(int seq) {
    return request("PUT", "/v1/servers/a/heartbeat", "a",
                   R"({"instance": "boot", "seq": )" + std::to_string(seq) +
                       R"(, "services": {"front-end": {"health": "up"}}})");
  }
};

TEST_F(SheddingTest, EndsIdleReadersAndKeepsAgentsAndTheUnixSocket) {
  start();
  Client reader = connect();
  ASSERT_EQ(reader.ask(request("GET", "/v1/pools", "dashboards")).status, 200);
  Client silent = connect();
  Client agent = connect();
  ASSERT_EQ(agent.ask(push(1)).status, 200);
  Client operators = local();
  ASSERT_EQ(operators.ask(request("GET", "/v1/pools")).status, 200);
  shed(true);
  EXPECT_TRUE(reader.ends());
  EXPECT_TRUE(silent.ends());
  for (int seq = 2; seq < 5; ++seq) {
    const Response pushed = agent.ask(push(seq));
    EXPECT_EQ(pushed.status, 200);
    EXPECT_EQ(pushed.fields.at("connection"), "keep-alive");
  }
  EXPECT_EQ(operators.ask(request("GET", "/v1/pools")).status, 200);
  EXPECT_EQ(operators.ask(request("POST", "/v1/servers/a/drain", "", "{}")).status, 200);
}

TEST_F(SheddingTest, AnswersOverTheNetworkWhatIsSmallAndEndsTheConnection) {
  start();
  shed(true);
  const Response pools = ask("GET", "/v1/pools", "operations");
  EXPECT_EQ(pools.status, 503);
  EXPECT_EQ(pools.fields.at("retry-after"), "5");
  EXPECT_EQ(ask("GET", "/v1/events", "dashboards").status, 503);
  EXPECT_EQ(ask("GET", "/metrics", "dashboards").status, 200);
  const Response drained = ask("POST", "/v1/servers/a/drain", "operations", "{}");
  EXPECT_EQ(drained.status, 200);
  EXPECT_EQ(drained.fields.at("connection"), "close");
  EXPECT_EQ(ask("GET", "/v1/servers/a/verdict", "dashboards").status, 200);
  shed(false);
  Client client = connect();
  const Response again = client.ask(request("GET", "/v1/pools", "dashboards"));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.fields.at("connection"), "keep-alive");
}

TEST_F(SheddingTest, EndsStreamsInOrder) {
  start();
  Client watcher = connect();
  watcher.send(request("GET", "/v1/events", "dashboards"));
  ASSERT_EQ(watcher.receive().status, 200);
  shed(true);
  watcher.receive_chunks("never");
  EXPECT_TRUE(watcher.content_ended()) << "it may resume by its last id";
}

TEST_F(SheddingTest, AnOrderOnItsWayArrives) {
  start();
  Client client = connect();
  const std::string order = request("POST", "/v1/servers/a/drain", "operations", "{}");
  client.send(order.substr(0, order.size() - 1));
  EXPECT_EQ(ask("GET", "/healthz").status, 200);  // what came before has been read
  shed(true);
  EXPECT_EQ(client.ask("}").status, 200);
}

TEST_F(SheddingTest, ReadsNoLargeBodies) {
  start();
  const std::string head =
      "POST /v1/servers/a/drain HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer operations-token\r\n"
      "Content-Length: 100000\r\n\r\n";
  Client before = connect();
  before.send(head + std::string(50'000, ' '));
  EXPECT_EQ(ask("GET", "/healthz").status, 200);  // what came before has been read
  shed(true);
  EXPECT_TRUE(before.ends());
  Client after = connect();
  after.send(head + std::string(50'000, ' '));
  EXPECT_EQ(after.receive().status, 503);
  Client operators = local();
  operators.send(head);
  EXPECT_EQ(operators.ask("{}" + std::string(99'998, ' ')).status, 200) << "on the machine itself";
}

TEST_F(SheddingTest, TakesFewStrangersAtATimeAndAgentsAreNone) {
  HttpLimits limits;
  limits.strangers_when_short = 2;
  start(limits);
  shed(true);
  Client agent = connect();
  ASSERT_EQ(agent.ask(push(1)).status, 200);
  std::optional<Client> first(std::in_place, api_->listening().at(0));
  Client second = connect();
  Client third = connect();
  first->send("GET");
  second.send("GET");
  third.send(request("GET", "/healthz"));
  EXPECT_EQ(agent.ask(push(2)).status, 200);
  pollfd wait{third.descriptor(), POLLIN, 0};
  EXPECT_EQ(poll(&wait, 1, 100), 0) << "one too many";
  first.reset();
  EXPECT_EQ(third.receive().status, 200);
}

}  // namespace
}  // namespace sluice::health::testing
