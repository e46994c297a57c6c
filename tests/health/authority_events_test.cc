#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/health/fixture.h"

// What is told of what happens, what of it is durable, and that nobody can make it a flood.
namespace sluice::health::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Events : public AuthorityTest {
 protected:
  std::vector<Event> told(EventType type) const {
    std::vector<Event> found;
    for (const Event& event : events) {
      if (event.type == type) found.push_back(event);
    }
    return found;
  }
  Heartbeat saying(Health health) {
    Heartbeat heartbeat = up();
    heartbeat.services.at("front-end").health = health;
    return heartbeat;
  }
};

TEST_F(Events, EachChangeOfAStatusIsOneEvent) {
  start();
  all_up();
  events.clear();
  drain("b", "front-end");
  pass(60s, {"a", "b", "c"});
  resume("b", "front-end");
  std::string way;
  for (const Event& event : told(EventType::Status)) {
    EXPECT_EQ(event.server, "b.pool.example");
    EXPECT_EQ(event.service, "front-end");
    way += event.was + ">" + event.status + " ";
  }
  EXPECT_EQ(way, "accepting>draining draining>drained drained>accepting ");
}

TEST_F(Events, WhoDrainsAndWhoResumesIsAuditedWithOriginAndReason) {
  start();
  all_up();
  drain("b");
  ASSERT_THAT(store.audit, SizeIs(1));
  EXPECT_EQ(store.audit[0].type, EventType::Drain);
  EXPECT_EQ(store.audit[0].server, "b.pool.example");
  EXPECT_EQ(store.audit[0].by, "operations");
  EXPECT_EQ(store.audit[0].origin, "test");
  EXPECT_EQ(store.audit[0].text, "patch");
  resume("b");
  EXPECT_EQ(store.audit.back().type, EventType::Resume);
  force("a", Health::Down);
  EXPECT_EQ(store.audit.back().type, EventType::Force);
  EXPECT_EQ(store.audit.back().text, "forced down");
  force("a", std::nullopt);
  EXPECT_EQ(store.audit.back().type, EventType::Unforce);
}

TEST_F(Events, AHoldAndItsAuditAreOneTransaction) {
  start();
  all_up();
  store.immediate = false;
  drain("b");
  ASSERT_FALSE(store.queue.empty());
  const auto& changes = store.queue.front().first;
  EXPECT_TRUE(std::ranges::any_of(
      changes, [](const Change& change) { return std::holds_alternative<AppendAudit>(change); }));
  EXPECT_TRUE(std::ranges::any_of(
      changes, [](const Change& change) { return std::holds_alternative<PutHold>(change); }));
}

TEST_F(Events, WhatTheStoreDidNotTakeIsAuditedLater) {
  start();
  all_up();
  store.failure = "disk full";
  drain("b");
  EXPECT_THAT(store.audit, IsEmpty());
  EXPECT_THAT(told(EventType::Store), SizeIs(1));
  store.failure.reset();
  drain("b");  // asking again is harmless
  EXPECT_THAT(store.audit, Contains(Field(&Event::type, EventType::Drain)));
  EXPECT_THAT(told(EventType::Store), SizeIs(2)) << "it works again";
}

TEST_F(Events, ARefusalNamesRuleAnswerSetAndNumbersAndIsAudited) {
  start();
  all_up();
  drain("a");
  drain("b");
  const auto refused = drain("c");
  ASSERT_TRUE(refused && !*refused);
  ASSERT_THAT(told(EventType::Refusal), SizeIs(1));
  const Event event = told(EventType::Refusal).front();
  EXPECT_EQ(event.rule, "floor");
  EXPECT_EQ(event.answer_set, "pool.example");
  EXPECT_EQ(event.numbers.at("would_leave"), 0U);
  EXPECT_THAT(store.audit, Contains(Field(&Event::type, EventType::Refusal)));
}

TEST_F(Events, WhoIsRefusedInALoopIsToldOfOnceAMinute) {
  start();
  all_up();
  drain("a");
  drain("b");
  for (int i = 0; i < 100; ++i) drain("c");
  EXPECT_THAT(told(EventType::Refusal), SizeIs(1));
  pass(61s, {"a", "b", "c"});
  drain("c");
  ASSERT_THAT(told(EventType::Refusal), SizeIs(2));
  EXPECT_THAT(told(EventType::Refusal).back().text, HasSubstr("99 more like it"));
  EXPECT_EQ(figures().refusals_total, 101U);
}

