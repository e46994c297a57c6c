#include "health/etcd/forms.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "health/etcd/base64.h"

namespace sluice::etcd {
namespace {

using cluster::Change;
using nlohmann::json;
using testing::ElementsAre;
using Kind = WatchLine::Kind;

const Keys kKeys("/s");
const std::string kHeader = R"("header":{"cluster_id":"1","member_id":"2","revision":"7"})";

std::string b(const std::string& octets) {
  return to_base64(octets);
}

TEST(Keys, ArePutBelowThePrefixAndTakenOff) {
  EXPECT_EQ(kKeys.absolute("turn"), "/s/turn");
  EXPECT_EQ(kKeys.relative("/s/turn"), "turn");
  EXPECT_EQ(kKeys.relative("/s"), std::nullopt);
  EXPECT_EQ(kKeys.relative("/sx/turn"), std::nullopt);
}

TEST(Keys, EndWhereTheNextOnesBegin) {
  EXPECT_EQ(kKeys.end_of(""), "/s0");
  EXPECT_EQ(kKeys.end_of("holds/a"), "/s/holds/b");
  EXPECT_EQ(kKeys.end_of("a\xff\xff"), "/s/b");
  EXPECT_EQ(kKeys.end_of("\xff"), "/s0");
  EXPECT_EQ(kKeys.end_of("a\x7f"), "/s/a\x80");
}

TEST(Requests, OfATransaction) {
  const cluster::Transaction transaction{{{"turn", 5}, {"new", 0}},
                                         {{"turn", "x", 0}, {"alive/a", "", 99}, {"old", {}, 0}}};
  EXPECT_EQ(
      json::parse(transaction_request(kKeys, transaction)),
      (json{
          {"compare",
           {{{"key", b("/s/turn")}, {"target", "MOD"}, {"result", "EQUAL"}, {"mod_revision", "5"}},
            {{"key", b("/s/new")}, {"target", "MOD"}, {"result", "EQUAL"}, {"mod_revision", "0"}}}},
          {"success",
           {{{"request_put", {{"key", b("/s/turn")}, {"value", b("x")}}}},
            {{"request_put", {{"key", b("/s/alive/a")}, {"value", ""}, {"lease", "99"}}}},
            {{"request_delete_range", {{"key", b("/s/old")}}}}}}}));
}

TEST(Requests, OfPages) {
  const json first = json::parse(page_request(kKeys, {"a/", {}, 0, 1000}));
  EXPECT_EQ(first["key"], b("/s/a/"));
  EXPECT_EQ(first["range_end"], b("/s/a0"));
  EXPECT_EQ(first["revision"], "0");
  EXPECT_EQ(first["limit"], "1000");
  const json next = json::parse(page_request(kKeys, {"a/", "a/x", 7, 1000}));
  EXPECT_EQ(next["key"], b(std::string("/s/a/x\0", 7)));
  EXPECT_EQ(next["range_end"], b("/s/a0"));
  EXPECT_EQ(next["revision"], "7");
}

TEST(Requests, OfAWatchBeginBehindWhatIsKnown) {
  const json create = json::parse(watch_request(kKeys, 41))["create_request"];
  EXPECT_EQ(create["start_revision"], "42");
  EXPECT_EQ(create["key"], b("/s/"));
  EXPECT_EQ(create["range_end"], b("/s0"));
  EXPECT_EQ(create["progress_notify"], true);
  EXPECT_FALSE(create.contains("fragment"));
}

TEST(Answers, OfATransaction) {
  const auto met = read_committed("{" + kHeader + R"(,"succeeded":true,"responses":[]})");
  ASSERT_TRUE(met);
  EXPECT_TRUE(met->met);
  EXPECT_EQ(met->revision, 7);
  EXPECT_FALSE(read_committed("{" + kHeader + "}")->met);
  for (const char* body :
       {"", "{}", "[]", "7", R"({"header":{}})", R"({"header":{"revision":"x"}})",
        R"({"header":{"revision":"-1"}})", R"({"header":[]})"}) {
    EXPECT_FALSE(read_committed(body)) << body;
  }
}

TEST(Answers, OfAPage) {
  const auto page = read_page(
      kKeys, "{" + kHeader + R"(,"kvs":[{"key":")" + b("/s/a") +
                 R"(","create_revision":"2","mod_revision":"5","version":"1","value":")" + b("v") +
                 R"("},{"key":")" + b("/s/b") +
                 R"(","mod_revision":"9223372036854775807","lease":"8109190916237576201"}],)" +
                 R"("more":true,"count":"9"})");
  ASSERT_TRUE(page) << page.error();
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->listing.revision, 7);
  EXPECT_THAT(page->listing.entries,
              ElementsAre(Change{"a", "v", 5, 0},
                          Change{"b", "", 9223372036854775807, 8109190916237576201}));
  EXPECT_TRUE(read_page(kKeys, "{" + kHeader + "}")->listing.entries.empty());
  for (const std::string& kvs :
       {std::string("7"), std::string("[7]"), std::string("[{}]"),
        R"([{"key":"*","mod_revision":"5"}])" + std::string(),
        R"([{"key":")" + b("/x/a") + R"(","mod_revision":"5"}])",
        R"([{"key":")" + b("/s/a") + R"("}])",
        R"([{"key":")" + b("/s/a") + R"(","mod_revision":"5","value":7}])"}) {
    EXPECT_FALSE(read_page(kKeys, "{" + kHeader + R"(,"kvs":)" + kvs + "}")) << kvs;
  }
  EXPECT_FALSE(read_page(kKeys, "{" + kHeader + R"(,"more":true})")) << "it would never end";
}

