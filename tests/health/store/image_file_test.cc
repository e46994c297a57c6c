#include "health/store/image_file.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/health/store/fault_vfs.h"

namespace sluice::health {
namespace {

namespace fs = std::filesystem;
using cluster::Copy;
using cluster::Kept;
using cluster::Write;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Entry = cluster::Change;

constexpr const char* kId = "00112233445566778899aabbccddeeff";

class ImageFileTest : public ::testing::Test {
 protected:
  ImageFileTest() {
    std::string pattern = fs::temp_directory_path() / "sluice-image-XXXXXX";
    parent_ = mkdtemp(pattern.data());
    directory_ = parent_ + "/state";
  }
  ~ImageFileTest() override { fs::remove_all(parent_); }

  base::Checked<std::unique_ptr<ImageFile>> try_open() {
    state_ = {};
    notices_.clear();
    return ImageFile::open(
        directory_, [](const std::function<void()>& task) { task(); },
        [this](const std::string& notice) { notices_ += notice + "\n"; }, state_);
  }
  std::unique_ptr<ImageFile> open() {
    auto file = try_open();
    EXPECT_TRUE(file) << to_string(file.error());
    return file ? std::move(*file) : nullptr;
  }
  std::string refusal() {
    const auto file = try_open();
    return file ? "none" : to_string(file.error());
  }

  // Calls and waits. The callback shares the promise: it may return after the wait is over.
  template <class Call>
  static Copy::Stored wait_for(Call call) {
    const auto promise = std::make_shared<std::promise<Copy::Stored>>();
    call([promise](Copy::Stored stored) { promise->set_value(std::move(stored)); });
    return promise->get_future().get();
  }
  static Copy::Stored keep(Copy& copy, std::int64_t revision, std::vector<Entry> changes) {
    return wait_for([&](auto done) { copy.keep(revision, std::move(changes), std::move(done)); });
  }
  static Copy::Stored replace(Copy& copy, std::int64_t revision, std::vector<Entry> entries) {
    return wait_for(
        [&](auto done) { copy.replace(kId, revision, std::move(entries), std::move(done)); });
  }
  static Copy::Stored keep_own(Copy& copy, std::vector<Write> writes) {
    return wait_for([&](auto done) { copy.keep_own(std::move(writes), std::move(done)); });
  }

  // With one entry as of revision 5, and one of its own; nobody has it open.
  void make() {
    const auto file = open();
    ASSERT_TRUE(replace(*file, 5, {{"holds/a", "1", 4, 0}}));
    ASSERT_TRUE(keep_own(*file, {{"local/a", "x", 0}}));
  }
  void execute(const char* sql) const {
    auto database = Database::open(path(), false);
    ASSERT_TRUE(database);
    const auto done = database->execute(sql);
    ASSERT_TRUE(done) << done.error().text;
  }
  // What was found stands beside it under another name, and an empty one in its place.
  void expect_put_aside(const std::string& why) {
    const auto file = open();
    ASSERT_NE(file, nullptr);
    EXPECT_THAT(notices_, HasSubstr("cluster.db " + why)) << notices_;
    EXPECT_THAT(notices_, HasSubstr("went on with an empty one"));
    EXPECT_EQ(std::ranges::count(notices_, '\n'), 1);
    EXPECT_EQ(state_.cluster, "");
    EXPECT_EQ(state_.revision, 0);
    EXPECT_THAT(state_.entries, IsEmpty());
    EXPECT_THAT(state_.own, IsEmpty());
    unsigned kept = 0;
    for (const auto& found : fs::directory_iterator(directory_)) {
      kept += found.path().filename().string().starts_with("cluster.db.damaged-") ? 1U : 0U;
    }
    EXPECT_GE(kept, 1U);
    EXPECT_TRUE(replace(*file, 1, {}));
  }

  std::string path() const { return image_path(directory_); }
  const std::string& directory() const { return directory_; }
  const Kept& state() const { return state_; }
  const std::string& notices() const { return notices_; }