TEST_F(Events, AServerThatFlapsChangesAnswersFiveTimesAndThenOnceASecond) {
  start();
  all_up();
  const std::uint64_t before = authority->generation();
  events.clear();
  for (int i = 0; i < 100; ++i) {
    clock.advance(std::chrono::milliseconds(20));
    push("b", saying(i % 2 == 0 ? Health::Down : Health::Up));
    authority->tick();
  }
  // Two seconds: five at once (the first push of all counted too), then one a second.
  EXPECT_LE(authority->generation() - before, 7U);
  EXPECT_LE(told(EventType::Status).size(), 7U);
  push("b", saying(Health::Down));
  clock.advance(1s);
  authority->tick();
  EXPECT_EQ(members(kPool), "ac") << "the last truth wins within a second";
}

TEST_F(Events, OrdersOfAServerThatFlapsAreNeverDelayed) {
  start();
  all_up();
  for (int i = 0; i < 20; ++i) push("b", saying(i % 2 == 0 ? Health::Down : Health::Up));
  EXPECT_EQ(members(kPool), "ac") << "its share is spent";
  force("b", Health::Up);
  EXPECT_EQ(members(kPool), "abc");
  ASSERT_TRUE(*drain("b"));
  EXPECT_EQ(members(kPool), "ac");
  ASSERT_TRUE(**resume("b"));
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(Events, ExplainTellsWhatIsAnsweredOfAServerThatFlaps) {
  start();
  all_up();
  for (int i = 0; i < 21; ++i) push("b", saying(i % 2 == 0 ? Health::Down : Health::Up));
  push("b", up());
  ASSERT_EQ(members(kPool), "ac") << "its share is spent";
  const ExplainedMember waiting = authority->explain("pool.example")->members[1];
  EXPECT_FALSE(waiting.in);
  EXPECT_EQ(waiting.rule, "accepting");
  EXPECT_THAT(waiting.text, HasSubstr("its answers follow within a second"));
  clock.advance(1s);
  authority->tick();
  const ExplainedMember settled = authority->explain("pool.example")->members[1];
  EXPECT_TRUE(settled.in);
  EXPECT_THAT(settled.text, ::testing::Not(HasSubstr("follow")));
}

TEST_F(Events, HealthGoesToDiskAsOftenAsItChangesAnswers) {
  start();
  all_up();
  store.immediate = false;
  for (int i = 0; i < 100; ++i) push("b", saying(i % 2 == 0 ? Health::Down : Health::Up));
  EXPECT_LE(store.queue.size(), 6U);
}

TEST_F(Events, AGenerationNamesTheAnswersThatChanged) {
  start();
  all_up();
  events.clear();
  drain("b", "call-park");
  ASSERT_THAT(told(EventType::Generation), SizeIs(1));
  EXPECT_EQ(told(EventType::Generation).front().text, "call-park.pool.example");
  EXPECT_EQ(told(EventType::Generation).front().generation, authority->generation());
}

TEST_F(Events, AHostsPauseIsSomebodys) {
  start();
  all_up();
  Heartbeat heartbeat = up();
  heartbeat.services.at("front-end").paused = HostPause{"root", "patch", clock.wall, {}, false};
  push("b", heartbeat);
  EXPECT_THAT(store.audit,
              Contains(AllOf(Field(&Event::by, "root"), Field(&Event::origin, "host"))));
}

TEST_F(Events, FiguresAreCountedInPortions) {
  config::Config two = test_config();
  config::Pool other = two.pools.front();
  other.fqdn = "other.example";
  for (config::Server& server : other.servers)
    server.fqdn = server.fqdn.front() + std::string(".other.example");
  two.zones.push_back({"other.example", "", {}});
  two.pools.push_back(other);
  start(two);
  all_up();
  Figures figures;
  EXPECT_FALSE(authority->add_figures(figures, 1));
  EXPECT_THAT(figures.services, SizeIs(2));
  EXPECT_TRUE(authority->add_figures(figures, 1));
  EXPECT_THAT(figures.services, SizeIs(4));
  EXPECT_EQ(figures.services[0].by_status.at(static_cast<std::size_t>(Status::Accepting)), 3U);
  EXPECT_EQ(figures.services[2].by_status.at(static_cast<std::size_t>(Status::Unknown)), 3U);
}

TEST_F(Events, FiguresOfAnotherConfigurationBeginAnew) {
  start();
  Figures figures;
  EXPECT_TRUE(authority->add_figures(figures));
  authority->reconfigure(std::make_shared<Topology>(test_config({"a", "b"})), config.health);
  served();
  EXPECT_TRUE(authority->add_figures(figures));
  EXPECT_THAT(figures.services, SizeIs(2));
}

}  // namespace
}  // namespace sluice::health::testing
