#include "health/etcd/etcd_kv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/health/etcd/client.h"
#include "tests/health/etcd/etcd_process.h"

// Against a real etcd.
namespace sluice::etcd {
namespace {

using cluster::Change;
using cluster::Committed;
using cluster::Condition;
using cluster::Failure;
using cluster::Listing;
using cluster::Reply;
using cluster::Transaction;
using cluster::Write;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(EtcdKv, CommitsUnderConditionsThatAreMet) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));

  const auto first =
      client.commit({{"turn", 0}}, {Write{"turn", "ns1", 0}, Write{"holds/a", "{}", 0}});
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->met);
  const auto second = client.commit({{"turn", first->revision}, {"holds/b", 0}},
                                    {Write{"turn", "ns2", 0}, Write{"holds/a", {}, 0}});
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->met);
  EXPECT_EQ(second->revision, first->revision + 1);

  const auto all = client.list("");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->revision, second->revision);
  EXPECT_THAT(all->entries, ElementsAre(Change{"turn", "ns2", second->revision, 0}));
}

TEST(EtcdKv, WritesNothingWhenOneConditionIsNotMet) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  const std::int64_t turn = client.put("turn", "ns1");
  const std::int64_t newest = client.put("edition", "1");

  for (const std::vector<Condition>& conditions : {std::vector<Condition>{{"turn", 0}},
                                                   {{"turn", turn - 1}},
                                                   {{"turn", turn}, {"edition", 0}},
                                                   {{"turn", turn}, {"nothing", 7}}}) {
    const auto committed = client.commit(conditions, {Write{"turn", "ns2", 0}});
    ASSERT_TRUE(committed);
    EXPECT_FALSE(committed->met);
    EXPECT_EQ(committed->revision, newest);
  }
  EXPECT_EQ(client.list("turn")->entries, (std::vector{Change{"turn", "ns1", turn, 0}}));
}

TEST(EtcdKv, KeepsToItsPrefix) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  etcd.control({"put", "/sluice", "not below"});
  etcd.control({"put", "/sluice0", "after all of it"});
  client.put("turn", std::string("\0\xff\n", 3));

  const auto all = client.list("");
  ASSERT_TRUE(all);
  ASSERT_EQ(all->entries.size(), 1U);
  EXPECT_EQ(all->entries.front().key, "turn");
  EXPECT_EQ(all->entries.front().value, std::string("\0\xff\n", 3));
  EXPECT_THAT(etcd.control({"get", "/sluice/turn", "--keys-only"}), HasSubstr("/sluice/turn"));
}

TEST(EtcdKv, ListsManyPagesAtOneRevision) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  constexpr int kCount = 2'400;
  std::int64_t last = 0;
  for (int i = 0; i < kCount; i += 120) {
    std::vector<Write> writes;
    for (int k = i; k < i + 120; ++k) writes.push_back({"agents/" + std::to_string(k), "{}", 0});
    last = client.commit({}, std::move(writes))->revision;
  }
  // Written while the pages come: no page has it.
  std::optional<Reply<Listing>> listing;
  client.kv->list("agents/", [&](Reply<Listing> given) { listing.emplace(std::move(given)); });
  std::int64_t during = 0;
  std::function<void()> write = [&] {
    client.kv->commit({{}, {Write{"agents/99999", "{}", 0}, Write{"agents/0", {}, 0}}},
                      [&](Reply<Committed> committed) {
                        during = committed->revision;
                        if (!listing) write();
                      });
  };
  write();
  ASSERT_TRUE(client.loop.run_until([&] { return listing && during > 0; }));
  ASSERT_TRUE(*listing) << listing->error().text;
  const Listing& found = **listing;
  EXPECT_TRUE(std::ranges::is_sorted(found.entries, {}, &Change::key));
  EXPECT_EQ(found.entries.size(), static_cast<std::size_t>(kCount));
  const bool before = found.revision == last;
  EXPECT_EQ(found.entries.front().key, before ? "agents/0" : "agents/1");
  for (const Change& entry : found.entries) EXPECT_LE(entry.revision, found.revision);
}

TEST(EtcdKv, FindsTheNewestInTheirOrder) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  for (const char* key : {"audit/-/3", "audit/-/1", "audit/-/2", "audit/x/9"}) client.put(key, key);

  const auto newest = client.newest("audit/-/", 2);
  ASSERT_TRUE(newest);
  ASSERT_EQ(newest->entries.size(), 2U);
  EXPECT_EQ(newest->entries[0].key, "audit/-/2");
  EXPECT_EQ(newest->entries[1].key, "audit/-/3");
}

