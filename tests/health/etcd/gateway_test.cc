#include "health/etcd/gateway.h"

#include <gmock/gmock.h>

#include "tests/config/base/curl/http_peer.h"
#include "tests/config/base/loop.h"
#include "tests/health/etcd/etcd_process.h"

namespace sluice::etcd {
namespace {

using base::answer;
using base::Asked;
using base::HttpPeer;
using base::kStream;
using Outcome = base::Result<Gateway::Answer, Gateway::Failed>;
using std::chrono::milliseconds;
using testing::ElementsAre;

class GatewayTest : public testing::Test {
 protected:
  static Gateway::Post post_to(const std::string& endpoint, const std::string& body = "{}") {
    Gateway::Post post;
    post.url = endpoint + "/v3/x";
    post.body = body;
    post.connecting = milliseconds(2'000);
    post.limit = milliseconds(10'000);
    return post;
  }
  Outcome ask(Gateway::Post post) {
    return loop_.answer<Outcome>(
        [&](auto done) { gateway_->post(std::move(post), std::move(done)); });
  }

  base::TestLoop loop_;
  std::unique_ptr<Gateway> gateway_ = std::make_unique<Gateway>(loop_.get(), Gateway::Trust{});
};

TEST_F(GatewayTest, PostsAndBringsTheAnswer) {
  HttpPeer member(loop_.get(), [](const Asked& asked) { return answer(418, asked.body + "!"); });
  Gateway::Post post = post_to(member.endpoint(), std::string(100'000, 'x'));
  post.headers = {"Authorization: me"};
  const Outcome outcome = ask(std::move(post));
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_EQ(outcome->status, 418);
  EXPECT_EQ(outcome->body, std::string(100'000, 'x') + "!");
  ASSERT_EQ(member.asked().size(), 1U);
  EXPECT_EQ(member.asked()[0].path, "/v3/x");
  EXPECT_TRUE(member.asked()[0].has("authorization: me"));
  EXPECT_FALSE(member.asked()[0].has("expect:"));
}

TEST_F(GatewayTest, PostsManyAtATime) {
  HttpPeer member(loop_.get(), [](const Asked& asked) { return answer(200, asked.body); });
  std::vector<std::string> wrong;
  std::size_t right = 0;
  for (int i = 0; i < 40; ++i) {
    const std::string body = std::to_string(i);
    gateway_->post(post_to(member.endpoint(), body), [&, body](const Outcome& outcome) {
      if (outcome && outcome->body == body) {
        ++right;
      } else {
        wrong.push_back(outcome ? outcome->body : outcome.error().text);
      }
    });
  }
  EXPECT_TRUE(loop_.run_until([&] { return right + wrong.size() == 40; }));
  EXPECT_THAT(wrong, testing::IsEmpty());
}

TEST_F(GatewayTest, KnowsThatNothingWasSent) {
  const std::string nobody = "http://127.0.0.1:" + std::to_string(free_port());
  const Outcome outcome = ask(post_to(nobody));
  ASSERT_FALSE(outcome);
  EXPECT_FALSE(outcome.error().sent);
}

// A kept connection that ends in place of an answer: libcurl alone would send it again.
TEST_F(GatewayTest, SendsNothingTwice) {
  HttpPeer member(loop_.get(), [](const Asked& asked) -> std::optional<std::string> {
    if (asked.body == "second") return {};
    return answer(200, "");
  });
  ASSERT_TRUE(ask(post_to(member.endpoint(), "first")));
  const Outcome second = ask(post_to(member.endpoint(), "second"));
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().sent);
  EXPECT_EQ(member.asked().size(), 2U);
  EXPECT_TRUE(ask(post_to(member.endpoint(), "third"))) << "on a connection of its own";
}

TEST_F(GatewayTest, EndsWhatTakesTooLong) {
  HttpPeer member(loop_.get(), [](const Asked&) { return ""; });
  Gateway::Post post = post_to(member.endpoint());
  post.limit = milliseconds(50);
  const Outcome outcome = ask(std::move(post));
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().sent);
}

TEST_F(GatewayTest, BringsAStreamAsItComes) {
  HttpPeer member(loop_.get(), [](const Asked&) { return kStream; });
  std::string taken;
  std::optional<Outcome> end;
  Gateway::Post post = post_to(member.endpoint());
  post.limit = milliseconds(0);
  post.take = [&](std::string_view pieces) { taken += pieces; };
  gateway_->post(std::move(post), [&](Outcome outcome) { end.emplace(std::move(outcome)); });
  ASSERT_TRUE(loop_.run_until([&] { return member.asked().size() == 1; }));
  for (const std::string piece : {"a", "bc", "d"}) {
    member.send(piece);
    const std::size_t before = taken.size();
    ASSERT_TRUE(loop_.run_until([&] { return taken.size() == before + piece.size(); }));
  }
  EXPECT_EQ(taken, "abcd");
  EXPECT_FALSE(end);
  member.close_all();
  EXPECT_TRUE(loop_.run_until([&] { return end.has_value(); }));
}

TEST_F(GatewayTest, DropsWithoutACall) {
  HttpPeer member(loop_.get(), [](const Asked&) { return answer(200, ""); });
  bool called = false;
  const auto number =
      gateway_->post(post_to(member.endpoint()), [&](const Outcome&) { called = true; });
  gateway_->drop(number);
  gateway_->drop(number);
  EXPECT_TRUE(ask(post_to(member.endpoint())));
  EXPECT_FALSE(called);
}

TEST_F(GatewayTest, MayBeDestroyedByWhomItCalls) {
  HttpPeer member(loop_.get(), [](const Asked& asked) {
    return asked.body == "stream" ? kStream + "x" : answer(200, "");
  });
  for (const bool stream : {false, true}) {
    gateway_ = std::make_unique<Gateway>(loop_.get(), Gateway::Trust{});
    for (int i = 0; i < 3; ++i) {
      Gateway::Post post = post_to(member.endpoint(), stream ? "stream" : "{}");
      if (stream) post.take = [&](std::string_view) { gateway_.reset(); };
      gateway_->post(std::move(post), [&](const Outcome&) { gateway_.reset(); });
    }
    EXPECT_TRUE(loop_.run_until([&] { return gateway_ == nullptr; }));
  }
}

TEST_F(GatewayTest, FollowsNobodyElsewhere) {
  HttpPeer other(loop_.get(), [](const Asked&) { return answer(200, "elsewhere"); });
  HttpPeer member(loop_.get(), [&](const Asked&) {
    return "HTTP/1.1 307 X\r\nLocation: " + other.endpoint() + "/\r\nContent-Length: 0\r\n\r\n";
  });
  const Outcome outcome = ask(post_to(member.endpoint()));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->status, 307);
  EXPECT_TRUE(other.asked().empty());
}

}  // namespace
}  // namespace sluice::etcd
