#include "health/cluster/audit_log.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/health/cluster/simulated.h"

namespace sluice::cluster {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AuditLogTest : public ::testing::Test {
 protected:
  void append(const std::string& text, std::chrono::seconds at = 1s) {
    health::Event event;
    event.type = health::EventType::Drain;
    event.server = "a.pool.example";
    event.at = base::WallTime(base::Duration(at));
    event.text = text;
    log.append({event});
  }
  void write() {
    log.flush();
    world.run_for(1s);
  }
  std::vector<std::string> texts(std::size_t limit = 2'000) {
    std::optional<AuditLog::History> found;
    log.history("a.pool.example", limit, [&](AuditLog::History history) { found = history; });
    EXPECT_TRUE(world.run_until([&] { return found.has_value(); }, 2s));
    std::vector<std::string> all;
    if (!found || !*found) return {"none"};
    for (const health::Event& event : **found) all.push_back(event.text);
    return all;
  }

  simulated::World world{1};
  simulated::Engine engine{world};
  simulated::SimulatedKv kv{world, engine};
  std::vector<std::string> notices;
  AuditLog log{kv, "run", [this](const std::string& text) { notices.push_back(text); }};
};

TEST_F(AuditLogTest, WritesEachEntryOnceAndInOrder) {
  append("one", 1s);
  append("two", 2s);
  EXPECT_FALSE(log.empty());
  write();
  write();
  EXPECT_TRUE(log.empty());
  EXPECT_THAT(texts(), ElementsAre("one", "two"));
  EXPECT_THAT(texts(1), ElementsAre("two"));
}

TEST_F(AuditLogTest, WritesAnyNumberInTurn) {
  for (int i = 0; i < 500; ++i) append("entry", std::chrono::seconds(i));
  write();
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(texts().size(), 500U);
}

TEST_F(AuditLogTest, KeepsWhatFailsAndOfTooMuchTheNewest) {
  kv.reachable = false;
  for (int i = 0; i < 1'200; ++i) append(std::to_string(i), std::chrono::seconds(i));
  write();
  world.run_for(5s);
  kv.reachable = true;
  for (int i = 0; i < 20; ++i) write();
  const std::vector<std::string> all = texts();
  ASSERT_EQ(all.size(), 1'000U);
  EXPECT_EQ(all.front(), "200");
  EXPECT_EQ(all.back(), "1199");
  EXPECT_THAT(notices, IsEmpty()) << "it may be there in a moment";
}

TEST_F(AuditLogTest, PrunesByAgeAndNumber) {
  for (int i = 0; i < 400; ++i) append(std::to_string(i), std::chrono::seconds(1'000 + i));
  write();
  log.prune({base::WallTime(1'150s), 10'000});
  world.run_for(2s);
  ASSERT_EQ(texts().size(), 250U);
  EXPECT_EQ(texts().front(), "150");
  log.prune({base::WallTime(0s), 3});
  world.run_for(2s);
  EXPECT_THAT(texts(), ElementsAre("397", "398", "399"));
}

TEST(ToPrune, GoesByTimeWhateverTheServer) {
  const std::vector<Change> entries = {{"audit/a/000000000000003-x-1", "{}", 1, 0},
                                       {"audit/b/000000000000001-x-2", "{}", 1, 0},
                                       {"audit/c/000000000000002-x-3", "{}", 1, 0}};
  EXPECT_THAT(to_prune(entries, {base::WallTime(0s), 1}),
              ElementsAre("audit/c/000000000000002-x-3", "audit/b/000000000000001-x-2"));
  EXPECT_THAT(to_prune(entries, {base::WallTime(0s), 3}), IsEmpty());
}

}  // namespace
}  // namespace sluice::cluster
