#include "health/store/recovery.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/health/store/store_fixture.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using ::testing::AllOf;
using ::testing::HasSubstr;

class RecoveryTest : public StoreTest {
 protected:
  RecoveryTest() { disk_.pretend_syncs(); }

  // A store with this hold, closed, its copy up to date.
  void make(const Hold& hold = full_hold()) {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{hold}, PutSchedule{full_plan()}, ReserveGenerations{5'000},
                                ReserveSchedules{50}}));
    ASSERT_TRUE(copied(*store));
  }
  // As after kill -9: what two runs left behind, the second one's journal included.
  void make_crashed() {
    make(plain_hold("fe01"));
    const auto store = open();
    for (int i = 2; i < 6; ++i) {
      ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe0" + std::to_string(i))}}));
    }
    ASSERT_TRUE(copied(*store));
    crash();
  }
  // The files of a store that is open, as kill -9 would leave them, are those of the next start.
  void crash() {
    snapshot_ = parent() + "/snapshot";
    fs::remove_all(snapshot_);
    fs::copy(state_directory(), snapshot_);
  }
  void restart() const {
    fs::remove_all(state_directory());
    fs::rename(snapshot_, state_directory());
    for (const std::string& path : {database(), copy()}) fs::remove(path + "-shm");
  }
  static void overwrite(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto size = fs::file_size(path);
    for (std::uintmax_t at = 4'096; at < size; at += 97) {
      file.seekp(static_cast<std::streamoff>(at));
      file.put('\xa5');
    }
  }
  static void replace(const std::string& path, const std::string& old, const std::string& with) {
    std::ifstream in(path, std::ios::binary);
    std::string octets((std::istreambuf_iterator<char>(in)), {});
    const auto at = octets.find(old);
    ASSERT_NE(at, std::string::npos);
    octets.replace(at, old.size(), with);
    std::ofstream(path, std::ios::binary) << octets;
  }
  std::vector<std::string> kept() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(state_directory())) {
      const std::string name = entry.path().filename().string();
      if (name.find(".damaged-") != std::string::npos) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  FaultVfs disk_;
  std::string snapshot_;
};

TEST_F(RecoveryTest, SaysNothingOfAStoreThatIsWhole) {
  make();
  open().reset();
  EXPECT_EQ(notices(), "");
  EXPECT_TRUE(kept().empty());
}

TEST_F(RecoveryTest, GoesOnFromTheCopyOfADamagedDatabase) {
  make();
  overwrite(database());
  const auto store = open();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(full_hold()));
  EXPECT_THAT(state().schedules, ::testing::ElementsAre(full_plan()));
  EXPECT_THAT(notices(), AllOf(HasSubstr("backup: " + database() + " is damaged ("),
                               HasSubstr("went on from sluice.backup.db, age ")));
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_THAT(notices(), HasSubstr("kept as " + kept()[0]));
  ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe01")}}));
}

TEST_F(RecoveryTest, IsWholeAgainAfterwards) {
  make();
  overwrite(database());
  open().reset();
  const std::string before = notices();
  open().reset();
  EXPECT_EQ(notices(), before);
  overwrite(database());
  open().reset();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(full_hold())) << "the copy was kept, too";
}

TEST_F(RecoveryTest, NumbersThatMayHaveBeenUsedDoNotComeBack) {
  make();
  overwrite(database());
  open().reset();
  EXPECT_GT(state().generation, 5'000U + 1'024U);
  EXPECT_GT(state().schedule, 50U);
}

TEST_F(RecoveryTest, AChangedTextInARowIsDamage) {
  Hold hold = full_hold();
  hold.reason = "a reason to find again";
  make(hold);
  replace(database(), hold.reason, "a reason to find agaim");
  open().reset();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(hold));
  EXPECT_THAT(notices(), HasSubstr("a row of holds is not what was written"));
}

TEST_F(RecoveryTest, AMissingRowIsDamage) {
  make();
  {
    auto shell = Database::open(database(), false);
    ASSERT_TRUE(shell);
    ASSERT_TRUE(shell->execute("DELETE FROM schedules"));
  }
  open().reset();
  EXPECT_THAT(state().schedules, ::testing::ElementsAre(full_plan()));
  EXPECT_THAT(notices(), HasSubstr("rows are not the"));
}

TEST_F(RecoveryTest, AnotherTableDefinitionIsDamage) {
  make();
  {
    auto shell = Database::open(database(), false);
    ASSERT_TRUE(shell);
    ASSERT_TRUE(shell->execute("CREATE INDEX mine ON holds (reason)"));
  }
  open().reset();
  EXPECT_THAT(notices(), HasSubstr("not defined as they were"));
}