 private:
  std::string parent_;
  std::string directory_;
  Kept state_;
  std::string notices_;
};

TEST_F(ImageFileTest, StartsEmptyInADirectoryThatItMakes) {
  const auto file = open();
  EXPECT_EQ(state().cluster, "");
  EXPECT_EQ(state().revision, 0);
  EXPECT_THAT(state().entries, IsEmpty());
  EXPECT_THAT(state().own, IsEmpty());
  EXPECT_EQ(notices(), "");
  EXPECT_TRUE(fs::exists(path()));
}

TEST_F(ImageFileTest, GivesBackEverythingAfterReopening) {
  const std::string octets("\xff\0é\n", 5);
  {
    const auto file = open();
    EXPECT_TRUE(replace(*file, 7, {{"b", octets, 3, 0}, {"a", "", 7, 17}}));
    EXPECT_TRUE(keep(*file, 8, {{"c", "3", 8, 0}}));
    EXPECT_TRUE(keep_own(*file, {{"y", "2", 0}, {"x", "1", 0}}));
  }
  const auto file = open();
  EXPECT_EQ(state().cluster, kId);
  EXPECT_EQ(state().revision, 8);
  EXPECT_THAT(state().entries,
              ElementsAre(Entry{"a", "", 7, 17}, Entry{"b", octets, 3, 0}, Entry{"c", "3", 8, 0}));
  EXPECT_THAT(state().own, ElementsAre(Entry{"x", "1", 0, 0}, Entry{"y", "2", 0, 0}));
  EXPECT_EQ(notices(), "");
}

TEST_F(ImageFileTest, WritesOverForgetsAndReplaces) {
  {
    const auto file = open();
    EXPECT_TRUE(replace(*file, 7, {{"a", "1", 3, 0}, {"b", "1", 3, 0}}));
    EXPECT_TRUE(keep(*file, 8, {{"a", "2", 8, 0}, {"b", {}, 8, 0}, {"none", {}, 8, 0}}));
    EXPECT_TRUE(keep_own(*file, {{"x", "1", 0}, {"y", "1", 0}}));
    EXPECT_TRUE(keep_own(*file, {{"x", {}, 0}, {"y", "2", 0}}));
  }
  {
    const auto file = open();
    EXPECT_THAT(state().entries, ElementsAre(Entry{"a", "2", 8, 0}));
    EXPECT_THAT(state().own, ElementsAre(Entry{"y", "2", 0, 0}));
    EXPECT_TRUE(replace(*file, 2, {{"z", "9", 2, 0}})) << "that alone goes back";
  }
  const auto file = open();
  EXPECT_EQ(state().revision, 2);
  EXPECT_THAT(state().entries, ElementsAre(Entry{"z", "9", 2, 0}));
  EXPECT_THAT(state().own, ElementsAre(Entry{"y", "2", 0, 0})) << "it is not the others'";
}

TEST_F(ImageFileTest, NeverGoesBackToAnOlderRevision) {
  make();
  {
    const auto file = open();
    const auto stored = keep(*file, 4, {{"holds/a", "0", 4, 0}});
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error(), "revision 4 is older than what is kept, 5");
    EXPECT_TRUE(keep(*file, 5, {{"holds/b", "1", 5, 0}})) << "the same one may come in parts";
    EXPECT_TRUE(keep(*file, 9, {}));
    EXPECT_FALSE(keep(*file, 8, {{"holds/a", "0", 8, 0}}));
  }
  const auto file = open();
  EXPECT_EQ(state().revision, 9);
  EXPECT_THAT(state().entries,
              ElementsAre(Entry{"holds/a", "1", 4, 0}, Entry{"holds/b", "1", 5, 0}));
}

TEST_F(ImageFileTest, WritesWhatIsQueuedBeforeItCloses) {
  {
    const auto file = open();
    for (std::int64_t i = 1; i <= 100; ++i) {
      file->keep(i, {{"k" + std::to_string(i), "v", i, 0}}, {});
    }
  }
  const auto file = open();
  EXPECT_EQ(state().revision, 100);
  EXPECT_EQ(state().entries.size(), 100U);
}

TEST_F(ImageFileTest, TakesLargeValues) {
  const std::string large(20'000'000, 'x');
  {
    const auto file = open();
    EXPECT_TRUE(replace(*file, 1, {{"pools/a", large, 1, 0}}));
  }
  const auto file = open();
  ASSERT_EQ(state().entries.size(), 1U);
  EXPECT_TRUE(state().entries[0].value == large);
}

TEST_F(ImageFileTest, AnswersInTheOrderOfTheCallsAndMeasures) {
  const auto file = open();
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) {
    file->keep(i, {{"a", "1", i, 0}}, [&, i](const auto&) { order.push_back(i); });
  }
  EXPECT_FALSE(keep(*file, 3, {}));
  EXPECT_TRUE(keep(*file, 9, {}));
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= Histogram::kBounds.size(); ++i) {
    count += file->commit_seconds().bucket(i);
  }
  EXPECT_GE(count, 1U);
  EXPECT_LE(count, 6U);
}

