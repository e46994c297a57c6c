#include "health/api/event_hub.h"

#include <atomic>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using ::testing::ElementsAre;

Event event(const std::string& text, EventType type = EventType::Drain) {
  Event made;
  made.type = type;
  made.server = "a.pool.example";
  made.text = text;
  return made;
}

std::vector<std::string> ids(const EventHub::Portion& portion) {
  std::vector<std::string> all;
  for (const auto& kept : portion.events) all.push_back(kept->id);
  return all;
}

TEST(EventHub, NumbersWhatItKeeps) {
  EventHub hub("r1", 10);
  EXPECT_EQ(hub.newest(), 0U);
  EXPECT_TRUE(hub.take(1, 10).events.empty());
  hub.append(event("one"));
  hub.append(event("two"));
  EXPECT_EQ(hub.newest(), 2U);
  EXPECT_THAT(ids(hub.take(1, 10)), ElementsAre("r1-1", "r1-2"));
  EXPECT_THAT(ids(hub.take(2, 10)), ElementsAre("r1-2"));
  EXPECT_THAT(ids(hub.take(1, 1)), ElementsAre("r1-1"));
  EXPECT_TRUE(hub.take(3, 10).events.empty());
  EXPECT_EQ(hub.take(3, 10).first, 3U);
}

TEST(EventHub, ForgetsTheOldest) {
  EventHub hub("r1", 3);
  for (int i = 1; i <= 7; ++i) hub.append(event(std::to_string(i)));
  const EventHub::Portion left = hub.take(1, 10);
  EXPECT_EQ(left.first, 5U);
  EXPECT_THAT(ids(left), ElementsAre("r1-5", "r1-6", "r1-7"));
  EXPECT_EQ(left.events[0]->text, "5");
}

TEST(EventHub, ResumesAfterWhatItStillKnows) {
  EventHub hub("r1", 3);
  for (int i = 1; i <= 7; ++i) hub.append(event(std::to_string(i)));
  const auto resumption = [&](const char* id) {
    const auto [next, lost] = hub.resume_after(id);
    return std::pair(next, lost);
  };
  EXPECT_EQ(resumption("r1-7"), std::pair(std::uint64_t{8}, false));
  EXPECT_EQ(resumption("r1-5"), std::pair(std::uint64_t{6}, false));
  EXPECT_EQ(resumption("r1-4"), std::pair(std::uint64_t{5}, false)) << "nothing is missing";
  for (const char* id : {"r1-3", "r1-0", "r1-8", "r0-7", "r1", "r1-", "r1-7x", "r1-+7", "-7",
                         "r1-99999999999999999999", "r1-18446744073709551615", "anything"}) {
    EXPECT_EQ(resumption(id), std::pair(std::uint64_t{5}, true)) << id;
  }
}

TEST(EventHub, ResumesBeforeItsFirstEvent) {
  EventHub hub("r1", 3);
  EXPECT_FALSE(hub.resume_after("r1-0").lost) << "what a reader of an empty hub was told";
  EXPECT_EQ(hub.resume_after("r1-0").next, 1U);
  EXPECT_TRUE(hub.resume_after("r0-1").lost);
  EXPECT_EQ(hub.resume_after("r0-1").next, 1U);
}

TEST(EventHub, FindsTheStatusChangesOfAServer) {
  EventHub hub("r1", 1'000);
  for (int i = 0; i < 600; ++i) {
    hub.append(event(std::to_string(i), i % 2 == 0 ? EventType::Status : EventType::Drain));
  }
  Event other = event("other", EventType::Status);
  other.server = "b.pool.example";
  hub.append(other);
  EXPECT_EQ(hub.status_changes("a.pool.example", 1'000).size(), 300U);
  const std::vector<Event> newest = hub.status_changes("a.pool.example", 2);
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest[0].text, "596");
  EXPECT_EQ(newest[1].text, "598");
  EXPECT_TRUE(hub.status_changes("c.pool.example", 2).empty());
}

TEST(EventHub, WakesOnceForABurst) {
  EventHub hub("r1");
  int woken = 0;
  hub.set_wake([&] { ++woken; });
  hub.append(event("nobody waits"));
  EXPECT_EQ(woken, 0);
  EXPECT_FALSE(hub.wait(0)) << "there is more";
  EXPECT_TRUE(hub.wait(1));
  EXPECT_TRUE(hub.wait(1));
  for (int i = 0; i < 100; ++i) hub.append(event("burst"));
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(hub.wait(101));
  hub.set_wake(nullptr);
  hub.append(event("nobody is left"));
  EXPECT_EQ(woken, 1);
}

// A mass event: the ring is the bound, whatever comes. (Meant for the sanitizers, too.)
TEST(EventHub, StaysConsistentWhileOthersRead) {
  EventHub hub("r1", 100);
  std::atomic<bool> done = false;
  std::thread reader([&] {
    std::uint64_t next = 1;
    while (!done || next <= hub.newest()) {
      const EventHub::Portion portion = hub.take(next, 50);
      for (std::size_t i = 0; i < portion.events.size(); ++i) {
        ASSERT_EQ(portion.events[i]->id, hub.id_of(portion.first + i));
        ASSERT_EQ(portion.events[i]->text, std::to_string(portion.first + i));
      }
      ASSERT_GE(portion.first, next);
      next = portion.first + portion.events.size();
      [[maybe_unused]] const bool armed = hub.wait(next - 1);
    }
  });
  for (int i = 1; i <= 60'000; ++i) hub.append(event(std::to_string(i)));
  done = true;
  reader.join();
  EXPECT_EQ(hub.newest(), 60'000U);
  EXPECT_EQ(hub.take(1, 1).first, 60'000U - 99);
}

}  // namespace
}  // namespace sluice::health
