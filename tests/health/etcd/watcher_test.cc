#include "health/etcd/watcher.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "health/etcd/base64.h"
#include "tests/config/base/curl/http_peer.h"
#include "tests/health/etcd/client.h"

// The watch as EtcdKv has it, with members that do what a real one does not do when it is asked to.
namespace sluice::etcd {
namespace {

using base::Asked;
using base::HttpPeer;
using base::kStream;
using cluster::Change;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kMade = R"({"result":{"header":{"revision":"5"},"created":true}})"
                          "\n";

std::string event(const std::string& key, std::int64_t revision) {
  return R"({"kv":{"key":")" + to_base64("/sluice/" + key) + R"(","mod_revision":")" +
         std::to_string(revision) + R"(","value":")" + to_base64("v") + R"("}})";
}

std::string line(const std::vector<std::string>& events) {
  std::string text = R"({"result":{"header":{"revision":"9"},"events":[)";
  for (const std::string& one : events) text += (text.back() == '[' ? "" : ",") + one;
  return text + "]}}\n";
}

// After which revision it was asked to watch.
std::int64_t after(const Asked& asked) {
  const auto create = nlohmann::json::parse(asked.body)["create_request"];
  return std::stoll(create["start_revision"].get<std::string>()) - 1;
}

// A client whose first member does what a test says, and whose second is good.
class WatcherTest : public testing::Test {
 protected:
  void begin(HttpPeer::Answer first) {
    first_ = std::make_unique<HttpPeer>(client_loop(), std::move(first));
    second_ = std::make_unique<HttpPeer>(client_loop(), [](const Asked&) {
      return kStream + kMade + line({event("from-second", 8)});
    });
    client_.kv = std::make_unique<EtcdKv>(
        client_loop(), settings({first_->endpoint(), second_->endpoint()}),
        [this](std::string text) { client_.notices.push_back(std::move(text)); });
    client_.watch(5);
  }
  uv_loop_t* client_loop() { return client_.loop.get(); }

  Client client_{settings({"http://127.0.0.1:1"})};
  std::unique_ptr<HttpPeer> first_;
  std::unique_ptr<HttpPeer> second_;
};

TEST_F(WatcherTest, ReadsAStreamThatIsCutAnywhere) {
  begin([](const Asked&) { return kStream; });
  ASSERT_TRUE(client_.loop.run_until([&] { return first_->asked().size() == 1; }));
  const std::string whole =
      kMade + line({event("a", 6), event("b", 6)}) + kMade + "\n" + line({event("c", 7)});
  for (const char octet : whole) {
    first_->send({octet});
    uv_run(client_loop(), UV_RUN_NOWAIT);
  }
  ASSERT_TRUE(client_.sees(3));
  EXPECT_THAT(client_.seen,
              ElementsAre(Change{"a", "v", 6, 0}, Change{"b", "v", 6, 0}, Change{"c", "v", 7, 0}));
  EXPECT_THAT(client_.calls, ElementsAre(2, 1)) << "all of a revision in one call";
}

TEST_F(WatcherTest, GoesOnAtTheNextMemberFromWhatItHad) {
  const std::vector<std::string> ends{
      // A member that has lost its leader; one whose rights were changed; nonsense; half a line.
      R"({"error":{"grpc_code":14,"message":"etcdserver: no leader"}})"
      "\n",
      R"({"result":{"canceled":true,"cancel_reason":"etcdserver: permission denied"}})"
      "\n",
      "{}\n", R"({"result":{"eve)"};
  for (const std::string& end : ends) {
    client_.seen.clear();
    int times = 0;
    begin([&](const Asked&) {
      return ++times > 1 ? std::nullopt
                         : std::optional(kStream + kMade + line({event("from-first", 7)}) + end);
    });
    ASSERT_TRUE(client_.sees(1));
    if (!end.ends_with('\n')) first_->close_all();
    ASSERT_TRUE(client_.sees(2)) << end;
    EXPECT_THAT(client_.seen,
                ElementsAre(Change{"from-first", "v", 7, 0}, Change{"from-second", "v", 8, 0}));
    EXPECT_EQ(after(second_->asked()[0]), 7);
  }
  EXPECT_THAT(client_.notices,
              ElementsAre(HasSubstr("ended the watch (etcdserver: no leader)"),
                          HasSubstr("ended the watch (etcdserver: permission"),
                          HasSubstr("cannot be read"), HasSubstr("the stream ended")));
}

TEST_F(WatcherTest, LeavesAMemberThatNeverAnswers) {
  begin([](const Asked&) { return ""; });
  ASSERT_TRUE(client_.sees(1));
  EXPECT_EQ(client_.seen[0].key, "from-second");
}

TEST_F(WatcherTest, IsRenewedAtAnotherMember) {
  begin([](const Asked&) { return kStream + kMade; });
  ASSERT_TRUE(client_.loop.run_until([&] { return first_->asked().size() == 1; }));
  uv_run(client_loop(), UV_RUN_NOWAIT);
  client_.kv->renew_watch();
  ASSERT_TRUE(client_.sees(1));
  EXPECT_EQ(client_.seen[0].key, "from-second");
  EXPECT_THAT(client_.notices, IsEmpty());
}

TEST_F(WatcherTest, RenewedManyTimesAtOnceIsOneStream) {
  begin([](const Asked&) { return kStream + kMade + line({event("a", 6)}); });
  for (int i = 0; i < 5; ++i) client_.kv->renew_watch();
  ASSERT_TRUE(client_.sees(1));
  EXPECT_EQ(first_->asked().size() + second_->asked().size(), 1U);
}

TEST_F(WatcherTest, TellsNothingTwice) {
  begin([](const Asked&) {
    return kStream + kMade + line({event("old", 5), event("new", 6)}) + line({event("new", 6)}) +
           line({event("newer", 7)});
  });
  ASSERT_TRUE(client_.sees(2));
  EXPECT_THAT(client_.seen, ElementsAre(Change{"new", "v", 6, 0}, Change{"newer", "v", 7, 0}));
}

TEST_F(WatcherTest, EndsWithACompaction) {
  begin([](const Asked&) {
    return kStream + kMade +
           R"({"result":{"canceled":true,"compact_revision":"9"}})"
           "\n" +
           line({event("late", 9)});
  });
  ASSERT_TRUE(client_.loop.run_until([&] { return client_.compacted; }));
  EXPECT_THAT(client_.seen, IsEmpty());
}

TEST_F(WatcherTest, TheNewestWatchIsTheOnlyOne) {
  begin([](const Asked&) { return kStream + kMade + line({event("a", 6)}); });
  bool second = false;
  client_.kv->watch(5, {[&](const std::vector<Change>&) { second = true; }, [] {}});
  ASSERT_TRUE(client_.loop.run_until([&] { return second; }));
  EXPECT_THAT(client_.seen, IsEmpty());
}

TEST_F(WatcherTest, MayBeEndedByWhomItCalls) {
  begin(
      [](const Asked&) { return kStream + kMade + line({event("a", 6)}) + line({event("b", 7)}); });
  int calls = 0;
  client_.kv->watch(5, {[&](const std::vector<Change>&) {
                          ++calls;
                          client_.kv.reset();
                        },
                        [] {}});
  ASSERT_TRUE(client_.loop.run_until([&] { return client_.kv == nullptr; }));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace sluice::etcd
