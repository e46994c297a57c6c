// A connection's TLS, by a client that sends exactly the octets that it is told.

#include "health/api/http_connection.h"

#include <map>

#include "health/api/attempts.h"
#include "tests/config/base/tls_client.h"
#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

using base::testing::Certified;
using base::testing::TlsClient;
using ::testing::HasSubstr;

// A client with TLS over its socket.
class SecureClient {
 public:
  explicit SecureClient(const base::SocketAddress& address) : socket_(address) {}

  TlsClient& tls() { return tls_; }
  Client& socket() { return socket_; }

  // Whether the handshake is through. (Of TLS 1.3 the client's part: the server may still refuse.)
  bool connect() {
    socket_.send(tls_.go_on({}));
    while (!tls_.connected()) {
      const std::string octets = socket_.receive_some();
      if (octets.empty()) return false;
      socket_.send(tls_.go_on(octets));
    }
    return true;
  }
  // The response's status; 0: the connection ended. Its body is in `body`.
  int ask(std::string_view request, std::string* body = nullptr) {
    socket_.send(tls_.say(request));
    return hear(body);
  }
  int hear(std::string* body = nullptr) {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
      const std::string octets = socket_.receive_some();
      if (octets.empty()) return 0;
      socket_.send(tls_.go_on(octets));
      text += tls_.received();
    }
    if (body != nullptr) *body = text;
    return std::stoi(text.substr(9, 3));
  }
  // Whether it ends, and by a goodbye.
  bool ends() {
    while (true) {
      const std::string octets = socket_.receive_some();
      if (octets.empty()) return tls_.told_goodbye();
      tls_.go_on(octets);
    }
  }

 private:
  Client socket_;
  TlsClient tls_;
};

class TlsApiTest : public ApiTest {
 protected:
  TlsApiTest() { use({}); }

  // Writes the files anew, and what was loaded of them into the configuration.
  void use(std::string client_ca,
           base::ClientCertificates clients = base::ClientCertificates::Optional) {
    config::ApiTls tls;
    tls.files.certificate = folder_.put("api.crt", server_.certificate_pem());
    tls.files.key = folder_.put("api.key", server_.key_pem());
    if (!client_ca.empty()) tls.files.client_ca = folder_.put("ca.crt", client_ca);
    tls.clients = clients;
    auto loaded = base::TlsContext::load(
        tls.files, clients,
        std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now()));
    ASSERT_TRUE(loaded) << loaded.error().front().message;
    tls.context = *std::move(loaded);
    config_.api.tls = tls;
  }
  SecureClient secure() { return SecureClient(api_->listening().at(0)); }
  std::string metrics() {
    Client local(config_.api.socket.path);
    local.send(request("GET", "/metrics"));
    return local.receive().body;
  }
  void await_metric(const std::string& line) {
    for (int i = 0; i < 2'000; ++i) {
      if (metrics().find("\n" + line + "\n") != std::string::npos) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL() << "no " << line << " in\n" << metrics();
  }

  base::testing::Folder folder_;
  Certified authority_{{.subject = "authority"}};
  Certified server_{{.subject = "api", .names = "DNS:localhost"}, authority_};
};