// --- a disk that fails

TEST_F(ImageFileTest, WritesWhatFailedTogetherWithWhatComesNext) {
  FaultVfs disk("/cluster.db");
  {
    const auto file = open();
    ASSERT_TRUE(replace(*file, 1, {{"a", "1", 1, 0}, {"b", "1", 1, 0}}));
    disk.fail_writes(SQLITE_FULL);
    const auto stored = keep(*file, 2, {{"a", "2", 2, 0}, {"b", {}, 2, 0}});
    ASSERT_FALSE(stored);
    EXPECT_THAT(stored.error(), HasSubstr("full"));
    EXPECT_FALSE(keep(*file, 1, {})) << "it was asked for";
    EXPECT_FALSE(keep_own(*file, {{"x", "1", 0}}));
    disk.fail_writes(SQLITE_OK);
    EXPECT_TRUE(keep(*file, 3, {{"c", "3", 3, 0}}));
  }
  const auto file = open();
  EXPECT_EQ(notices(), "");
  EXPECT_EQ(state().revision, 3);
  EXPECT_THAT(state().entries, ElementsAre(Entry{"a", "2", 2, 0}, Entry{"c", "3", 3, 0}));
  EXPECT_THAT(state().own, ElementsAre(Entry{"x", "1", 0, 0}));
}

TEST_F(ImageFileTest, AReplacementStandsInForWhatFailedBefore) {
  FaultVfs disk("/cluster.db");
  {
    const auto file = open();
    ASSERT_TRUE(replace(*file, 1, {{"a", "1", 1, 0}}));
    disk.fail_writes(SQLITE_FULL);
    EXPECT_FALSE(keep(*file, 2, {{"b", "2", 2, 0}}));
    EXPECT_FALSE(replace(*file, 5, {{"c", "5", 5, 0}}));
    disk.fail_writes(SQLITE_OK);
    EXPECT_TRUE(keep(*file, 6, {{"d", "6", 6, 0}}));
  }
  const auto file = open();
  EXPECT_THAT(state().entries, ElementsAre(Entry{"c", "5", 5, 0}, Entry{"d", "6", 6, 0}));
}

TEST_F(ImageFileTest, WritesWhatFailedBeforeItCloses) {
  FaultVfs disk("/cluster.db");
  {
    const auto file = open();
    disk.fail_writes(SQLITE_FULL);
    EXPECT_FALSE(replace(*file, 5, {{"c", "5", 5, 0}}));
    disk.fail_writes(SQLITE_OK);
  }
  const auto file = open();
  EXPECT_EQ(state().revision, 5);
}

TEST_F(ImageFileTest, DoesNotAcknowledgeWhatWasNotSynced) {
  FaultVfs disk("/cluster.db");
  const auto file = open();
  disk.fail_syncs(SQLITE_IOERR_FSYNC);
  EXPECT_FALSE(keep(*file, 1, {{"a", "1", 1, 0}}));
  disk.fail_syncs(SQLITE_OK);
  const unsigned before = disk.syncs();
  EXPECT_TRUE(keep(*file, 2, {}));
  EXPECT_GT(disk.syncs(), before);
}