TEST(EtcdKv, WatchesInTheOrderOfRevisions) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  const std::int64_t start = client.put("turn", "before");
  const std::int64_t missed = client.put("turn", "missed");

  client.watch(start);
  ASSERT_TRUE(client.sees(1));
  const auto both = client.commit({}, {Write{"a", "1", 0}, Write{"turn", {}, 0}});
  const std::int64_t last = client.put("a", "2");
  ASSERT_TRUE(client.sees(4));

  EXPECT_THAT(client.seen,
              ElementsAre(Change{"turn", "missed", missed, 0}, Change{"a", "1", both->revision, 0},
                          Change{"turn", {}, both->revision, 0}, Change{"a", "2", last, 0}));
}

TEST(EtcdKv, DeliversALargeTransactionInOneCall) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  client.watch(client.put("turn", "x"));
  std::vector<Write> writes;
  for (std::size_t i = 0; i < Transaction::kMostWrites; ++i) {
    writes.push_back({"agents/" + std::to_string(i), std::string(5'000, 'v'), 0});
  }
  ASSERT_TRUE(client.commit({}, writes));
  ASSERT_TRUE(client.sees(1));
  EXPECT_THAT(client.calls, testing::Each(Transaction::kMostWrites));
}

TEST(EtcdKv, WatchGoesOnWhereItWasWhenEtcdReturns) {
  EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  Client writer(settings({etcd.endpoint()}));
  client.watch(writer.put("turn", "0"));
  const std::int64_t first = writer.put("turn", "1");
  ASSERT_TRUE(client.sees(1));

  etcd.kill();
  etcd.start();
  // Before the watch is back.
  const std::int64_t second = writer.put("turn", "2");
  const std::int64_t third = writer.put("turn", "3");
  ASSERT_TRUE(client.sees(3));
  EXPECT_THAT(client.seen,
              ElementsAre(Change{"turn", "1", first, 0}, Change{"turn", "2", second, 0},
                          Change{"turn", "3", third, 0}));
  EXPECT_FALSE(client.notices.empty());
}

TEST(EtcdKv, RenewedWatchLosesNothing) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  client.watch(client.put("turn", "0"));
  std::vector<Change> written;
  for (int i = 1; i <= 20; ++i) {
    const std::string value = std::to_string(i);
    written.push_back({"turn", value, client.put("turn", value), 0});
    client.kv->renew_watch();
  }
  ASSERT_TRUE(client.sees(written.size()));
  EXPECT_EQ(client.seen, written);
}

TEST(EtcdKv, SaysThatWhatItShouldWatchIsCompacted) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  const std::int64_t start = client.put("turn", "0");
  client.put("turn", "1");
  const std::int64_t last = client.put("turn", "2");
  etcd.control({"compaction", std::to_string(last)});

  client.watch(start);
  ASSERT_TRUE(client.loop.run_until([&] { return client.compacted; }));
  EXPECT_TRUE(client.seen.empty());
  // What an authority does then.
  client.compacted = false;
  client.watch(client.list("")->revision);
  client.put("turn", "3");
  EXPECT_TRUE(client.sees(1));
  EXPECT_FALSE(client.compacted);
}

TEST(EtcdKv, KeysGoWithTheirLease) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  const auto lease = client.grant(std::chrono::seconds(1));
  ASSERT_TRUE(lease);
  const std::int64_t put = client.put("alive/ns1", "{}", *lease);
  EXPECT_EQ(client.list("alive/")->entries, (std::vector{Change{"alive/ns1", "{}", put, *lease}}));
  EXPECT_TRUE(*client.renew(*lease));

  client.watch(put);
  ASSERT_TRUE(client.sees(1)) << "it does not end";
  EXPECT_EQ(client.seen.front().key, "alive/ns1");
  EXPECT_FALSE(client.seen.front().value);
  const auto renewed = client.renew(*lease);
  ASSERT_TRUE(renewed) << renewed.error().text;
  EXPECT_FALSE(*renewed);
  const auto late = client.commit({}, {Write{"alive/ns1", "{}", *lease}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, Failure::Kind::Refused);
  EXPECT_THAT(late.error().text, HasSubstr("lease not found"));
}

TEST(EtcdKv, RevokedLeaseTakesItsKeys) {
  const EtcdProcess etcd;
  Client client(settings({etcd.endpoint()}));
  const auto lease = client.grant(std::chrono::seconds(600));
  client.watch(client.put("alive/ns1", "{}", *lease));
  bool done = false;
  client.kv->revoke(*lease, [&done] { done = true; });
  ASSERT_TRUE(client.loop.run_until([&done] { return done; }));
  ASSERT_TRUE(client.sees(1));
  EXPECT_FALSE(client.seen.front().value);
}

}  // namespace
}  // namespace sluice::etcd
