#include "health/etcd/sender.h"

#include <gmock/gmock.h>

#include "health/etcd/forms.h"
#include "tests/config/base/curl/http_peer.h"
#include "tests/config/base/loop.h"
#include "tests/health/etcd/client.h"
#include "tests/health/etcd/etcd_process.h"

namespace sluice::etcd {
namespace {

using base::answer;
using base::Asked;
using base::HttpPeer;
using Again = Sender::Again;
using cluster::Failure;
using Body = cluster::Reply<std::string>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string complaint(int code, const std::string& message) {
  return R"({"error":")" + message + R"(","message":")" + message + R"(","code":)" +
         std::to_string(code) + "}";
}

std::string nobody() {
  return "http://127.0.0.1:" + std::to_string(free_port());
}

class SenderTest : public testing::Test {
 protected:
  void make(std::vector<std::string> endpoints, const std::string& user = "") {
    settings_.endpoints = std::move(endpoints);
    settings_.user = user;
    settings_.password = user.empty() ? "" : "secret";
    sender_ = std::make_unique<Sender>(loop_.get(), settings_, notices_);
  }
  Body send(Again again, std::string_view path = path::kRange) {
    const auto begin = std::chrono::steady_clock::now();
    Body reply =
        loop_.answer<Body>([&](auto done) { sender_->send(path, "{}", again, std::move(done)); });
    EXPECT_LE(std::chrono::steady_clock::now() - begin, kLate);
    return reply;
  }

  base::TestLoop loop_;
  std::vector<std::string> said_;
  Notices notices_{[this](std::string text) { said_.push_back(std::move(text)); }};
  config::Etcd settings_;
  std::unique_ptr<Sender> sender_;
};

TEST_F(SenderTest, AsksTheNextWhenTheFirstIsNotThere) {
  HttpPeer second(loop_.get(), [](const Asked&) { return answer(200, "here"); });
  const std::string first = nobody();
  for (const Again again : {Again::Never, Again::Harmless}) {
    make({first, second.endpoint()});
    const Body reply = send(again);
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(*reply, "here");
  }
  ASSERT_EQ(said_.size(), 1U) << "of one kind";
  EXPECT_THAT(said_[0], testing::StartsWith("etcd endpoint " + first + " does not answer ("));
  EXPECT_THAT(said_[0], testing::EndsWith("); trying " + second.endpoint()));
}

TEST_F(SenderTest, AsksTheNextOfARequestThatMayBeRepeated) {
  HttpPeer silent(loop_.get(), [](const Asked&) { return ""; });
  HttpPeer closing(loop_.get(), [](const Asked&) { return std::nullopt; });
  HttpPeer leaderless(loop_.get(), [](const Asked&) {
    return answer(503, complaint(14, "etcdserver: no leader"));
  });
  HttpPeer stranger(loop_.get(), [](const Asked&) { return answer(404, "page not found"); });
  HttpPeer last(loop_.get(), [](const Asked&) { return answer(200, "here"); });
  for (HttpPeer* first : {&silent, &closing, &leaderless, &stranger}) {
    make({first->endpoint(), last.endpoint()});
    const Body reply = send(Again::Harmless);
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(first->asked().size(), 1U);
    ASSERT_TRUE(send(Again::Harmless));
    EXPECT_EQ(first->asked().size(), 1U) << "it is asked no more";
  }
}

TEST_F(SenderTest, NeverSendsATransactionTwice) {
  HttpPeer silent(loop_.get(), [](const Asked&) { return ""; });
  HttpPeer closing(loop_.get(), [](const Asked&) { return std::nullopt; });
  HttpPeer late(loop_.get(), [](const Asked&) {
    return answer(503, complaint(14, "etcdserver: request timed out"));
  });
  HttpPeer last(loop_.get(), [](const Asked&) { return answer(200, "here"); });
  for (HttpPeer* first : {&silent, &closing, &late}) {
    make({first->endpoint(), last.endpoint()});
    const Body reply = send(Again::Never);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().kind, Failure::Kind::Unreachable);
    EXPECT_EQ(last.asked().size(), 0U);
  }
  EXPECT_TRUE(send(Again::Never)) << "the next one goes to the next member";
}

TEST_F(SenderTest, SaysWhatTheLastOneSaidWhenNobodyAnswers) {
  const std::string first = nobody();
  const std::string second = nobody();
  make({first, second});
  const Body reply = send(Again::Harmless);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, Failure::Kind::Unreachable);
  EXPECT_THAT(reply.error().text, HasSubstr(second + ": "));
}

TEST_F(SenderTest, TakesARefusalForTheAnswer) {
  HttpPeer full(loop_.get(), [](const Asked&) {
    return answer(429, complaint(8, "etcdserver: mvcc: database space exceeded"));
  });
  HttpPeer second(loop_.get(), [](const Asked&) { return answer(200, ""); });
  make({full.endpoint(), second.endpoint()});
  const Body reply = send(Again::Harmless);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, Failure::Kind::Refused);
  EXPECT_EQ(reply.error().text, "etcdserver: mvcc: database space exceeded");
  EXPECT_THAT(second.asked(), IsEmpty());
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(SenderTest, AsksForMembersWithALeader) {
  HttpPeer member(loop_.get(), [](const Asked&) { return answer(200, ""); });
  make({member.endpoint()});
  ASSERT_TRUE(send(Again::Never));
  EXPECT_TRUE(member.asked()[0].has("grpc-metadata-hasleader: true"));
  EXPECT_FALSE(member.asked()[0].has("authorization"));
}