TEST_F(RecoveryTest, GoesOnFromTheCopyWhenTheDatabaseIsMissing) {
  make();
  fs::remove(database());
  open().reset();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(full_hold()));
  EXPECT_THAT(notices(), HasSubstr("is missing; went on from sluice.backup.db"));
}

TEST_F(RecoveryTest, GoesOnFromTheCopyWhenTheDatabaseIsFromAnOlderDay) {
  make(plain_hold("fe01"));
  fs::copy_file(database(), parent() + "/yesterday");
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
  }
  fs::copy_file(parent() + "/yesterday", database(), fs::copy_options::overwrite_existing);
  open().reset();
  EXPECT_EQ(state().holds.size(), 2U);
  EXPECT_THAT(notices(), HasSubstr("is older than it was (commit "));
}

TEST_F(RecoveryTest, GoesOnFromTheCopyWhenTheJournalIsGone) {
  make_crashed();
  restart();
  ASSERT_TRUE(fs::exists(database() + "-wal"));
  fs::remove(database() + "-wal");
  open().reset();
  EXPECT_EQ(state().holds.size(), 5U);
  EXPECT_THAT(notices(), HasSubstr("is older than it was"));
}

TEST_F(RecoveryTest, KeepsTheJournalOfWhatItFound) {
  make_crashed();
  restart();
  overwrite(database() + "-wal");
  overwrite(database());
  open().reset();
  EXPECT_EQ(state().holds.size(), 5U);
  ASSERT_EQ(kept().size(), 2U);
  EXPECT_EQ(kept()[1], kept()[0] + "-wal");
}

TEST_F(RecoveryTest, ADamagedJournalIsSaidWhenTheCopyIsNotNewerEither) {
  make(plain_hold("fe01"));
  {
    const auto store = open();
    ASSERT_TRUE(copied(*store));
    fs::copy(state_directory(), parent() + "/early");
    ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe02")}}));
    ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe03")}}));
    crash();
  }
  restart();
  remove_copy();
  fs::copy_file(parent() + "/early/sluice.backup.db", copy());
  // The first page of the first frame that matters.
  std::fstream(database() + "-wal", std::ios::in | std::ios::out | std::ios::binary)
      .seekp(32 + 24 + 100)
      .write("damage", 6);
  open().reset();
  EXPECT_EQ(state().holds.size(), 1U) << "as SQLite reads it: up to the damage";
  EXPECT_THAT(notices(), HasSubstr("the last commits are lost"));
  EXPECT_GT(state().generation, 5'000U + 1'024U);
}

TEST_F(RecoveryTest, RefusesWhenBothAreDamagedAndNamesBoth) {
  make();
  overwrite(database());
  overwrite(copy());
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr(database() + " is damaged ("), HasSubstr(copy() + " is damaged ("),
                    HasSubstr("from a backup, or move the whole directory away")));
  EXPECT_TRUE(kept().empty()) << "nothing is touched";
}

TEST_F(RecoveryTest, RefusesAnOlderDatabaseWhoseCopyIsDamaged) {
  make(plain_hold("fe01"));
  fs::copy_file(database(), parent() + "/yesterday");
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
  }
  fs::copy_file(parent() + "/yesterday", database(), fs::copy_options::overwrite_existing);
  {
    auto shell = Database::open(copy(), false);
    ASSERT_TRUE(shell);
    ASSERT_TRUE(shell->execute("DELETE FROM holds"));
  }
  EXPECT_THAT(refusal(), AllOf(HasSubstr("is older than it was"), HasSubstr(copy()),
                               HasSubstr("or only sluice.backup.db to start with what was")));
  remove_copy();
  EXPECT_EQ(refusal(), "none");
}

TEST_F(RecoveryTest, ADamagedAuditCostsNoHold) {
  {
    const auto store = open();
    std::vector<Change> changes{PutHold{full_hold()}};
    for (int i = 0; i < 200; ++i) {
      Event event;
      event.server = "fe01";
      event.text = "one of many entries, long enough to fill some pages of the audit";
      changes.emplace_back(AppendAudit{event});
    }
    ASSERT_TRUE(commit(*store, std::move(changes)));
  }
  remove_copy();
  const auto root = [&] {
    auto shell = Database::open(database(), false);
    return *shell->integer("SELECT rootpage FROM sqlite_schema WHERE name = 'audit'");
  }();
  std::fstream(database(), std::ios::in | std::ios::out | std::ios::binary)
      .seekp((root - 1) * 4'096)
      .write(std::string(4'096, '\0').data(), 4'096);
  open().reset();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(full_hold()));
  EXPECT_THAT(notices(), HasSubstr("went on from its rows, which are right, without its audit"));
}

// What SQLite says of a header that names another largest root page has a line break in it.
TEST_F(RecoveryTest, WhatIsFoundIsSaidInOneLine) {
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}}));
  }
  remove_copy();
  constexpr int kLargestRoot = 52;  // SQLite's file format, section 1.3
  std::fstream(database(), std::ios::in | std::ios::out | std::ios::binary)
      .seekp(kLargestRoot)
      .put('\x7f');
  open().reset();
  EXPECT_THAT(state().holds, ::testing::ElementsAre(full_hold()));
  EXPECT_THAT(notices(), HasSubstr("main *** max rootpage"));
}

