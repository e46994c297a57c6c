#include "health/store/sqlite_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <set>
#include <thread>
#include <tuple>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/health/store/store_fixture.h"

namespace sluice::health {
namespace {

using ::testing::HasSubstr;
using namespace testing;
using namespace std::chrono_literals;

using HealthRow = std::tuple<std::string, std::string, Health>;

std::vector<HealthRow> rows(const std::vector<PutHealth>& health) {
  std::vector<HealthRow> rows;
  for (const PutHealth& row : health) rows.emplace_back(row.server, row.service, row.health);
  return rows;
}

class SqliteStoreTest : public StoreTest {};

TEST_F(SqliteStoreTest, AnswersOnItsThreadWhenItIsAsked) {
  const auto store = open();
  std::promise<std::thread::id> answer;
  store->ask([&] { answer.set_value(std::this_thread::get_id()); });
  EXPECT_NE(answer.get_future().get(), std::this_thread::get_id());
}

TEST_F(SqliteStoreTest, KeepsLittleOfWhatComesWhileItsDiskHangs) {
  constexpr int kServers = 10;
  auto store = open();
  std::promise<void> disk_answers;
  store->ask([&] { disk_answers.get_future().wait(); });
  const std::uint64_t before = store->commits();
  for (int i = 0; i < 200'000; ++i) {
    const auto health = i % 3 == 0 ? Health::Up : Health::Down;
    store->commit({PutHealth{"fe" + std::to_string(i % kServers), "front-end", health}},
                  Store::Urgency::Behind, nullptr);
  }
  for (int i = 0; i < kServers; ++i) {
    store->commit({PutHealth{"fe" + std::to_string(i), "front-end", Health::Stopped}},
                  Store::Urgency::Behind, nullptr);
  }
  disk_answers.set_value();
  EXPECT_TRUE(commit(*store, {}, Store::Urgency::Behind));
  // Of 200,000 at most 20,000 were left, 128 in a transaction.
  EXPECT_LT(store->commits() - before, 20'000U / 128 + 3);
  store.reset();
  const auto again = open();
  EXPECT_EQ(state().health.size(), static_cast<std::size_t>(kServers));
  for (const PutHealth& row : state().health) EXPECT_EQ(row.health, Health::Stopped) << row.server;
}

TEST_F(SqliteStoreTest, StartsEmptyInADirectoryThatItMakes) {
  const auto store = open();
  EXPECT_EQ(state().generation, 0U);
  EXPECT_TRUE(state().holds.empty());
  struct stat status {};
  ASSERT_EQ(stat(state_directory().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0007, 0U) << "the world can look in";
}

TEST_F(SqliteStoreTest, GivesBackEverythingAfterReopening) {
  const Hold server_hold = plain_hold("fe01.pool01.contoso.example");
  const WallTime since(Duration(1'795'168'830'250));
  PlannedDrain plain_plan;
  plain_plan.id = 19;
  plain_plan.server = "fe04";
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{server_hold}, PutHold{full_hold()}}));
    ASSERT_TRUE(commit(*store, {PutForce{"fe01", "front-end", Health::Down, "operations", since},
                                PutForce{"fe02", "front-end", Health::Up, "", {}}}));
    ASSERT_TRUE(commit(*store, {PutSchedule{full_plan()}, PutSchedule{plain_plan},
                                ReserveSchedules{64}, PutPoolTtl{"pool01", 30s, {since, {}, 0}}}));
    ASSERT_TRUE(commit(
        *store,
        {PutHealth{"fe01", "front-end", Health::Up}, PutHealth{"fe01", "call-park", Health::Down},
         PutHealth{"fe02", "front-end", Health::Stopped}, ReserveGenerations{1'000'000'000'000},
         PutSerialBase{"contoso.example", 4'294'967'295U}, PutSerialBase{".", 0}},
        Store::Urgency::Behind));
  }
  const auto store = open();
  EXPECT_THAT(state().holds, ::testing::UnorderedElementsAre(server_hold, full_hold()));
  EXPECT_EQ(state().generation, 1'000'000'000'000U);
  EXPECT_THAT(rows(state().health),
              ::testing::UnorderedElementsAre(HealthRow{"fe01", "front-end", Health::Up},
                                              HealthRow{"fe01", "call-park", Health::Down},
                                              HealthRow{"fe02", "front-end", Health::Stopped}));
  ASSERT_EQ(state().forces.size(), 2U);
  EXPECT_EQ(state().forces[0].health, Health::Down);
  EXPECT_EQ(state().forces[0].by, "operations");
  EXPECT_EQ(state().forces[0].since, since);
  EXPECT_EQ(state().forces[1].health, Health::Up);
  EXPECT_THAT(state().schedules, ::testing::ElementsAre(full_plan(), plain_plan));
  EXPECT_EQ(state().schedule, 64U);
  ASSERT_EQ(state().pool_ttls.size(), 1U);
  EXPECT_EQ(state().pool_ttls[0].pool, "pool01");
  EXPECT_EQ(state().pool_ttls[0].ttl, 30s);
  EXPECT_EQ(state().pool_ttls[0].kept_until.wall, since);
  EXPECT_EQ(state().serial_bases.at("contoso.example"), 4'294'967'295U);
  EXPECT_EQ(state().serial_bases.at("."), 0U);
}

TEST_F(SqliteStoreTest, WritesAHoldWholeOverTheOlderOne) {
  Hold less = full_hold();
  less.instances = {{"response-group", "unit-9"}};
  less.released.clear();
  less.horizons.clear();
  less.startup.reset();
  less.expiry.reset();
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}, PutHold{less}}));
  }
  const auto store = open();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(less));
}

