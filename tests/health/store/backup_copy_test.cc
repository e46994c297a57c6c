#include "health/store/backup_copy.h"

#include "health/store/store_file.h"
#include "tests/health/store/store_fixture.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;
using namespace testing;

class BackupCopyTest : public StoreTest {
 protected:
  // What a start would find in the copy, read while nobody has it open.
  StoreFile read_copy() const {
    auto file = inspect(copy(), 0);
    EXPECT_TRUE(file) << to_string(file.error());
    return file ? std::move(*file) : StoreFile{};
  }
  static std::uint64_t commits(const StoreFile& file) { return file.content.seal.commits; }
};

TEST_F(BackupCopyTest, FollowsTheStoreWhileItRuns) {
  const auto store = open();
  ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
  ASSERT_TRUE(copied(*store));
  auto reader = Database::open(copy(), false);
  ASSERT_TRUE(reader);
  EXPECT_EQ(*reader->integer("SELECT count(*) FROM holds"), 1);
  ASSERT_TRUE(commit(*store, {EraseHold{full_hold().key}}));
  ASSERT_TRUE(copied(*store));
  EXPECT_EQ(*reader->integer("SELECT count(*) FROM holds"), 0);
  EXPECT_EQ(store->copy_failures(), 0U);
}

TEST_F(BackupCopyTest, HasEverythingThatTheStoreHas) {
  Event event;
  event.server = "fe01";
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {ReserveGenerations{1}}));
    ASSERT_TRUE(copied(*store));
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}, PutForce{"fe01", "", Health::Down, "o", {}},
                                PutHealth{"fe01", "front-end", Health::Stopped}}));
    ASSERT_TRUE(commit(
        *store, {PutSchedule{full_plan()}, ReserveSchedules{18}, PutPoolTtl{"pool01", 30s, {}},
                 PutSerialBase{"example", 7}, ReserveGenerations{1'024}, AppendAudit{event}}));
    ASSERT_FALSE(commit(*store, {PutHold{plain_hold("")}})) << "and nothing that it does not have";
  }
  auto main = inspect(database(), 0);
  ASSERT_TRUE(main);
  StoreFile file = read_copy();
  ASSERT_EQ(file.condition, StoreFile::Condition::Whole);
  EXPECT_EQ(file.content.seal.commits, main->content.seal.commits);
  EXPECT_EQ(file.content.seal.at, main->content.seal.at);
  EXPECT_EQ(file.content.seal.rows, main->content.seal.rows);
  EXPECT_EQ(file.content.seal.sum, main->content.seal.sum);
  EXPECT_EQ(*file.database.integer("SELECT count(*) FROM audit"), 1);
}

TEST_F(BackupCopyTest, IsMadeAnewWhenItIsMissing) {
  open().reset();
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
  }
  remove_copy();
  open().reset();
  EXPECT_THAT(read_copy().content.state.holds, ::testing::ElementsAre(full_hold()));
  EXPECT_EQ(notices(), "");
}

TEST_F(BackupCopyTest, IsMadeAnewWhenItIsDamaged) {
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
  }
  {
    auto shell = Database::open(copy(), false);
    ASSERT_TRUE(shell);
    ASSERT_TRUE(shell->execute("UPDATE holds SET reason = ''"));
  }
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {ReserveGenerations{1}}));
    ASSERT_TRUE(copied(*store));
  }
  EXPECT_THAT(read_copy().content.state.holds, ::testing::ElementsAre(full_hold()));
  EXPECT_TRUE(noticed("sluice.backup.db is damaged (a row of holds"));
}

TEST_F(BackupCopyTest, IsMadeAnewWhenItIsBehind) {
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {ReserveGenerations{1}}));
    ASSERT_TRUE(copied(*store));
  }
  fs::copy_file(copy(), parent() + "/early");
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
  }
  remove_copy();
  fs::copy_file(parent() + "/early", copy());
  open().reset();
  EXPECT_THAT(read_copy().content.state.holds, ::testing::ElementsAre(full_hold()));
}

TEST_F(BackupCopyTest, IsMadeAnewWhenSomebodyRemovesIt) {
  const auto store = open();
  ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe01")}}));
  ASSERT_TRUE(copied(*store));
  remove_copy();
  ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe02")}}));
  ASSERT_TRUE(copied(*store));
  EXPECT_TRUE(fs::exists(copy()));
  EXPECT_EQ(store->copy_failures(), 1U);
  EXPECT_TRUE(noticed("can't be kept (it was removed or replaced); trying again"));
  EXPECT_TRUE(noticed("is kept again"));
}

// What is committed while the copy is made is in it, too: by the copy or by what follows.
TEST_F(BackupCopyTest, MissesNothingThatIsCommittedWhileItIsMade) {
  {
    const auto store = open();
    std::vector<Change> changes;
    for (int i = 0; i < 5'000; ++i) {
      changes.emplace_back(PutHealth{"fe" + std::to_string(i), "front-end", Health::Up});
    }
    ASSERT_TRUE(commit(*store, std::move(changes)));
  }
  remove_copy();
  {
    const auto store = open();
    for (int i = 0; i < 30; ++i) {
      ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe" + std::to_string(i))}}));
    }
    ASSERT_TRUE(copied(*store));
  }
  const StoreFile file = read_copy();
  EXPECT_EQ(file.condition, StoreFile::Condition::Whole);
  EXPECT_EQ(file.content.state.holds.size(), 30U);
  EXPECT_EQ(file.content.state.health.size(), 5'000U);
}

TEST_F(BackupCopyTest, NothingFailsWhenItsDiskIsFull) {
  FaultVfs disk("/sluice.backup.db");
  const auto store = open();
  ASSERT_TRUE(commit(*store, {ReserveGenerations{1}}));
  ASSERT_TRUE(copied(*store));
  disk.fail_writes(SQLITE_FULL);
  ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
  ASSERT_TRUE(wait_until([&] { return store->copy_failures() > 0; }));
  EXPECT_GT(store->copy_behind(), 0U);
  EXPECT_TRUE(noticed("can't be kept (database or disk is full)"));
  ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe01")}}));
  disk.fail_writes(SQLITE_OK);
  ASSERT_TRUE(copied(*store));
  EXPECT_TRUE(noticed("is kept again"));
}

TEST_F(BackupCopyTest, NothingWaitsForADiskThatDoesNotTakeItAtAll) {
  FaultVfs disk("/sluice.backup.db");
  disk.fail_syncs(SQLITE_IOERR_FSYNC);
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
    ASSERT_TRUE(wait_until([&] { return store->copy_failures() > 0; }));
  }
  EXPECT_FALSE(fs::exists(copy() + ".new")) << "the room that it takes is needed";
  open().reset();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(full_hold()));
}

// More than it keeps in memory for the copy: made anew instead.
TEST_F(BackupCopyTest, IsMadeAnewAfterTooMuch) {
  FaultVfs disk("/sluice.backup.db");
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {ReserveGenerations{1}}));
    ASSERT_TRUE(copied(*store));
    disk.fail_writes(SQLITE_FULL);
    for (int round = 0; round < 3; ++round) {
      std::vector<Change> changes;
      for (std::size_t i = 0; i * 2 < BackupCopy::kMaxPending; ++i) {
        changes.emplace_back(PutHealth{"fe" + std::to_string(i % 100), "front-end", Health::Up});
      }
      ASSERT_TRUE(commit(*store, std::move(changes)));
    }
    disk.fail_writes(SQLITE_OK);
    ASSERT_TRUE(copied(*store));
  }
  EXPECT_EQ(read_copy().content.state.health.size(), 100U);
}

}  // namespace
}  // namespace sluice::health