TEST_F(RecoveryTest, RefusesADamagedDatabaseThatHasNoCopy) {
  {
    const auto store = open();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(commit(*store, {PutHold{plain_hold("fe" + std::to_string(i))}}));
    }
  }
  remove_copy();
  overwrite(database());
  EXPECT_THAT(refusal(), AllOf(HasSubstr("is damaged"), HasSubstr("restore it from a backup")));
}

TEST_F(RecoveryTest, SomebodyWhoReadsItDoesNotMakeItDamaged) {
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

TEST_F(RecoveryTest, RefusesAnEmptyFileInPlaceOfTheDatabase) {
  make();
  remove_copy();
  fs::resize_file(database(), 0);
  EXPECT_THAT(refusal(), HasSubstr("is damaged"));
}

// What is cut off may be nothing that matters: an index of the audit.
TEST_F(RecoveryTest, RefusesACutDatabaseOrReadsItRight) {
  make();
  remove_copy();
  fs::copy_file(database(), parent() + "/whole");
  const auto size = fs::file_size(database());
  unsigned refused = 0;
  for (std::uintmax_t cut = 1; cut < size; cut += 4'093) {
    fs::resize_file(database(), cut);
    const std::string words = refusal();
    if (words == "none") {
      EXPECT_THAT(state().holds, ::testing::ElementsAre(full_hold())) << cut;
      EXPECT_THAT(state().schedules, ::testing::ElementsAre(full_plan())) << cut;
    } else {
      EXPECT_THAT(words, HasSubstr("damaged")) << cut;
      ++refused;
    }
    fs::remove_all(state_directory());
    fs::create_directory(state_directory());
    fs::copy_file(parent() + "/whole", database());
  }
  EXPECT_GT(refused, 5U);
  EXPECT_EQ(refusal(), "none");
}

TEST_F(RecoveryTest, RefusesWhatIsNotADatabase) {
  fs::create_directory(state_directory());
  std::ofstream(database()) << std::string(8'192, 'x');
  EXPECT_THAT(refusal(), HasSubstr("is damaged"));
}

TEST_F(RecoveryTest, RefusesADatabaseOfAnotherProgram) {
  fs::create_directory(state_directory());
  {
    auto other = Database::open(database(), true);
    ASSERT_TRUE(other);
    ASSERT_TRUE(other->execute("CREATE TABLE t (x); PRAGMA user_version = 1"));
  }
  EXPECT_THAT(refusal(), HasSubstr("not a store of Sluice"));
}

TEST_F(RecoveryTest, RefusesADatabaseOfANewerVersion) {
  make();
  {
    auto newer = Database::open(database(), false);
    ASSERT_TRUE(newer);
    ASSERT_TRUE(newer->execute("PRAGMA user_version = 99"));
  }
  EXPECT_THAT(refusal(), HasSubstr("newer sluiced"));
}

TEST_F(RecoveryTest, RefusesAJournalWithoutItsDatabase) {
  make();
  remove_copy();
  fs::remove(database());
  std::ofstream(database() + "-wal") << "left over";
  EXPECT_THAT(refusal(), HasSubstr("is missing; holds would be lost"));
}

TEST_F(RecoveryTest, ForgetsADraftThatACrashLeft) {
  fs::create_directory(state_directory());
  std::ofstream(database() + ".new") << "half of a draft";
  EXPECT_EQ(refusal(), "none");
}

// Nothing that surrounds the file makes it damaged: it stays where it is.
TEST_F(RecoveryTest, AFullDiskIsNoDamage) {
  make();
  FaultVfs disk;
  {
    auto shell = Database::open(database(), false);
    ASSERT_TRUE(shell);
    ASSERT_TRUE(shell->execute("PRAGMA journal_mode = DELETE"));
  }
  disk.fail_writes(SQLITE_FULL);
  EXPECT_THAT(refusal(), HasSubstr("full"));
  disk.fail_writes(SQLITE_OK);
  EXPECT_TRUE(kept().empty());
  EXPECT_EQ(refusal(), "none");
}

}  // namespace
}  // namespace sluice::health
