#include "health/api/event_feed.h"

#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Over a real API: what a reader's socket gets.
class EventFeedTest : public ApiTest {
 protected:
  // On a busy machine 15 s may pass anywhere: comments are for the test that is about them.
  static HttpLimits without_comments() {
    HttpLimits limits;
    limits.stream_comment = std::chrono::hours(1);
    return limits;
  }
  void start(const HttpLimits& limits = without_comments()) { ApiTest::start(limits); }

  void happen(const std::string& text) {
    Event event;
    event.at = clock_.wall();
    event.type = EventType::Drain;
    event.server = "a.pool.example";
    event.by = "operations";
    event.text = text;
    event.generation = 17;
    hub_.append(event);
  }

  static std::string watch_request(const std::string& last_event_id = {}) {
    std::string octets =
        "GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer dashboards-token\r\n";
    if (!last_event_id.empty()) octets += "Last-Event-ID: " + last_event_id + "\r\n";
    return octets + "\r\n";
  }
};

std::string event_line(const char* id, const char* text) {
  return std::string("id: ") + id +
         "\nevent: drain\n"
         "data: {\"id\":\"" +
         id +
         "\",\"at\":\"2024-10-04T00:00:00Z\",\"type\":\"drain\",\"server\":\"a.pool.example\","
         "\"service\":null,\"by\":\"operations\",\"origin\":null,\"text\":\"" +
         text + "\",\"generation\":17}\n\n";
}

TEST_F(EventFeedTest, StreamsWhatHappensFromNowOn) {
  start();
  happen("before");
  Client client = connect();
  const Response head = client.ask(watch_request());
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.at("content-type"), "text/event-stream");
  EXPECT_EQ(head.fields.at("cache-control"), "no-store");
  EXPECT_EQ(head.fields.at("transfer-encoding"), "chunked");
  EXPECT_EQ(head.fields.count("content-length"), 0U);
  EXPECT_EQ(client.receive_chunks("\n\n"), ": from now on\nid: run-1\n\n");
  happen("first");
  EXPECT_EQ(client.receive_chunks("\n\n"), event_line("run-2", "first"));
  happen("line\\nfeed \\u2028");
  happen("third");
  client.receive_chunks("\n\n");
  EXPECT_EQ(client.receive_chunks("\n\n"), event_line("run-4", "third"));
}

TEST_F(EventFeedTest, KeepsAnEventOnOneLine) {
  start();
  Client client = connect();
  client.ask(watch_request());
  client.receive_chunks("\n\n");
  happen("a\nb\r\nc\n\nevent: forged\xff");
  const std::string octets = client.receive_chunks("\n\n");
  EXPECT_THAT(octets, HasSubstr(R"(a\nb\r\nc\n\nevent: forged)"));
  EXPECT_EQ(std::count(octets.begin(), octets.end(), '\n'), 4);
  EXPECT_THAT(octets, Not(HasSubstr("\r")));
}

TEST_F(EventFeedTest, ResumesAfterTheLastEventThatWasSeen) {
  start();
  for (const char* text : {"1", "2", "3", "4"}) happen(text);
  Client client = connect();
  client.ask(watch_request("run-2"));
  EXPECT_EQ(client.receive_chunks("\n\n"), ": resumed\n\n");
  EXPECT_EQ(client.receive_chunks("\n\n"), event_line("run-3", "3"));
  EXPECT_EQ(client.receive_chunks("\n\n"), event_line("run-4", "4"));
  happen("5");
  EXPECT_EQ(client.receive_chunks("\n\n"), event_line("run-5", "5"));
}

TEST_F(EventFeedTest, ResetsAReaderWhoseLastEventItDoesNotKnow) {
  start();
  for (int i = 1; i <= 150; ++i) happen(std::to_string(i));  // the ring keeps 100
  for (const char* id : {"run-49", "other-120", "x"}) {
    Client client = connect();
    client.ask(watch_request(id));
    const std::string reset = client.receive_chunks("\n\n");
    EXPECT_THAT(reset, StartsWith("id: run-50\nevent: reset\ndata: {\"type\":\"reset\",\"text\":"));
    EXPECT_EQ(client.receive_chunks("\n\n"), event_line("run-51", "51"));
  }
  Client client = connect();
  client.ask(watch_request("run-50"));
  EXPECT_EQ(client.receive_chunks("\n\n"), ": resumed\n\n") << "nothing is missing";
}

TEST_F(EventFeedTest, GivesAllToEveryReader) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<Client>(api_->listening().at(0)));
    clients.back()->ask(watch_request());
    clients.back()->receive_chunks("\n\n");
  }
  for (int i = 1; i <= 90; ++i) happen(std::to_string(i));
  for (const auto& client : clients) {
    for (int i = 1; i <= 90; ++i) {
      const std::string text = std::to_string(i);
      ASSERT_EQ(client->receive_chunks("\n\n"), event_line(("run-" + text).c_str(), text.c_str()));
    }
  }
}

TEST_F(EventFeedTest, SpeaksHttp10ByTheConnectionsEnd) {
  start();
  Client client = connect();
  const Response head = client.ask(
      "GET /v1/events HTTP/1.0\r\nConnection: keep-alive\r\n"
      "Authorization: Bearer dashboards-token\r\n\r\n");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.at("connection"), "close");
  EXPECT_EQ(head.fields.count("transfer-encoding"), 0U);
  EXPECT_EQ(client.receive_octets("\n\n"), ": from now on\nid: run-0\n\n");
  happen("first");
  EXPECT_EQ(client.receive_octets("\n\n"), event_line("run-1", "first"));
  api_.reset();
  EXPECT_TRUE(client.ends());
}