TEST_F(SqliteStoreTest, ErasesExactlyTheHoldThatIsNamed) {
  Hold other_origin = full_hold();
  other_origin.key.origin = Origin::Operator;
  Hold whole_server = full_hold();
  whole_server.key.service.clear();
  {
    const auto store = open();
    ASSERT_TRUE(
        commit(*store, {PutHold{full_hold()}, PutHold{other_origin}, PutHold{whole_server}}));
    ASSERT_TRUE(commit(*store, {EraseHold{full_hold().key}}));
    ASSERT_TRUE(commit(*store, {EraseHold{full_hold().key}})) << "erasing twice is harmless";
  }
  const auto store = open();
  EXPECT_THAT(state().holds, ::testing::UnorderedElementsAre(other_origin, whole_server));
}

TEST_F(SqliteStoreTest, WritesAPlanOverTheOlderOneAndForgetsWhatIsCancelled) {
  PlannedDrain later = full_plan();
  later.at += 1h;
  later.capped_since.reset();
  PlannedDrain other = full_plan();
  other.id = 19;
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutSchedule{full_plan()}, PutSchedule{other}}));
    ASSERT_TRUE(commit(*store, {PutSchedule{later}, EraseSchedule{19}, EraseSchedule{20}}));
    ASSERT_TRUE(commit(*store, {PutPoolTtl{"pool01", 30s, {}}, PutPoolTtl{"pool01", 5s, {}}}));
  }
  const auto store = open();
  EXPECT_THAT(state().schedules, ::testing::ElementsAre(later));
  ASSERT_EQ(state().pool_ttls.size(), 1U);
  EXPECT_EQ(state().pool_ttls[0].ttl, 5s);
}

TEST_F(SqliteStoreTest, ForgetsAForceThatIsLifted) {
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutForce{"fe01", "front-end", Health::Down, "", {}}}));
    ASSERT_TRUE(commit(*store, {PutForce{"fe01", "front-end", {}, "", {}}}));
  }
  const auto store = open();
  EXPECT_TRUE(state().forces.empty());
}

