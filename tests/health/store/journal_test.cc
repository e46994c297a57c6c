#include "health/store/journal.h"

#include <fstream>

#include "tests/health/store/store_fixture.h"

namespace sluice::health {
namespace {

using namespace testing;

constexpr std::streamoff kHeader = 32;
constexpr std::streamoff kFrame = 24 + 4'096;

// A database in write-ahead mode with three transactions in its journal, one frame each.
class JournalTest : public StoreTest {
 protected:
  JournalTest() {
    const std::string live = parent() + "/live.db";
    auto opened = Database::open(live, true);
    auto& database = *opened;
    EXPECT_TRUE(database.text("PRAGMA journal_mode = WAL"));
    EXPECT_TRUE(database.execute("CREATE TABLE t (x)"));
    EXPECT_TRUE(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(database.execute("INSERT INTO t VALUES (1)"));
    fs::copy_file(live, path_);
    fs::copy_file(live + "-wal", path_ + "-wal");
    EXPECT_EQ(fs::file_size(path_ + "-wal"), kHeader + 3 * kFrame);
  }

  void flip(std::streamoff at) const {
    std::fstream file(path_ + "-wal", std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const int octet = file.get();
    file.seekp(at);
    file.put(static_cast<char>(octet ^ 0x10));
  }
  // As SQLite reads it.
  std::int64_t rows() const {
    const std::string other = path_ + ".read";
    fs::copy_file(path_, other, fs::copy_options::overwrite_existing);
    fs::copy_file(path_ + "-wal", other + "-wal", fs::copy_options::overwrite_existing);
    fs::remove(other + "-shm");
    auto database = Database::open(other, false);
    return *database->integer("SELECT count(*) FROM t");
  }

  const std::string path_ = parent() + "/test.db";
};

TEST_F(JournalTest, IsWholeAsItIsWritten) {
  EXPECT_EQ(scan_journal(path_), Journal::Whole);
  EXPECT_EQ(rows(), 3);
  EXPECT_EQ(scan_journal(path_ + ".none"), Journal::Whole);
}

TEST_F(JournalTest, IsWholeWhereverItEnds) {
  for (const std::streamoff end : {kHeader + 2 * kFrame + 500, kHeader + kFrame, kHeader + 10,
                                   kHeader, std::streamoff{20}, std::streamoff{0}}) {
    fs::resize_file(path_ + "-wal", static_cast<std::uintmax_t>(end));
    EXPECT_EQ(scan_journal(path_), Journal::Whole) << end;
  }
}

TEST_F(JournalTest, IsTornInItsLastTransaction) {
  flip(kHeader + 2 * kFrame + 24 + 100);
  EXPECT_EQ(scan_journal(path_), Journal::Torn);
  EXPECT_EQ(rows(), 2);
}

TEST_F(JournalTest, HasLostWhatWasFollowedByOthers) {
  // In the page, in the size of the database, in the salt, in the checksum of the second frame.
  for (const std::streamoff at : {24 + 100, 4, 9, 17}) {
    flip(kHeader + kFrame + at);
    // Without its own checksum it can't be known that the third was written after it.
    EXPECT_EQ(scan_journal(path_), at == 17 ? Journal::Torn : Journal::Lost) << at;
    EXPECT_EQ(rows(), 1) << at;
    flip(kHeader + kFrame + at);
  }
  EXPECT_EQ(scan_journal(path_), Journal::Whole);
}

TEST_F(JournalTest, HasLostEverythingWithoutItsHeader) {
  for (std::streamoff at = 0; at < kHeader; at += 4) {
    flip(at);
    EXPECT_EQ(scan_journal(path_), Journal::Lost) << at;
    EXPECT_EQ(rows(), 0) << at;
    flip(at);
  }
}

TEST_F(JournalTest, WhatIsLeftOfTheRoundBeforeIsNoDamage) {
  const std::string live = parent() + "/round.db";
  auto database = Database::open(live, true);
  ASSERT_TRUE(database);
  ASSERT_TRUE(database->text("PRAGMA journal_mode = WAL"));
  ASSERT_TRUE(database->execute("CREATE TABLE t (x)"));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(database->execute("INSERT INTO t VALUES (1)"));
  ASSERT_TRUE(database->execute("PRAGMA wal_checkpoint(RESTART)"));
  ASSERT_TRUE(database->execute("INSERT INTO t VALUES (2)"));
  EXPECT_EQ(scan_journal(live), Journal::Whole);
}

}  // namespace
}  // namespace sluice::health