// The file system's own limit, with the real file layer.
TEST_F(ImageFileTest, SurvivesALimitOfTheFileSystem) {
  const auto file = open();
  ASSERT_TRUE(keep(*file, 1, {{"a", "1", 1, 0}}));
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit tight{1, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto stored = keep(*file, 2, {{"b", "2", 2, 0}});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, ignored);
  EXPECT_FALSE(stored);
  EXPECT_TRUE(keep(*file, 3, {}));
}

TEST_F(ImageFileTest, DoesNotWriteIntoAFileThatWasRemoved) {
  const auto file = open();
  fs::remove(path());
  const auto stored = keep(*file, 1, {{"a", "1", 1, 0}});
  ASSERT_FALSE(stored);
  EXPECT_THAT(stored.error(), HasSubstr("removed"));
}

// --- what is found at the start

TEST_F(ImageFileTest, RefusesADirectoryThatSomebodyElseUses) {
  auto file = open();
  EXPECT_THAT(refusal(), HasSubstr("in use by another sluiced"));
  file.reset();
  EXPECT_EQ(refusal(), "none") << "the first has gone";
}

TEST_F(ImageFileTest, SaysWhyADirectoryCanNotBeMade) {
  std::ofstream(directory()) << "a file";
  EXPECT_THAT(refusal(), HasSubstr("Not a directory"));
}

