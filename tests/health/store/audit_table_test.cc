#include "health/store/audit_table.h"

#include "tests/health/store/store_fixture.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;
using namespace testing;

class AuditTableTest : public StoreTest {
 protected:
  static std::vector<Event> history(SqliteStore& store, const std::string& server,
                                    std::size_t limit = 1'000) {
    const auto promise = std::make_shared<std::promise<SqliteStore::History>>();
    store.history(server, limit,
                  [promise](SqliteStore::History read) { promise->set_value(std::move(read)); });
    auto read = promise->get_future().get();
    EXPECT_TRUE(read) << read.error();
    return read ? std::move(*read) : std::vector<Event>();
  }
  static std::vector<std::string> texts(const std::vector<Event>& events) {
    std::vector<std::string> texts;
    for (const Event& event : events) texts.push_back(event.text);
    return texts;
  }
};

Event entry(int number, const std::string& server = "fe01") {
  Event event;
  event.at = WallTime(Duration(1'795'168'830'000)) + std::chrono::seconds(number);
  event.server = server;
  event.text = std::to_string(number);
  return event;
}

TEST_F(AuditTableTest, GivesTheNewestOfAllAndHowManyThereAre) {
  const auto store = open();
  const auto recent = [&](std::size_t limit) {
    const auto promise = std::make_shared<std::promise<SqliteStore::Recent>>();
    store->recent_audit(
        limit, [promise](SqliteStore::Recent read) { promise->set_value(std::move(read)); });
    auto read = promise->get_future().get();
    EXPECT_TRUE(read) << read.error();
    return read ? std::move(*read) : RecentAudit{};
  };
  EXPECT_EQ(recent(5).total, 0U);
  ASSERT_TRUE(commit(*store, {AppendAudit{entry(1, "fe01")}, AppendAudit{entry(2, "fe02")},
                              AppendAudit{entry(3, "")}}));
  EXPECT_EQ(texts(recent(2).events), (std::vector<std::string>{"2", "3"}));
  EXPECT_EQ(recent(2).total, 3U);
  EXPECT_EQ(texts(recent(5).events), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(AuditTableTest, GivesBackEverything) {
  Event event = entry(1);
  event.id = "run-1";
  event.type = EventType::Refusal;
  event.service = "front-end";
  event.by = "operations";
  event.origin = "192.0.2.7";
  event.generation = 4'711;
  event.rule = "floor";
  event.answer_set = "pool01.contoso.example";
  event.numbers = {{"accepting", 2}, {"min_accepting", 2}};
  auto store = open();
  ASSERT_TRUE(commit(*store, {AppendAudit{event}}));
  store.reset();
  store = open();
  const auto read = history(*store, "fe01");
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].id, "") << "numbers of a run that is over";
  EXPECT_EQ(read[0].at, event.at);
  EXPECT_EQ(read[0].type, EventType::Refusal);
  EXPECT_EQ(read[0].server, "fe01");
  EXPECT_EQ(read[0].service, "front-end");
  EXPECT_EQ(read[0].by, "operations");
  EXPECT_EQ(read[0].origin, "192.0.2.7");
  EXPECT_EQ(read[0].text, "1");
  EXPECT_EQ(read[0].generation, 4'711U);
  EXPECT_EQ(read[0].rule, "floor");
  EXPECT_EQ(read[0].answer_set, "pool01.contoso.example");
  EXPECT_EQ(read[0].numbers, event.numbers);
}

TEST_F(AuditTableTest, KnowsEveryTypeThatIsDurable) {
  const auto store = open();
  std::size_t durable = 0;
  for (int i = 0; i <= static_cast<int>(EventType::Resources); ++i) {
    Event event = entry(i);
    event.type = static_cast<EventType>(i);
    const bool kept = commit(*store, {AppendAudit{event}}).has_value();
    EXPECT_EQ(kept, is_durable(event.type)) << to_string(event.type);
    durable += kept ? 1 : 0;
  }
  EXPECT_EQ(history(*store, "fe01").size(), durable);
}

TEST_F(AuditTableTest, GivesTheNewestOfOneServerOldestFirst) {
  const auto store = open();
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(commit(*store,
                       {AppendAudit{entry(i)}, AppendAudit{entry(i, "fe02")}, PutHold{full_hold()}},
                       Store::Urgency::First));
  }
  EXPECT_THAT(texts(history(*store, "fe01", 3)), ::testing::ElementsAre("3", "4", "5"));
  EXPECT_TRUE(history(*store, "fe03").empty());
}

TEST_F(AuditTableTest, PrunesWhatIsOldAndWhatIsTooMuch) {
  const auto store = open();
  std::vector<Change> changes;
  constexpr int kEntries = 2'000;  // several portions
  for (int i = 0; i < kEntries; ++i) changes.emplace_back(AppendAudit{entry(i)});
  ASSERT_TRUE(commit(*store, std::move(changes)));
  ASSERT_TRUE(commit(*store, {PruneAudit{entry(990).at, 10'000}}, Store::Urgency::Behind));
  EXPECT_EQ(history(*store, "fe01", 5'000).size(), 1'010U);
  ASSERT_TRUE(commit(*store, {PruneAudit{{}, 100}}, Store::Urgency::Behind));
  const auto left = history(*store, "fe01", 5'000);
  ASSERT_EQ(left.size(), 100U);
  EXPECT_EQ(left.front().text, "1900");
  ASSERT_TRUE(commit(*store, {PruneAudit{entry(kEntries).at, 0}}, Store::Urgency::Behind));
  EXPECT_TRUE(history(*store, "fe01").empty());
}

TEST_F(AuditTableTest, AHoldDoesNotWaitForAPrune) {
  std::vector<std::string> order;
  {
    const auto store = open();
    std::vector<Change> changes;
    for (int i = 0; i < 3'000; ++i) changes.emplace_back(AppendAudit{entry(i)});
    ASSERT_TRUE(commit(*store, std::move(changes)));
    const auto pruned = std::make_shared<std::promise<void>>();
    // The hold comes while the prune, which has begun, waits for its next portion.
    store->commit({PruneAudit{{}, 0}}, Store::Urgency::Behind, [&, pruned](const Store::Stored&) {
      order.emplace_back("pruned");
      pruned->set_value();
    });
    store->commit({PutHealth{"fe01", "front-end", Health::Up}}, Store::Urgency::Behind,
                  [&](const Store::Stored&) {
                    store->commit({PutHold{full_hold()}}, Store::Urgency::First,
                                  [&](const Store::Stored&) { order.emplace_back("held"); });
                  });
    pruned->get_future().wait();
  }
  EXPECT_THAT(order, ::testing::ElementsAre("held", "pruned"));
}

TEST_F(AuditTableTest, SaysWhichEntryIsDamaged) {
  open().reset();
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {AppendAudit{entry(1)}, AppendAudit{entry(2)}}));
  }
  {
    auto shell = Database::open(database(), false);
    ASSERT_TRUE(shell);
    ASSERT_TRUE(shell->execute("UPDATE audit SET actor = 'nobody' WHERE text = '1'"));
  }
  const auto store = open();
  EXPECT_EQ(notices(), "") << "it costs nothing else";
  EXPECT_THAT(texts(history(*store, "fe01")),
              ::testing::ElementsAre("this entry of the audit is damaged", "2"));
}

}  // namespace
}  // namespace sluice::health