TEST_F(TlsApiTest, AnswersByTls) {
  start();
  SecureClient client = secure();
  ASSERT_TRUE(client.connect());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.ask(request("GET", "/v1/pools", "dashboards")), 200);
    EXPECT_EQ(client.ask(request("GET", "/v1/pools")), 401);
  }
  EXPECT_EQ(client.ask("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200);
  EXPECT_TRUE(client.ends());
  await_metric("sluice_api_tls_handshakes_total{result=\"full\"} 1");
  EXPECT_THAT(metrics(), HasSubstr("\nsluice_api_certificate_expiry_timestamp_seconds "));
}

TEST_F(TlsApiTest, TakesOctetsOneByOne) {
  start();
  SecureClient client = secure();
  std::string octets = client.tls().go_on({});
  while (!client.tls().connected()) {
    for (const char octet : octets) client.socket().send({&octet, 1});
    octets = client.tls().go_on(client.socket().receive_some());
  }
  octets += client.tls().say(request("GET", "/healthz"));
  for (const char octet : octets) client.socket().send({&octet, 1});
  EXPECT_EQ(client.ask(request("GET", "/v1/pools", "dashboards")), 200);
}

TEST_F(TlsApiTest, AnswersWhoHasSaidAllBeforeTheHandshakeIsOver) {
  start();
  SecureClient client = secure();
  client.socket().send(client.tls().go_on({}));
  std::string octets;
  while (!client.tls().connected()) octets += client.tls().go_on(client.socket().receive_some());
  octets += client.tls().say(request("GET", "/healthz"));
  client.socket().send(octets);
  client.socket().end_sending();
  EXPECT_EQ(client.hear(), 200);
  EXPECT_TRUE(client.ends());
}

// Answers that are there at once, to who has broken TLS by then.
TEST_F(TlsApiTest, EndsWithWhoBreaksTlsBehindARequest) {
  start();
  const std::string broken = std::string("\x17\x03\x03\0\x20", 5) + std::string(32, '\0');
  for (const std::string& asked :
       {request("GET", "/nothing"), request("GET", "/v1/pools"), request("DELETE", "/v1/pools"),
        request("GET", "/nothing") + request("GET", "/nothing"), std::string("no request\r\n\r\n"),
        request("GET", "/healthz")}) {
    SecureClient client = secure();
    ASSERT_TRUE(client.connect());
    client.socket().send(client.tls().say(asked) + broken);
    client.socket().receive_octets("nothing");
  }
  SecureClient other = secure();
  ASSERT_TRUE(other.connect());
  EXPECT_EQ(other.ask(request("GET", "/v1/pools", "dashboards")), 200);
}

TEST_F(TlsApiTest, SaysThatItSpeaksTls) {
  start();
  Client client = connect();
  const Response response = client.ask(request("GET", "/v1/pools", "dashboards"));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.fields.at("connection"), "close");
  EXPECT_THAT(response.body, HasSubstr("https://"));
  client.end_sending();
  EXPECT_TRUE(client.ends());
  await_metric("sluice_api_tls_handshakes_total{result=\"plain_http\"} 1");
}

