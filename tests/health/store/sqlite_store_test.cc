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
#include <tuple>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/health/store/fault_vfs.h"

namespace sluice::health {
namespace {

using base::Duration;
using base::WallTime;
using testing::HasSubstr;
namespace fs = std::filesystem;

using HealthRow = std::tuple<std::string, std::string, Health>;

std::vector<HealthRow> rows(const std::vector<PutHealth>& health) {
  std::vector<HealthRow> rows;
  for (const PutHealth& row : health) rows.emplace_back(row.server, row.service, row.health);
  return rows;
}

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() {
    std::string pattern = fs::temp_directory_path() / "sluice-store-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    state_directory_ = directory_ + "/state";
  }
  ~SqliteStoreTest() override { fs::remove_all(directory_); }

  static void run_now(const std::function<void()>& task) { task(); }

  base::Checked<std::unique_ptr<SqliteStore>> try_open() {
    state_ = {};
    return SqliteStore::open(state_directory_, run_now, state_);
  }
  std::unique_ptr<SqliteStore> open() {
    auto store = try_open();
    EXPECT_TRUE(store) << to_string(store.error());
    return store ? std::move(*store) : nullptr;
  }
  std::string refusal() {
    auto store = try_open();
    return store ? "none" : to_string(store.error());
  }

  // Commits and waits. The callback shares the promise: it may return after the wait is over.
  static Store::Stored commit(Store& store, std::vector<Change> changes,
                              Store::Urgency urgency = Store::Urgency::First) {
    const auto promise = std::make_shared<std::promise<Store::Stored>>();
    store.commit(std::move(changes), urgency,
                 [promise](Store::Stored stored) { promise->set_value(std::move(stored)); });
    return promise->get_future().get();
  }

  std::string database() const { return state_directory_ + "/sluice.db"; }
  const std::string& parent() const { return directory_; }
  const std::string& state_directory() const { return state_directory_; }
  const StoredState& state() const { return state_; }

 private:
  std::string directory_;
  std::string state_directory_;
  StoredState state_;
};

Hold plain_hold(std::string server) {
  Hold hold;
  hold.key = {std::move(server), "", Origin::Operator};
  hold.by = "operations";
  hold.since = WallTime(Duration(1'795'168'830'250));
  return hold;
}

Hold full_hold() {
  Hold hold = plain_hold("fe02.pool01.contoso.example");
  hold.key.service = "front-end";
  hold.key.origin = Origin::Host;
  hold.reason = std::string("péch \"';--\n\0x", 13);
  hold.startup = config::Startup::Manual;
  hold.forced = true;
  hold.hide_host = true;
  hold.expiry = Expiry{0, WallTime(Duration(1'795'168'930'000)), Then::Lift, false};
  hold.instances = {{"front-end", "unit-1"}, {"call-park", "unit-2"}};
  hold.released = {"attendant", "call-park"};
  hold.horizons = {{"front-end", WallTime(Duration(1'795'168'862'000))}};
  return hold;
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
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{server_hold}, PutHold{full_hold()}}));
    ASSERT_TRUE(commit(*store, {PutForce{"fe01", "front-end", Health::Down, "", {}},
                                PutForce{"fe02", "front-end", Health::Up, "", {}}}));
    ASSERT_TRUE(commit(
        *store,
        {PutHealth{"fe01", "front-end", Health::Up}, PutHealth{"fe01", "call-park", Health::Down},
         PutHealth{"fe02", "front-end", Health::Stopped}, ReserveGenerations{1'000'000'000'000},
         PutSerialBase{"contoso.example", 4'294'967'295U}, PutSerialBase{".", 0}},
        Store::Urgency::Behind));
  }
  const auto store = open();
  EXPECT_THAT(state().holds, testing::UnorderedElementsAre(server_hold, full_hold()));
  EXPECT_EQ(state().generation, 1'000'000'000'000U);
  EXPECT_THAT(rows(state().health),
              testing::UnorderedElementsAre(HealthRow{"fe01", "front-end", Health::Up},
                                            HealthRow{"fe01", "call-park", Health::Down},
                                            HealthRow{"fe02", "front-end", Health::Stopped}));
  ASSERT_EQ(state().forces.size(), 2U);
  EXPECT_EQ(state().forces[0].health, Health::Down);
  EXPECT_EQ(state().forces[1].health, Health::Up);
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
  EXPECT_THAT(state().holds, testing::ElementsAre(less));
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
  EXPECT_THAT(state().holds, testing::UnorderedElementsAre(other_origin, whole_server));
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
  }
  const auto store = open();
  EXPECT_EQ(state().generation, 2'000U);
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
  EXPECT_THAT(outcomes, testing::ElementsAre(true, true, false, true, true));
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
  EXPECT_THAT(order, testing::ElementsAre("f0", "f1", "f2", "b0", "b1", "b2"));
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

TEST_F(SqliteStoreTest, RefusesADamagedDatabase) {
  {
    const auto store = open();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe" + std::to_string(i))}}));
    }
  }
  const std::string path = database();
  const auto size = fs::file_size(path);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  for (std::uintmax_t at = 4'096; at < size; at += 97) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put('\xa5');
  }
  file.close();
  EXPECT_THAT(refusal(), HasSubstr("is damaged"));
}