// Gives tokens T1, T2, ... and believes the newest alone.
struct Guarded {
  explicit Guarded(uv_loop_t* loop)
      : member(loop, [this](const Asked& asked) {
          if (asked.path == path::kAuthenticate) {
            return answer(200, R"({"token":"t)" + std::to_string(++given) + R"("})");
          }
          if (!asked.has("authorization: t" + std::to_string(given))) {
            return answer(401, complaint(16, "etcdserver: invalid auth token"));
          }
          return answer(200, "in");
        }) {}

  std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    for (const Asked& asked : member.asked()) paths.push_back(asked.path);
    return paths;
  }

  int given = 0;
  HttpPeer member;
};

TEST_F(SenderTest, SaysFirstWhoWeAre) {
  Guarded guarded(loop_.get());
  make({guarded.member.endpoint()}, "sluice");
  int in = 0;
  for (int i = 0; i < 3; ++i) {
    sender_->send(path::kRange, "{}", Again::Never,
                  [&](const Body& reply) { in += reply && *reply == "in" ? 1 : 0; });
  }
  ASSERT_TRUE(loop_.run_until([&] { return in == 3; }));
  EXPECT_THAT(guarded.paths(),
              ElementsAre("/v3/auth/authenticate", "/v3/kv/range", "/v3/kv/range", "/v3/kv/range"));
  EXPECT_EQ(guarded.member.asked()[0].body, R"({"name":"sluice","password":"secret"})");
}

TEST_F(SenderTest, AsksForAnotherTokenWhenOneIsNotBelieved) {
  Guarded guarded(loop_.get());
  make({guarded.member.endpoint()}, "sluice");
  ASSERT_TRUE(send(Again::Never));
  ++guarded.given;  // as after a restart
  const Body reply = send(Again::Never);
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_THAT(guarded.paths(), ElementsAre("/v3/auth/authenticate", "/v3/kv/range", "/v3/kv/range",
                                           "/v3/auth/authenticate", "/v3/kv/range"));
}

TEST_F(SenderTest, GivesUpWhenTheNewTokenIsNotBelievedEither) {
  HttpPeer member(loop_.get(), [](const Asked& asked) {
    return asked.path == path::kAuthenticate
               ? answer(200, R"({"token":"t"})")
               : answer(400, complaint(3, "etcdserver: invalid auth token"));
  });
  make({member.endpoint()}, "sluice");
  const Body reply = send(Again::Harmless);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, Failure::Kind::Refused);
  EXPECT_EQ(member.asked().size(), 4U);
}

TEST_F(SenderTest, RefusesForAllWhoWaitWhenThePasswordIsWrong) {
  HttpPeer member(loop_.get(), [](const Asked&) {
    return answer(400, complaint(3,
                                 "etcdserver: authentication failed, invalid user ID or "
                                 "password"));
  });
  make({member.endpoint()}, "sluice");
  int refused = 0;
  for (int i = 0; i < 3; ++i) {
    sender_->send(path::kRange, "{}", Again::Never, [&](const Body& reply) {
      refused += !reply && reply.error().kind == Failure::Kind::Refused ? 1 : 0;
    });
  }
  ASSERT_TRUE(loop_.run_until([&] { return refused == 3; }));
  EXPECT_EQ(member.asked().size(), 1U);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("does not let user sluice in: ")));
}

TEST_F(SenderTest, GoesOnWithoutATokenWhereNobodyAsksForOne) {
  HttpPeer member(loop_.get(), [](const Asked& asked) {
    return asked.path == path::kAuthenticate
               ? answer(412, complaint(9, "etcdserver: authentication is not enabled"))
               : answer(200, "in");
  });
  make({member.endpoint()}, "sluice");
  EXPECT_TRUE(send(Again::Never));
  EXPECT_TRUE(send(Again::Never));
  EXPECT_EQ(member.asked().size(), 3U);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("authentication is not enabled")));
}

TEST_F(SenderTest, FindsATokenThatCameTooLateForTheFirst) {
  HttpPeer member(loop_.get(), [](const Asked& asked) {
    return asked.path == path::kAuthenticate ? "" : answer(200, "in");
  });
  make({member.endpoint()}, "sluice");
  const Body first = send(Again::Never);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().text, "etcd does not let us in in time");
  member.send(answer(200, R"({"token":"t"})"));
  ASSERT_TRUE(send(Again::Never));
  EXPECT_EQ(member.asked().size(), 2U) << "a password costs etcd much";
}

TEST_F(SenderTest, AnswersInTimeThoughTheTokenNeverComes) {
  HttpPeer member(loop_.get(), [](const Asked&) { return ""; });
  make({member.endpoint()}, "sluice");
  const Body reply = send(Again::Never);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, Failure::Kind::Unreachable);
}

TEST_F(SenderTest, CallsNobodyWhenItIsGone) {
  HttpPeer member(loop_.get(), [](const Asked&) { return answer(200, ""); });
  make({member.endpoint()}, "sluice");
  int called = 0;
  for (int i = 0; i < 3; ++i) {
    sender_->send(path::kRange, "{}", Again::Never, [&](const Body&) {
      ++called;
      sender_.reset();
    });
  }
  ASSERT_TRUE(loop_.run_until([&] { return sender_ == nullptr; }));
  EXPECT_EQ(called, 1);
}

}  // namespace
}  // namespace sluice::etcd