TEST_F(EventFeedTest, AnswersHeadAndGoesOn) {
  start();
  Client client = connect();
  client.send(request("HEAD", "/v1/events", "dashboards") + request("GET", "/healthz"));
  const Response head = client.receive(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.at("content-type"), "text/event-stream");
  EXPECT_THAT(client.receive().body, HasSubstr("alive"));
}

TEST_F(EventFeedTest, CommentsWhenNothingHappens) {
  HttpLimits limits;
  limits.stream_comment = std::chrono::milliseconds(20);
  start(limits);
  Client client = connect();
  client.ask(watch_request());
  client.receive_chunks("\n\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.receive_chunks("\n\n"), ": still here\n\n");
  happen("first");
  EXPECT_THAT(client.receive_chunks("event: drain"), HasSubstr("id: run-1\n"));
}

TEST_F(EventFeedTest, IsForReadersOnly) {
  start();
  EXPECT_EQ(ask("GET", "/v1/events").status, 401);
  EXPECT_EQ(ask("GET", "/v1/events", "a").status, 403);
  EXPECT_EQ(ask("GET", "/v1/events?last=run-1", "dashboards").status, 400);
  EXPECT_EQ(ask("POST", "/v1/events", "operations").status, 405);
}

TEST_F(EventFeedTest, HasRoomForSoManyReaders) {
  HttpLimits limits = without_comments();
  limits.streams = 2;
  start(limits);
  auto first = std::make_unique<Client>(api_->listening().at(0));
  first->ask(watch_request());
  Client second = connect();
  second.ask(watch_request());
  EXPECT_EQ(ask("GET", "/v1/events", "dashboards").status, 503);
  EXPECT_THAT(ask("GET", "/metrics", "dashboards").body, HasSubstr("sluice_api_event_readers 2\n"));
  first.reset();
  int status = 503;
  for (int turn = 0; turn < 1'000 && status == 503; ++turn) {
    Client third = connect();
    status = third.ask(watch_request()).status;
  }
  EXPECT_EQ(status, 200) << "who is gone leaves room";
}

TEST_F(EventFeedTest, CutsAReaderThatDoesNotRead) {
  HttpLimits limits = without_comments();
  limits.write_time = std::chrono::milliseconds(100);
  start(limits);
  Client stuck = connect();
  const int small = 4'096;
  setsockopt(stuck.descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  stuck.ask(watch_request());
  Client other = connect();
  other.ask(watch_request());
  other.receive_chunks("\n\n");
  pollfd wait{stuck.descriptor(), POLLRDHUP, 0};
  const std::string large(1'000, 'x');
  int happened = 0;
  while (poll(&wait, 1, 0) == 0 && happened < 20'000) {
    happen(large);
    ++happened;
    // Who reads is served meanwhile.
    ASSERT_THAT(other.receive_chunks("\n\n"), HasSubstr("id: run-" + std::to_string(happened)));
  }
  EXPECT_LT(happened, 20'000) << "the reader was not cut";
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(EventFeedTest, CutsAReaderThatIsTooFarBehind) {
  start();
  Client slow = connect();
  const int small = 4'096;
  setsockopt(slow.descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  slow.ask(watch_request());
  slow.receive_chunks("\n\n");
  Client other = connect();
  other.ask(watch_request());
  other.receive_chunks("\n\n");
  // More than sockets and portion hold, and than the ring keeps (100 events).
  for (int i = 1; i <= 1'000; ++i) {
    happen(std::string(1'000, 'x'));
    ASSERT_THAT(other.receive_chunks("\n\n"), HasSubstr("id: run-" + std::to_string(i)));
  }
  const std::string octets = slow.receive_chunks("run-1000");
  EXPECT_THAT(octets, HasSubstr("id: run-1\n"));
  EXPECT_THAT(octets, Not(HasSubstr("run-1000")));
  EXPECT_FALSE(slow.content_ended()) << "it must not look complete";
}

TEST_F(EventFeedTest, EndsWithTheProgram) {
  start();
  Client client = connect();
  client.ask(watch_request());
  client.receive_chunks("\n\n");
  happen("last words");
  const auto quiet = std::make_shared<std::promise<void>>();
  api_->quiesce([quiet] { quiet->set_value(); });
  EXPECT_EQ(quiet->get_future().wait_for(std::chrono::seconds(1)), std::future_status::ready)
      << "it waits for the reader to leave";
  EXPECT_EQ(client.receive_chunks("\n\n"), event_line("run-1", "last words"));
  EXPECT_EQ(client.receive_chunks("more"), "");
  EXPECT_TRUE(client.content_ended());
  EXPECT_TRUE(client.ends());
}

TEST_F(EventFeedTest, MayEndWhileReadersAreServed) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<Client>(api_->listening().at(0)));
    clients.back()->ask(watch_request());
  }
  std::thread appender([this] {
    for (int i = 0; i < 5'000; ++i) happen(std::to_string(i));
  });
  for (std::size_t i = 0; i < clients.size(); i += 2) clients[i].reset();
  api_.reset();
  appender.join();
  EXPECT_EQ(hub_.newest(), 5'000U);
}

}  // namespace
}  // namespace sluice::health::testing