TEST_F(SqliteStoreTest, SomebodyWhoReadsItDoesNotMakeItDamaged) {
  auto store = open();
  ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe01")}}));
  auto reader = Database::open(database(), false);
  ASSERT_TRUE(reader);
  ASSERT_TRUE(reader->execute("BEGIN"));
  ASSERT_TRUE(reader->integer("SELECT count(*) FROM holds"));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe" + std::to_string(i))}}));
  }
  store.reset();
  EXPECT_EQ(refusal(), "none");
}

TEST_F(SqliteStoreTest, RefusesAnEmptyFileInPlaceOfTheDatabase) {
  open().reset();
  fs::resize_file(database(), 0);
  EXPECT_THAT(refusal(), HasSubstr("is damaged"));
}

TEST_F(SqliteStoreTest, RefusesEveryCutDatabase) {
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe01")}}));
  }
  const auto size = fs::file_size(database());
  for (std::uintmax_t cut = 1; cut < size; cut += 1'021) {
    fs::copy_file(database(), parent() + "/whole", fs::copy_options::overwrite_existing);
    fs::resize_file(database(), cut);
    EXPECT_THAT(refusal(), HasSubstr("damaged")) << cut;
    fs::copy_file(parent() + "/whole", database(), fs::copy_options::overwrite_existing);
  }
  EXPECT_EQ(refusal(), "none");
}

TEST_F(SqliteStoreTest, RefusesWhatIsNotADatabase) {
  fs::create_directory(state_directory());
  std::ofstream(database()) << std::string(8'192, 'x');
  EXPECT_THAT(refusal(), HasSubstr("is damaged"));
}

TEST_F(SqliteStoreTest, RefusesADatabaseOfAnotherProgram) {
  fs::create_directory(state_directory());
  {
    auto other = Database::open(database(), true);
    ASSERT_TRUE(other);
    ASSERT_TRUE(other->execute("CREATE TABLE t (x); PRAGMA user_version = 1"));
  }
  EXPECT_THAT(refusal(), HasSubstr("not a store of Sluice"));
}

TEST_F(SqliteStoreTest, RefusesADatabaseOfANewerVersion) {
  open().reset();
  {
    auto newer = Database::open(database(), false);
    ASSERT_TRUE(newer);
    ASSERT_TRUE(newer->execute("PRAGMA user_version = 99"));
  }
  EXPECT_THAT(refusal(), HasSubstr("newer sluiced"));
}

TEST_F(SqliteStoreTest, RefusesAJournalWithoutItsDatabase) {
  open().reset();
  fs::remove(database());
  std::ofstream(database() + "-wal") << "left over";
  EXPECT_THAT(refusal(), HasSubstr("the file is missing"));
}

TEST_F(SqliteStoreTest, ForgetsADraftThatACrashLeft) {
  fs::create_directory(state_directory());
  std::ofstream(database() + ".new") << "half of a draft";
  EXPECT_EQ(refusal(), "none");
}

TEST_F(SqliteStoreTest, SaysWhyADirectoryCanNotBeMade) {
  std::ofstream(state_directory()) << "a file";
  EXPECT_THAT(refusal(), HasSubstr("Not a directory"));
}

// What a process says on `acknowledged` that it has on disk, until it is killed.
[[noreturn]] void commit_for_ever(const std::string& directory, int acknowledged) {
  StoredState state;
  auto store = SqliteStore::open(
      directory, [](const auto& task) { task(); }, state);
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