TEST_F(SqliteStoreTest, NeverReservesBackwards) {
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {ReserveGenerations{2'000}}));
    ASSERT_TRUE(commit(*store, {ReserveGenerations{1'000}}));
    ASSERT_TRUE(commit(*store, {ReserveSchedules{20}, ReserveSchedules{10}}));
  }
  const auto store = open();
  EXPECT_EQ(state().generation, 2'000U);
  EXPECT_EQ(state().schedule, 20U);
}

TEST_F(SqliteStoreTest, CommitsAGroupOfChangesAllOrNone) {
  {
    const auto store = open();
    const auto stored =
        commit(*store, {PutHold{plain_hold("fe01")}, PutHold{plain_hold("")}});  // no server
    ASSERT_FALSE(stored);
    EXPECT_THAT(stored.error(), HasSubstr("CHECK"));
    EXPECT_FALSE(commit(*store, {PutHold{plain_hold("fe02")}, ReserveGenerations{1ULL << 63}}));
  }
  const auto store = open();
  EXPECT_TRUE(state().holds.empty());
}

// Keeps the store's thread in a callback, so that what comes meanwhile waits together. What the
// callback waits on is its own: the gate may be gone before it has returned.
class Gate {
 public:
  explicit Gate(Store& store) {
    const auto entered = std::make_shared<std::promise<void>>();
    store.commit({ReserveGenerations{1}}, Store::Urgency::First,
                 [entered, opened = opened_.get_future().share()](const Store::Stored&) {
                   entered->set_value();
                   opened.wait();
                 });
    entered->get_future().wait();
  }
  void open() { opened_.set_value(); }

 private:
  std::promise<void> opened_;
};

TEST_F(SqliteStoreTest, ABadChangeDoesNotFailItsNeighbours) {
  std::vector<bool> outcomes(5);
  {
    const auto store = open();
    Gate gate(*store);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const std::string server = i == 2 ? "" : "fe0" + std::to_string(i);
      store->commit(
          {PutHold{plain_hold(server)}}, Store::Urgency::First,
          [&outcomes, i](const Store::Stored& stored) { outcomes[i] = stored.has_value(); });
    }
    gate.open();
  }
  EXPECT_THAT(outcomes, ::testing::ElementsAre(true, true, false, true, true));
  const auto store = open();
  EXPECT_EQ(state().holds.size(), 4U);
}

TEST_F(SqliteStoreTest, CommitsWhatWaitsTogetherWithOneSync) {
  FaultVfs disk;
  {
    const auto store = open();
    Gate gate(*store);
    const unsigned before = disk.syncs();
    const auto syncs = std::make_shared<std::promise<unsigned>>();
    constexpr int kHolds = 100;
    for (int i = 0; i < kHolds; ++i) {
      store->commit({PutHold{plain_hold("fe" + std::to_string(i))}}, Store::Urgency::First,
                    [&disk, syncs, last = i == kHolds - 1](const Store::Stored& stored) {
                      EXPECT_TRUE(stored);
                      if (last) syncs->set_value(disk.syncs());
                    });
    }
    gate.open();
    EXPECT_EQ(syncs->get_future().get() - before, 1U);
  }
  const auto store = open();
  EXPECT_EQ(state().holds.size(), 100U);
}

TEST_F(SqliteStoreTest, TakesFirstBeforeBehindAndKeepsTheOrderWithinEach) {
  std::vector<std::string> order;
  {
    const auto store = open();
    Gate gate(*store);
    for (int i = 0; i < 3; ++i) {
      store->commit(
          {PutHealth{"fe01", "front-end", Health::Up}}, Store::Urgency::Behind,
          [&order, i](const Store::Stored&) { order.push_back("b" + std::to_string(i)); });
      store->commit(
          {PutHold{plain_hold("fe01")}}, Store::Urgency::First,
          [&order, i](const Store::Stored&) { order.push_back("f" + std::to_string(i)); });
    }
    gate.open();
  }
  EXPECT_THAT(order, ::testing::ElementsAre("f0", "f1", "f2", "b0", "b1", "b2"));
}

TEST_F(SqliteStoreTest, WritesWhatIsQueuedBeforeItCloses) {
  {
    const auto store = open();
    for (int i = 0; i < 500; ++i) {
      store->commit({PutHealth{"fe" + std::to_string(i), "front-end", Health::Up}},
                    Store::Urgency::Behind, {});
    }
  }
  const auto store = open();
  EXPECT_EQ(state().health.size(), 500U);
}

TEST_F(SqliteStoreTest, MeasuresDurableTransactions) {
  const auto store = open();
  ASSERT_TRUE(commit(*store, {ReserveGenerations{1}}));
  ASSERT_FALSE(commit(*store, {PutHold{plain_hold("")}}));
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= Histogram::kBounds.size(); ++i) {
    count += store->commit_seconds().bucket(i);
  }
  EXPECT_EQ(count, 1U);
}

TEST_F(SqliteStoreTest, SaysThatTheDiskIsFullAndGoesOnWhenItIsNot) {
  FaultVfs disk;
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe01")}}));
    disk.fail_writes(SQLITE_FULL);
    const auto stored = commit(*store, {PutHold{plain_hold("fe02")}});
    ASSERT_FALSE(stored);
    EXPECT_THAT(stored.error(), HasSubstr("full"));
    disk.fail_writes(SQLITE_OK);
    EXPECT_TRUE(commit(*store, {PutHold{plain_hold("fe03")}}));
  }
  const auto store = open();
  ASSERT_EQ(state().holds.size(), 2U);
  EXPECT_EQ(state().holds[0].key.server, "fe01");
  EXPECT_EQ(state().holds[1].key.server, "fe03");
}

TEST_F(SqliteStoreTest, DoesNotAcknowledgeWhatWasNotSynced) {
  FaultVfs disk;
  {
    const auto store = open();
    disk.fail_syncs(SQLITE_IOERR_FSYNC);
    EXPECT_FALSE(commit(*store, {PutHold{plain_hold("fe01")}}));
    disk.fail_syncs(SQLITE_OK);
    EXPECT_TRUE(commit(*store, {PutHold{plain_hold("fe01")}})) << "a retry is harmless";
  }
  const auto store = open();
  EXPECT_EQ(state().holds.size(), 1U);
}

TEST_F(SqliteStoreTest, FailsEveryoneOfAGroupWhenTheDiskIsFull) {
  FaultVfs disk;
  std::atomic<int> failed = 0;
  {
    const auto store = open();
    Gate gate(*store);
    disk.fail_writes(SQLITE_FULL);
    for (int i = 0; i < 5; ++i) {
      store->commit({PutHold{plain_hold("fe01")}}, Store::Urgency::First,
                    [&](const Store::Stored& stored) { failed += stored ? 0 : 1; });
    }
    gate.open();
  }
  EXPECT_EQ(failed, 5);
}

// The file system's own limit, with the real file layer.
TEST_F(SqliteStoreTest, SurvivesALimitOfTheFileSystem) {
  const auto store = open();
  ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe01")}}));
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit tight{1, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto stored = commit(*store, {PutHold{full_hold()}});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, ignored);
  EXPECT_FALSE(stored);
  EXPECT_TRUE(commit(*store, {PutHold{full_hold()}}));
}

TEST_F(SqliteStoreTest, DoesNotWriteIntoAFileThatWasRemoved) {
  const auto store = open();
  fs::remove(database());
  const auto stored = commit(*store, {PutHold{plain_hold("fe01")}});
  ASSERT_FALSE(stored);
  EXPECT_THAT(stored.error(), HasSubstr("removed"));
}

TEST_F(SqliteStoreTest, RefusesASecondAuthorityAndNamesTheFirst) {
  auto store = open();
  const std::string words = refusal();
  EXPECT_THAT(words, HasSubstr("in use by another sluiced"));
  EXPECT_THAT(words, HasSubstr("process " + std::to_string(getpid())));
  store.reset();
  EXPECT_EQ(refusal(), "none") << "the first has gone";
}

TEST_F(SqliteStoreTest, SaysWhyADirectoryCanNotBeMade) {
  std::ofstream(state_directory()) << "a file";
  EXPECT_THAT(refusal(), HasSubstr("Not a directory"));
}

// What a process says on `acknowledged` that it has on disk, until it is killed.
[[noreturn]] void commit_for_ever(const std::string& directory, int acknowledged) {
  StoredState state;
  auto store = SqliteStore::open(
      directory, [](const auto& task) { task(); }, [](const auto&) {}, state);
  if (!store) _exit(1);
  for (std::uint32_t number = 0;; ++number) {
    (*store)->commit({PutHold{plain_hold("fe" + std::to_string(number))}}, Store::Urgency::First,
                     [number, acknowledged](const Store::Stored& stored) {
                       if (!stored || write(acknowledged, &number, sizeof number) < 0) _exit(2);
                     });
    // Two requests in three are committed in groups.
    if (number % 3 == 0) {
      const auto done = std::make_shared<std::promise<void>>();
      (*store)->commit({ReserveGenerations{number}}, Store::Urgency::First,
                       [done](const Store::Stored&) { done->set_value(); });
      done->get_future().wait();
    }
  }
}

TEST_F(SqliteStoreTest, KeepsWhatItAcknowledgedWhenItIsKilled) {
  for (int round = 0; round < 5; ++round) {
    fs::remove_all(state_directory());
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      commit_for_ever(state_directory(), ends[1]);
    }
    close(ends[1]);
    std::uint32_t last = 0;
    for (int i = 0; i < 40 + round * 7; ++i) {
      ASSERT_EQ(read(ends[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    // Acknowledged, but not read yet.
    std::uint32_t number = 0;
    while (read(ends[0], &number, sizeof number) == static_cast<ssize_t>(sizeof number)) {
      last = number;
    }
    close(ends[0]);

    const auto store = open();
    ASSERT_NE(store, nullptr);
    std::set<std::string> found;
    for (const Hold& hold : state().holds) found.insert(hold.key.server);
    for (std::uint32_t i = 0; i <= last; ++i) {
      ASSERT_TRUE(found.contains("fe" + std::to_string(i))) << i << " of " << last;
    }
  }
}

}  // namespace
}  // namespace sluice::health