TEST(Answers, AboutLeases) {
  EXPECT_EQ(*read_granted(R"({"ID":"8109190916237576201","TTL":"3"})"), 8109190916237576201);
  EXPECT_FALSE(read_granted(R"({"TTL":"3"})"));
  EXPECT_TRUE(*read_renewed(R"({"result":{"ID":"77","TTL":"3"}})"
                            "\n"));
  EXPECT_FALSE(*read_renewed(R"({"result":{"ID":"77"}})")) << "it has ended";
  EXPECT_FALSE(read_renewed("{}").has_value());
}

TEST(Answers, WithATokenThatFitsIntoAHeader) {
  EXPECT_EQ(*read_token(R"({"token":"abc.12"})"), "abc.12");
  for (const char* body : {"{}", R"({"token":""})", R"({"token":"a\r\nHost: b"})", "x"}) {
    EXPECT_FALSE(read_token(body)) << body;
  }
}

TEST(WatchLines, OfChanges) {
  const auto line =
      read_watch_line(kKeys, R"({"result":{)" + kHeader + R"(,"events":[{"kv":{"key":")" +
                                 b("/s/a") + R"(","mod_revision":"5","value":")" + b("v") +
                                 R"(","lease":"3"}},{"type":"DELETE","kv":{"key":")" + b("/s/b") +
                                 R"(","mod_revision":"6"}}]}})");
  ASSERT_TRUE(line) << line.error();
  EXPECT_EQ(line->kind, Kind::Changes);
  EXPECT_THAT(line->changes, ElementsAre(Change{"a", "v", 5, 3}, Change{"b", {}, 6, 0}));
}

TEST(WatchLines, HaveTheirChangesInOrder) {
  const std::string later = R"({"kv":{"key":")" + b("/s/a") + R"(","mod_revision":"6"}})";
  const std::string sooner = R"({"kv":{"key":")" + b("/s/b") + R"(","mod_revision":"5"}})";
  EXPECT_TRUE(read_watch_line(kKeys, R"({"result":{"events":[)" + sooner + "," + later + "]}}"));
  EXPECT_FALSE(read_watch_line(kKeys, R"({"result":{"events":[)" + later + "," + sooner + "]}}"));
}

TEST(WatchLines, OfWhatElseThereIs) {
  EXPECT_EQ(read_watch_line(kKeys, R"({"result":{)" + kHeader + R"(,"created":true}})")->kind,
            Kind::Quiet);
  EXPECT_EQ(read_watch_line(kKeys, R"({"result":{)" + kHeader + "}}")->kind, Kind::Quiet);
  EXPECT_EQ(read_watch_line(kKeys, R"({"result":{"canceled":true,"compact_revision":"9"}})")->kind,
            Kind::Compacted);
  const auto cancelled = read_watch_line(
      kKeys, R"({"result":{"canceled":true,"cancel_reason":"etcdserver: permission denied"}})");
  EXPECT_EQ(cancelled->kind, Kind::Ended);
  EXPECT_EQ(cancelled->complaint.message, "etcdserver: permission denied");
  const auto error = read_watch_line(
      kKeys, R"({"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}})");
  EXPECT_EQ(error->kind, Kind::Ended);
  EXPECT_EQ(error->complaint.code, 14);
  for (const char* text :
       {"", "{", "{}", "[]", R"({"result":7})", R"({"result":{"events":[{}]}})"}) {
    EXPECT_FALSE(read_watch_line(kKeys, text)) << text;
  }
}

TEST(Complaints, AreReadInBothForms) {
  const auto plain = read_complaint(R"({"error":"a","message":"b","code":5})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->code, 5);
  EXPECT_EQ(plain->message, "b");
  EXPECT_EQ(read_complaint(R"({"error":"a"})")->message, "a");
  EXPECT_EQ(read_complaint(R"({"error":"a\nb"})")->message, "a\\x0ab") << "one line";
  EXPECT_EQ(read_complaint(R"({"error":{"grpc_code":11,"message":"c"}})")->code, 11);
  for (const char* body : {"", "404 page not found", "{}", "[]", R"({"error":7})"}) {
    EXPECT_FALSE(read_complaint(body)) << body;
  }
}

TEST(Complaints, MeanWhatTheyMean) {
  const struct {
    int code;
    const char* message;
    Meaning meaning;
  } table[] = {
      {16, "etcdserver: invalid auth token", Meaning::BadToken},
      {3, "etcdserver: invalid auth token", Meaning::BadToken},
      {0, "etcdserver: invalid auth token", Meaning::BadToken},
      {3, "etcdserver: user name is empty", Meaning::BadToken},
      {3, "etcdserver: revision of auth store is old", Meaning::BadToken},
      {3, "etcdserver: authentication failed, invalid user ID or password", Meaning::Refused},
      {3, "etcdserver: duplicate key given in txn request", Meaning::Refused},
      {5, "etcdserver: requested lease not found", Meaning::Refused},
      {7, "etcdserver: permission denied", Meaning::Refused},
      {8, "etcdserver: mvcc: database space exceeded", Meaning::Refused},
      {9, "etcdserver: authentication is not enabled", Meaning::NoAuth},
      {11, "etcdserver: mvcc: required revision has been compacted", Meaning::Refused},
      {14, "etcdserver: no leader", Meaning::NoAnswer},
      {14, "etcdserver: request timed out", Meaning::NoAnswer},
      {14, "etcdserver: leader changed", Meaning::NoAnswer},
      {14, "etcdserver: server stopped", Meaning::NoAnswer},
      {4, "context deadline exceeded", Meaning::NoAnswer},
      {2, "something new", Meaning::NoAnswer},
      {0, "", Meaning::NoAnswer},
  };
  for (const auto& [code, message, meaning] : table) {
    EXPECT_EQ(meaning_of({code, message}), meaning) << code << ' ' << message;
  }
}

}  // namespace
}  // namespace sluice::etcd