TEST_F(ImageFileTest, RefusesADirectoryThatItMayNotWriteAndTouchesNothing) {
  make();
  const pid_t child = fork();
  if (child == 0) {
    // Rights do not bind root.
    if (geteuid() == 0 && (chmod(directory().c_str(), 0555) != 0 || setuid(65'534) != 0)) _exit(2);
    if (geteuid() != 0) chmod(directory().c_str(), 0555);
    _exit(refusal() == "none" ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  chmod(directory().c_str(), 0755);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
  const auto file = open();
  EXPECT_EQ(notices(), "");
  EXPECT_EQ(state().revision, 5);
}

TEST_F(ImageFileTest, RefusesAFileOfANewerVersion) {
  make();
  execute("PRAGMA user_version = 2");
  EXPECT_THAT(refusal(), HasSubstr("cluster.db: was written by a newer sluiced (schema 2"));
  execute("PRAGMA user_version = 1");
  const auto file = open();
  EXPECT_EQ(state().revision, 5);
}

TEST_F(ImageFileTest, PutsAsideAFileWhoseRowsAreNotThoseThatWereWritten) {
  for (const char* sql :
       {"UPDATE shared SET value = '2'", "UPDATE shared SET revision = 5", "DELETE FROM shared",
        "DELETE FROM own", "UPDATE own SET key = 'local/b'", "UPDATE meta SET revision = 6",
        "UPDATE meta SET cluster = 'x'", "DELETE FROM meta", "DROP TABLE own", "CREATE TABLE t (a)",
        "PRAGMA application_id = 7",
        "INSERT INTO own SELECT key || '2', value, row_check FROM own"}) {
    SCOPED_TRACE(sql);
    fs::remove_all(directory());
    make();
    execute(sql);
    expect_put_aside("is damaged (");
  }
}

TEST_F(ImageFileTest, PutsAsideWhatIsNoDatabase) {
  for (const std::string& octets : {std::string("x"), std::string(10'000, 'x'), std::string()}) {
    fs::remove_all(directory());
    make();
    std::ofstream(path(), std::ios::binary) << octets;
    if (octets.empty()) {
      // Nothing is there to be kept.
      const auto file = open();
      EXPECT_THAT(notices(), HasSubstr("is damaged"));
      EXPECT_EQ(state().revision, 0);
    } else {
      expect_put_aside("is damaged (");
    }
  }
}

TEST_F(ImageFileTest, PutsAsideAFileThatWasCut) {
  make();
  fs::resize_file(path(), fs::file_size(path()) - 4'096);
  expect_put_aside("is damaged (");
}

TEST_F(ImageFileTest, StartsEmptyWhenTheFileWasRemoved) {
  make();
  fs::remove(path());
  const auto file = open();
  EXPECT_EQ(state().revision, 0);
  EXPECT_THAT(state().own, IsEmpty());
}

TEST_F(ImageFileTest, IsPutAwayUnderAnotherName) {
  constexpr base::WallTime kNow(base::Duration(1'795'168'830'250));
  fs::create_directory(directory());
  const auto none = put_image_away(directory(), kNow);
  ASSERT_TRUE(none) << to_string(none.error());
  EXPECT_EQ(*none, std::nullopt);
  fs::remove(directory());
  make();
  const auto away = put_image_away(directory(), kNow);
  ASSERT_TRUE(away) << to_string(away.error());
  EXPECT_EQ(*away, path() + ".before-20261120T100030.250Z");
  EXPECT_TRUE(fs::exists(**away));
  const auto file = open();
  EXPECT_EQ(state().revision, 0);
  EXPECT_EQ(notices(), "");
}

// What a process says on `acknowledged` that it has on disk, until it is killed.
[[noreturn]] void keep_for_ever(const std::string& directory, int acknowledged) {
  Kept state;
  auto file = ImageFile::open(
      directory, [](const auto& task) { task(); }, [](const auto&) {}, state);
  if (!file) _exit(1);
  for (std::int64_t revision = 1;; ++revision) {
    // Each revision changes two keys, which are never of two revisions.
    const std::string value = std::to_string(revision);
    const auto done = [revision, acknowledged](const Copy::Stored& stored) {
      if (!stored || write(acknowledged, &revision, sizeof revision) < 0) _exit(2);
    };
    if (revision % 10 == 0) {
      (*file)->replace(kId, revision, {{"a", value, revision, 0}, {"b", value, revision, 0}}, done);
    } else {
      (*file)->keep(revision, {{"a", value, revision, 0}, {"b", value, revision, 0}}, done);
    }
    if (revision % 3 != 0) continue;  // two requests in three are written in groups
    const auto written = std::make_shared<std::promise<void>>();
    (*file)->keep_own({{"x", value, 0}}, [written](const auto&) { written->set_value(); });
    written->get_future().wait();
  }
}

TEST_F(ImageFileTest, KeepsWhatItAcknowledgedWhenItIsKilled) {
  for (int round = 0; round < 5; ++round) {
    fs::remove_all(directory());
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      keep_for_ever(directory(), ends[1]);
    }
    close(ends[1]);
    std::int64_t last = 0;
    for (int i = 0; i < 40 + round * 7; ++i) {
      ASSERT_EQ(read(ends[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    // Acknowledged, but not read yet.
    std::int64_t number = 0;
    while (read(ends[0], &number, sizeof number) == static_cast<ssize_t>(sizeof number)) {
      last = number;
    }
    close(ends[0]);

    const auto file = open();
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(notices(), "");
    EXPECT_GE(state().revision, last);
    const std::string value = std::to_string(state().revision);
    EXPECT_THAT(state().entries, ElementsAre(Entry{"a", value, state().revision, 0},
                                             Entry{"b", value, state().revision, 0}));
  }
}

// A journal that is damaged before its end had what was acknowledged behind that.
TEST_F(ImageFileTest, PutsAsideAFileWhoseJournalIsDamagedInTheMiddle) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    keep_for_ever(directory(), ends[1]);
  }
  close(ends[1]);
  std::int64_t last = 0;
  while (last < 60) {
    ASSERT_EQ(read(ends[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ends[0]);
  const std::string journal = path() + "-wal";
  {
    std::fstream octets(journal, std::ios::binary | std::ios::in | std::ios::out);
    octets.seekp(32 + 24 + 100);  // the header, a frame's header, and into its page
    octets.write("damage", 6);
  }
  expect_put_aside("is damaged (");
}

}  // namespace
}  // namespace sluice::health