TEST_F(TlsApiTest, EndsWhatIsNoTls) {
  start();
  for (const std::string& octets :
       {std::string("\x16\x03\x01\x00\x05hello", 10), std::string(1'000, '\0')}) {
    Client client = connect();
    client.send(octets);
    client.receive_octets("nothing");
  }
  await_metric("sluice_api_tls_handshakes_total{result=\"protocol\"} 2");
  // Who leaves at once may be gone before it is looked at.
  Client leaving = connect();
  leaving.send(std::string("\x16\x03\x01\x00\x05hello", 10));
  leaving.end_sending();
  leaving.receive_octets("nothing");
  await_metric("sluice_api_tls_handshakes_in_flight 0");
}

TEST_F(TlsApiTest, LeavesTheSocketAsItIs) {
  start();
  Client local(config_.api.socket.path);
  EXPECT_EQ(local.ask(request("GET", "/v1/pools")).status, 200);
}

TEST_F(TlsApiTest, KnowsClientsByTheirCertificates) {
  use(authority_.certificate_pem());
  config_.api.tokens.push_back(
      {"cert-ops", config::Role::Operator, "", {}, base::subject_name("ops.example")});
  config_.api.tokens.push_back(
      {"cert-a", config::Role::Agent, "a.pool.example", {}, base::subject_name("spiffe://x/a")});
  start();
  const auto ask = [this](const std::string& names, const std::string& what) {
    SecureClient client = secure();
    client.tls().show(Certified({.names = names}, authority_));
    EXPECT_TRUE(client.connect());
    std::string text;
    const int status = client.ask(what, &text);
    return std::pair(status, text);
  };
  const std::string drain = request("POST", "/v1/servers/a/drain", {}, "{}");
  EXPECT_EQ(ask("DNS:Ops.Example", drain).first, 200);
  EXPECT_EQ(ask("URI:spiffe://x/a", drain).first, 403);
  EXPECT_EQ(ask("URI:spiffe://x/a", request("GET", "/v1/servers/a")).first, 200);
  EXPECT_THAT(ask("DNS:nobody.example", drain).second,
              HasSubstr("no entry of api.tokens has its name; its names are nobody.example"));
  EXPECT_THAT(ask("email:ops.example@x", drain).second, HasSubstr(" 401 "));
  EXPECT_THAT(ask("DNS:ops.example,URI:spiffe://x/a", drain).second,
              HasSubstr("the names of several entries"));
  EXPECT_THAT(ask("IP:127.0.0.1", drain).second, HasSubstr("it has no DNS, e-mail or URI"));
  // Who shows a token is who the token says.
  EXPECT_EQ(
      ask("DNS:ops.example", request("POST", "/v1/servers/a/drain", "dashboards", "{}")).first,
      403);
  EXPECT_EQ(ask("DNS:ops.example", request("GET", "/v1/pools", "wrong")).first, 401);
  // Without any, a token is asked for.
  SecureClient client = secure();
  ASSERT_TRUE(client.connect());
  EXPECT_EQ(client.ask(request("GET", "/v1/pools")), 401);
  EXPECT_EQ(client.ask(request("GET", "/v1/pools", "dashboards")), 200);
}

// Or a certificate would be a licence to guess tokens.
TEST_F(TlsApiTest, LimitsTheTokensThatAKnownCertificateTries) {
  use(authority_.certificate_pem());
  config_.api.tokens.push_back(
      {"cert-a", config::Role::Agent, "a.pool.example", {}, base::subject_name("a.example")});
  start();
  SecureClient client = secure();
  client.tls().show(Certified({.names = "DNS:a.example"}, authority_));
  ASSERT_TRUE(client.connect());
  std::map<int, int> statuses;
  for (int i = 0; i < 2 * Attempts::kBurst; ++i) {
    EXPECT_EQ(client.ask(request("GET", "/v1/servers/a")), 200);
    ++statuses[client.ask(request("GET", "/v1/servers/a", "wrong"))];
  }
  EXPECT_EQ(statuses[401] + statuses[429], 2 * Attempts::kBurst);
  EXPECT_GE(statuses[401], Attempts::kBurst);
  EXPECT_GT(statuses[429], 0);
}

// A browser shows a certificate whoever's page it is that asks.
TEST_F(TlsApiTest, APageOfAnotherSiteOrdersNothingByABrowsersCertificate) {
  use(authority_.certificate_pem());
  config_.api.tokens.push_back(
      {"ops", config::Role::Operator, "", {}, base::subject_name("ops.example")});
  start();
  SecureClient client = secure();
  client.tls().show(Certified({.names = "DNS:ops.example"}, authority_));
  ASSERT_TRUE(client.connect());
  const auto order = [&](const std::string& fields, const std::string& method = "POST") {
    const std::string content = method == "POST" ? "Content-Length: 2\r\n\r\n{}" : "\r\n";
    const std::string path = method == "POST" ? "/v1/servers/a/drain" : "/v1/servers/a";
    return client.ask(method + " " + path + " HTTP/1.1\r\nHost: ns1.example:8443\r\n" + fields +
                      content);
  };
  EXPECT_EQ(order(""), 200);
  EXPECT_EQ(order("Origin: https://ns1.example:8443\r\nSec-Fetch-Site: same-origin\r\n"), 200);
  EXPECT_EQ(order("Sec-Fetch-Site: cross-site\r\n", "GET"), 200) << "it can't be read there";
  for (const std::string fields :
       {"Origin: https://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n"}) {
    SecureClient page = secure();
    page.tls().show(Certified({.names = "DNS:ops.example"}, authority_));
    ASSERT_TRUE(page.connect());
    EXPECT_EQ(page.ask("POST /v1/servers/a/drain HTTP/1.1\r\nHost: ns1.example:8443\r\n" + fields +
                       "Content-Length: 2\r\n\r\n{}"),
              403)
        << fields;
  }
}

TEST_F(TlsApiTest, LooksWhetherACertificateIsStillGood) {
  use(authority_.certificate_pem());
  config_.api.tokens = {{"ops", config::Role::Operator, "", {}, base::subject_name("ops.example")}};
  start();
  SecureClient client = secure();
  client.tls().show(
      Certified({.names = "DNS:ops.example", .end = std::chrono::hours(1)}, authority_));
  ASSERT_TRUE(client.connect());
  EXPECT_EQ(client.ask(request("GET", "/v1/pools")), 200);
  // The test's clock has its own date: to the end of any certificate.
  std::string text;
  clock_.advance(std::chrono::hours(24 * 365 * 200));
  EXPECT_EQ(client.ask(request("GET", "/v1/pools"), &text), 401);
  EXPECT_THAT(text, HasSubstr("the certificate has expired since the connection began"));
}

TEST_F(TlsApiTest, TakesNewCertificatesWithoutACut) {
  use(authority_.certificate_pem());
  start();
  SecureClient client = secure();
  ASSERT_TRUE(client.connect());
  EXPECT_EQ(client.ask(request("GET", "/healthz")), 200);
  const Certified old = std::exchange(server_, Certified({.subject = "renewed"}, authority_));
  use(authority_.certificate_pem());
  ASSERT_TRUE(api_->use(config_.api));
  EXPECT_EQ(client.ask(request("GET", "/healthz")), 200);
  EXPECT_EQ(client.ask(request("GET", "/healthz")), 200) << "the same authority asks for the same";
  SecureClient next = secure();
  ASSERT_TRUE(next.connect());
  EXPECT_EQ(X509_cmp(SSL_get0_peer_certificate(next.tls().native()), server_.certificate()), 0);
  // Somebody else signs clients now: their next response is the last one.
  use(server_.certificate_pem());
  ASSERT_TRUE(api_->use(config_.api));
  EXPECT_EQ(client.ask(request("GET", "/healthz")), 200);
  EXPECT_TRUE(client.ends());
}

TEST_F(TlsApiTest, NeedsARestartToBecomePlain) {
  start();
  config::Api plain = config_.api;
  plain.tls.reset();
  const auto used = api_->use(plain);
  ASSERT_FALSE(used);
  EXPECT_EQ(base::to_string(used.error()), "api.tls: adding or removing it needs a restart");
}

TEST_F(TlsApiTest, SendsWhatIsLargeAsItIsTaken) {
  config_ = [this] {
    std::vector<std::string> labels;
    for (int i = 0; i < 250; ++i) labels.push_back("s" + std::to_string(i));
    config::Config config = test_config(labels);
    config.api = config_.api;
    return config;
  }();
  start();
  SecureClient client = secure();
  const int small = 64 * 1024;  // what its kernel takes: the rest waits with the server
  setsockopt(client.socket().descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  ASSERT_TRUE(client.connect());
  constexpr int kAsked = 20;
  std::string octets;
  for (int i = 0; i < kAsked; ++i) octets += request("GET", "/v1/pools", "dashboards");
  octets += request("GET", "/healthz");
  client.socket().send(client.tls().say(octets));
  int answered = 0;
  std::string text;
  while (text.find("alive") == std::string::npos) {
    const std::string came = client.socket().receive_some();
    ASSERT_FALSE(came.empty());
    client.socket().send(client.tls().go_on(came));
    text += client.tls().received();
    for (std::size_t at = 0; (at = text.find("HTTP/1.1 200 OK", at)) != std::string::npos; ++at) {
      ++answered;
    }
    // A beginning that is cut is found with the rest of it.
    if (text.size() > 14) text.erase(0, text.size() - 14);
  }
  EXPECT_EQ(answered, kAsked + 1);
}

// --- handshakes ---

HttpLimits few_places() {
  HttpLimits limits;
  limits.handshakes.places = 2;
  limits.handshakes.patience = std::chrono::milliseconds(300);
  return limits;
}

TEST_F(TlsApiTest, SilentClientsTakeNoPlace) {
  start(few_places());
  std::deque<Client> silent;
  for (int i = 0; i < 20; ++i) silent.emplace_back(api_->listening().at(0));
  for (int i = 0; i < 3; ++i) {
    SecureClient client = secure();
    ASSERT_TRUE(client.connect());
    EXPECT_EQ(client.ask(request("GET", "/healthz")), 200);
  }
  await_metric("sluice_api_tls_handshakes_in_flight 0");
  await_metric("sluice_api_tls_handshakes_waiting 0");
}

TEST_F(TlsApiTest, WhoStallsGivesWay) {
  start(few_places());
  std::deque<SecureClient> stalled;
  for (int i = 0; i < 6; ++i) {
    stalled.emplace_back(api_->listening().at(0));
    stalled.back().socket().send(stalled.back().tls().go_on({}));
  }
  await_metric("sluice_api_tls_handshakes_in_flight 2");
  SecureClient client = secure();
  ASSERT_TRUE(client.connect());
  EXPECT_EQ(client.ask(request("GET", "/healthz")), 200);
  await_metric("sluice_api_tls_handshakes_total{result=\"full\"} 1");
  EXPECT_THAT(metrics(), HasSubstr("sluice_api_tls_handshakes_total{result=\"gave_way\"} 5"));
}

TEST_F(TlsApiTest, HandshakesHaveATime) {
  HttpLimits limits;
  limits.handshake_time = std::chrono::milliseconds(100);
  start(limits);
  SecureClient client = secure();
  client.socket().send(client.tls().go_on({}));
  EXPECT_FALSE(client.socket().receive_some().empty());
  EXPECT_TRUE(client.socket().receive_some().empty());
  await_metric("sluice_api_tls_handshakes_total{result=\"timeout\"} 1");
}

TEST_F(TlsApiTest, ForgetsWhoLeaves) {
  start(few_places());
  {
    std::deque<SecureClient> leaving;
    for (int i = 0; i < 10; ++i) {
      leaving.emplace_back(api_->listening().at(0));
      leaving.back().socket().send(leaving.back().tls().go_on({}));
    }
    await_metric("sluice_api_tls_handshakes_in_flight 2");
  }
  await_metric("sluice_api_tls_handshakes_waiting 0");
  SecureClient client = secure();
  ASSERT_TRUE(client.connect());
  EXPECT_EQ(client.ask(request("GET", "/healthz")), 200);
}

TEST_F(TlsApiTest, CountsWhatAClientDoesNotTake) {
  HttpLimits limits;
  limits.unsent_octets = 1;
  start(limits);
  const auto await_status = [this](int status) {
    for (int i = 0; i < 2'000; ++i) {
      Client local(config_.api.socket.path);
      if (local.ask(request("GET", "/metrics")).status == status) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  };
  {
    SecureClient greedy = secure();
    ASSERT_TRUE(greedy.connect());
    std::string requests;  // for more than the kernel keeps
    for (int i = 0; i < 2'000; ++i) requests += request("GET", "/metrics", "dashboards");
    greedy.socket().send(greedy.tls().say(requests));
    EXPECT_TRUE(await_status(503)) << "what it does not read is nobody's";
  }
  EXPECT_TRUE(await_status(200)) << "what it has left behind is still counted";
}

TEST_F(TlsApiTest, SaysGoodbyeWhenItQuiesces) {
  start();
  SecureClient client = secure();
  ASSERT_TRUE(client.connect());
  EXPECT_EQ(client.ask(request("GET", "/healthz")), 200);
  api_->quiesce([] {});
  EXPECT_TRUE(client.ends());
}

TEST_F(TlsApiTest, EndsHandshakesWhenItQuiesces) {
  start(few_places());
  std::deque<SecureClient> stalled;
  for (int i = 0; i < 4; ++i) {
    stalled.emplace_back(api_->listening().at(0));
    stalled.back().socket().send(stalled.back().tls().go_on({}));
  }
  await_metric("sluice_api_tls_handshakes_in_flight 2");
  const auto quiet = std::make_shared<std::promise<void>>();
  api_->quiesce([quiet] { quiet->set_value(); });
  EXPECT_EQ(quiet->get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

}  // namespace
}  // namespace sluice::health::testing
