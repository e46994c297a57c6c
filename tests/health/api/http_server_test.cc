#include "health/api/http_server.h"

#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kGet = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ApiTest, AnswersPipelinedRequestsInTheirOrder) {
  start();
  Client client = connect();
  std::string octets;
  for (int i = 0; i < 200; ++i) {
    octets += request("GET", "/healthz");
    octets += request("POST", "/v1/servers/a/drain", "operations", R"({"reason": "x"})");
    octets += request("GET", "/v1/servers/nobody", "dashboards");
    octets += request("POST", "/v1/servers/a/resume", "operations");
  }
  client.send(octets);
  for (int i = 0; i < 200; ++i) {
    ASSERT_THAT(client.receive().body, HasSubstr("alive"));
    ASSERT_THAT(client.receive().body, HasSubstr("confirmed_by"));
    ASSERT_EQ(client.receive().status, 404);
    ASSERT_EQ(client.receive().status, 200);
  }
}

TEST_F(ApiTest, RequestsOfClientsThatLeaveKeepTheirPlacesUntilTheyAreAnswered) {
  HttpLimits limits;
  limits.connections = 4;
  start(limits);
  std::promise<void> entered;
  std::promise<void> busy_is_over;
  control_.post([&] {  // the authority is busy
    entered.set_value();
    busy_is_over.get_future().wait();
  });
  entered.get_future().wait();
  for (int i = 0; i < 4; ++i) {
    Client client = connect();
    client.send(request("GET", "/v1/pools", "dashboards"));
    Client local(config_.api.socket.path);
    EXPECT_EQ(local.ask(request("GET", "/healthz")).status, 200);  // it has been read
    const struct linger reset { 1, 0 };
    setsockopt(client.descriptor(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  Client local(config_.api.socket.path);
  EXPECT_EQ(local.ask(request("GET", "/healthz")).status, 200);  // so have the resets
  Client late = connect();
  late.send(request("GET", "/healthz"));
  pollfd answer{late.descriptor(), POLLIN, 0};
  EXPECT_EQ(poll(&answer, 1, 100), 0) << "more than four requests are under way";
  busy_is_over.set_value();
  EXPECT_EQ(late.receive().status, 200);
}

TEST_F(ApiTest, ReadsRequestsThatArriveOctetByOctet) {
  start();
  Client client = connect();
  for (const char octet : request("POST", "/v1/servers/a/drain", "operations", "{}")) {
    client.send({&octet, 1});
  }
  EXPECT_EQ(client.receive().status, 200);
}

TEST_F(ApiTest, SaysWhatIsWrongAndEndsAConnectionThatCanNotBeRead) {
  start();
  struct Case {
    const char* octets;
    int status;
  };
  constexpr std::array kCases{
      Case{"\x16\x03\x01\x02\x01", 400},
      Case{"GET / HTTP/1.1\nHost: a\n\n", 400},
      Case{"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      Case{"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      Case{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
           "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
           400},
      Case{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413},
  };
  for (const Case& c : kCases) {
    Client client = connect();
    const Response response = client.ask(c.octets);
    EXPECT_EQ(response.status, c.status) << c.octets;
    EXPECT_EQ(response.fields.at("connection"), "close");
    EXPECT_EQ(response.fields.at("content-type"), "application/problem+json");
    client.end_sending();
    EXPECT_TRUE(client.ends()) << "a second response to " << c.octets;
  }
}

TEST_F(ApiTest, DoesNotReadABodyOfSomebodyUnknown) {
  start();
  Client client = connect();
  const Response response = client.ask(
      "PUT /v1/servers/a/heartbeat HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.fields.at("connection"), "close");
  // Without a body nothing is in doubt, and the connection stays.
  Client other = connect();
  EXPECT_EQ(other.ask(request("GET", "/v1/pools")).status, 401);
  EXPECT_EQ(other.ask(request("GET", "/v1/pools", "dashboards")).status, 200);
}

TEST_F(ApiTest, LetsAClientSeeTheRefusalOfALargeBody) {
  start();
  Client client = connect();
  std::string octets =
      "PUT /v1/servers/a/heartbeat HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\nAuthorization: Bearer a-token\r\n\r\n";
  for (int i = 0; i < 40; ++i) octets += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  client.send(octets);
  EXPECT_EQ(client.receive().status, 413);
}

TEST_F(ApiTest, InvitesABodyThatIsWelcome) {
  start();
  Client client = connect();
  const std::string body = R"({"instance": "b", "seq": 1, "services": {}})";
  const std::string head = "PUT /v1/servers/a/heartbeat HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\nExpect: 100-continue\r\n";
  EXPECT_EQ(client.ask(head + "Authorization: Bearer a-token\r\n\r\n").status, 100);
  EXPECT_EQ(client.ask(body).status, 200);
  EXPECT_EQ(connect().ask(head + "\r\n").status, 401) << "not invited";
}

TEST_F(ApiTest, SpeaksHttp10) {
  start();
  Client client = connect();
  const Response kept = client.ask("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.fields.at("connection"), "keep-alive");
  const Response last = client.ask("GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_EQ(last.fields.at("connection"), "close");
  client.end_sending();
  EXPECT_TRUE(client.ends());
}

TEST_F(ApiTest, EndsTheConnectionWhenAsked) {
  start();
  Client client = connect();
  client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + std::string(kGet));
  EXPECT_EQ(client.receive().fields.at("connection"), "close");
  client.end_sending();
  EXPECT_TRUE(client.ends()) << "what follows a close is not answered";
}

TEST_F(ApiTest, AnswersAClientThatHasClosedItsSide) {
  start();
  Client client = connect();
  client.send(std::string(kGet) + kGet);
  client.end_sending();
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_TRUE(client.ends());
}

HttpLimits quick() {
  HttpLimits limits;
  limits.idle = limits.head_time = limits.body_time = limits.write_time = limits.linger_time =
      std::chrono::milliseconds(100);
  return limits;
}

TEST_F(ApiTest, CutsClientsThatSayNothing) {
  start(quick());
  Client silent = connect();
  Client idle = connect();
  EXPECT_EQ(idle.ask(kGet).status, 200);
  EXPECT_TRUE(silent.ends());
  EXPECT_TRUE(idle.ends());
}

TEST_F(ApiTest, CutsClientsThatDoNotFinishARequest) {
  start(quick());
  Client half_head = connect();
  Client half_body = connect();
  half_head.send("GET /healthz HTTP/1.1\r\nHost");
  half_body.send(
      "PUT /v1/servers/a/heartbeat HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
      "Authorization: Bearer a-token\r\n\r\nhe");
  EXPECT_EQ(half_head.receive().status, 408);
  EXPECT_TRUE(half_head.ends());
  EXPECT_EQ(half_body.receive().status, 408);
  EXPECT_TRUE(half_body.ends());
}

TEST_F(ApiTest, GivesNoMoreTimeForOctetsThatTrickleIn) {
  start(quick());
  Client client = connect();
  // Each octet comes in time; the request as a whole does not.
  const std::string head = "GET /healthz HTTP/1.1\r\nX: " + std::string(5'000, 'x');
  pollfd wait{client.descriptor(), POLLIN, 0};
  std::size_t sent = 0;
  while (sent < head.size() && poll(&wait, 1, 5) == 0) client.send(head.substr(sent++, 1));
  EXPECT_LT(sent, head.size());
  EXPECT_EQ(client.receive().status, 408);
}

TEST_F(ApiTest, CutsAReaderThatDoesNotRead) {
  // Enough servers for a response that no socket buffer holds.
  config_ = [this] {
    std::vector<std::string> labels;
    for (int i = 0; i < 250; ++i) labels.push_back("s" + std::to_string(i));
    config::Config config = test_config(labels);
    config.api = config_.api;
    return config;
  }();
  start(quick());
  Client client = connect();
  std::string octets;
  for (int i = 0; i < 200; ++i) octets += request("GET", "/v1/pools", "dashboards");
  client.send(octets);
  // The client does not read until the server has given up: it says so by closing.
  pollfd wait{client.descriptor(), POLLRDHUP, 0};
  ASSERT_EQ(poll(&wait, 1, 20'000), 1);
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

// Of somebody known: strangers make room.
const std::string kKnown =
    "GET /v1/version HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer dashboards-token\r\n\r\n";

TEST_F(ApiTest, LetsClientsWaitWhenThereIsNoRoom) {
  HttpLimits limits;
  limits.connections = 2;
  limits.connections_per_address = 3;
  start(limits);
  auto first = std::make_unique<Client>(api_->listening().at(0));
  Client second = connect();
  EXPECT_EQ(first->ask(kKnown).status, 200);
  EXPECT_EQ(second.ask(kKnown).status, 200);
  Client third = connect();
  third.send(kGet);
  pollfd wait{third.descriptor(), POLLIN, 0};
  EXPECT_EQ(poll(&wait, 1, 50), 0) << "there was room for a third";
  // The local administrator has room of his own.
  EXPECT_EQ(Client(config_.api.socket.path).ask(kGet).status, 200);
  first.reset();
  EXPECT_EQ(third.receive().status, 200);
}

TEST_F(ApiTest, CountsTheClientsOfAllAddressesTogether) {
  config_.api.listen.push_back(config_.api.listen.front());
  HttpLimits limits;
  limits.connections = 1;
  limits.connections_per_address = 3;
  limits.local_connections = 1;
  start(limits);
  auto first = std::make_unique<Client>(api_->listening().at(0));
  EXPECT_EQ(first->ask(kKnown).status, 200);
  Client second(api_->listening().at(1));
  second.send(kGet);
  Client local(config_.api.socket.path);
  EXPECT_EQ(local.ask(kGet).status, 200);
  Client another(config_.api.socket.path);
  another.send(kGet);
  pollfd wait[]{{second.descriptor(), POLLIN, 0}, {another.descriptor(), POLLIN, 0}};
  EXPECT_EQ(poll(wait, 2, 50), 0) << "there was room for a second";
  first.reset();  // makes room at the other address
  EXPECT_EQ(second.receive().status, 200);
  EXPECT_EQ(poll(&wait[1], 1, 50), 0) << "room over TCP is none on the socket";
}

TEST_F(ApiTest, AStrangerMakesRoomForTheNextClient) {
  HttpLimits limits;
  limits.connections = 2;
  limits.connections_per_address = 3;
  start(limits);
  Client silent = connect();
  Client known = connect();
  EXPECT_EQ(known.ask(kKnown).status, 200);
  Client third = connect();
  EXPECT_EQ(third.ask(kKnown).status, 200);
  EXPECT_TRUE(silent.ends());
  EXPECT_EQ(known.ask(kKnown).status, 200) << "who is known stays";
}

TEST_F(ApiTest, TellsAnAddressThatHasEnoughConnections) {
  HttpLimits limits;
  limits.connections_per_address = 2;
  start(limits);
  auto first = std::make_unique<Client>(api_->listening().at(0));
  Client second = connect();
  EXPECT_EQ(first->ask(kGet).status, 200);
  EXPECT_EQ(second.ask(kGet).status, 200);
  Client third = connect();
  const Response refused = third.receive();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.fields.at("retry-after"), "1");
  EXPECT_EQ(refused.fields.at("connection"), "close");
  EXPECT_TRUE(third.ends());
  // Local users are not of that address; who leaves makes room.
  EXPECT_EQ(Client(config_.api.socket.path).ask(kGet).status, 200);
  first.reset();
  Response again;
  while ((again = connect().ask(kGet)).status != 200) {
  }
  EXPECT_EQ(again.status, 200);
}

TEST_F(ApiTest, AnAddressNeverHasAllConnections) {
  HttpLimits limits;
  limits.connections = 3;
  start(limits);
  Client first = connect();
  Client second = connect();
  EXPECT_EQ(first.ask(kGet).status, 200);
  EXPECT_EQ(second.ask(kGet).status, 200);
  EXPECT_EQ(connect().receive().status, 503);
}

// --- its end ---

TEST_F(ApiTest, FinishesWhatItWorksOnWhenItQuiesces) {
  serving_ = false;
  start();
  Client idle = connect();
  EXPECT_EQ(idle.ask(kGet).status, 200);
  Client busy = connect();
  busy.send(request("POST", "/v1/servers/a/drain", "operations", "{}"));
  // The drain is with the authority when this request is answered.
  while (ask("GET", "/v1/servers/a", "dashboards").json()["services"]["front-end"]["in_answers"]) {
  }
  const auto quiet = std::make_shared<std::promise<void>>();
  sockets_ = {};
  api_->quiesce([quiet] { quiet->set_value(); });
  EXPECT_TRUE(idle.ends());
  EXPECT_FALSE(Client(config_.api.socket.path).connected());
  control_.call([this] { authority_->on_served(publisher_.publications); });
  const Response response = busy.receive();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.fields.at("connection"), "close");
  busy.end_sending();
  quiet->get_future().wait();
  api_->stop();
}

TEST_F(ApiTest, DropsRepliesThatComeAfterItsEnd) {
  serving_ = false;
  start();
  Client client = connect();
  client.send(request("POST", "/v1/servers/a/drain", "operations", "{}"));
  while (ask("GET", "/v1/servers/a", "dashboards").json()["services"]["front-end"]["in_answers"]) {
  }
  api_.reset();
  EXPECT_TRUE(client.ends());
  control_.call([this] { authority_->on_served(publisher_.publications); });
}

TEST_F(ApiTest, DropsRepliesToClientsThatHaveLeft) {
  serving_ = false;
  start();
  {
    Client client = connect();
    client.send(request("POST", "/v1/servers/a/drain", "operations", "{}"));
    while (
        ask("GET", "/v1/servers/a", "dashboards").json()["services"]["front-end"]["in_answers"]) {
    }
  }
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  control_.call([this] { authority_->on_served(publisher_.publications); });
  EXPECT_EQ(ask("GET", "/v1/pools", "dashboards").status, 200);
}

TEST_F(ApiTest, SurvivesClientsThatLeaveAtAnyOctet) {
  start();
  const std::string octets = request("POST", "/v1/servers/a/drain", "operations", "{}");
  for (std::size_t size = 0; size <= octets.size(); ++size) {
    Client client = connect();
    client.send(octets.substr(0, size));
    if (size % 2 == 0) {
      const linger reset{1, 0};
      setsockopt(client.descriptor(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
  }
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

}  // namespace
}  // namespace sluice::health::testing
