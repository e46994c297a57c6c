#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/health/store/state_words.h"
#include "tests/health/store/store_fixture.h"

// A thousand damaged files: each start goes on from a state that was committed, the last one where
// the copy has it, or refuses. Each trial has its own number, which is all that it depends on.
namespace sluice::health {
namespace {

using namespace testing;

struct Outcome {
  std::string words;    // of the state
  std::string refusal;  // instead
  std::vector<std::string> notices;
  std::uint64_t generation = 0;
};

class DamageTest : public StoreTest {
 protected:
  // Pictures of a directory, as kill -9 would leave it.
  struct Picture {
    std::string path;
    // States, the last one last: those that a start may find while the copy is good; all.
    std::vector<std::string> allowed;
    std::vector<std::string> committed;
    std::uint64_t generation = 0;
  };

  DamageTest() { disk_.pretend_syncs(); }

  Outcome start() const {
    Outcome outcome;
    auto opened = open_store(state_directory(), WallTime(Duration(1'795'168'830'250)));
    if (!opened) {
      outcome.refusal = to_string(opened.error());
      return outcome;
    }
    outcome.words = words(opened->state);
    outcome.notices = opened->notices;
    outcome.generation = opened->state.generation;
    return outcome;
  }

  void take(const std::string& from) const {
    fs::remove_all(state_directory());
    fs::copy(from, state_directory());
    for (const std::string& path : {database(), copy()}) fs::remove(path + "-shm");
  }
  std::string keep(const std::string& name) const {
    std::string path = parent() + "/" + name;
    fs::copy(state_directory(), path);
    return path;
  }

  // Two runs. Pictures of the end of the first, which was clean, and of the second, with a copy
  // that has everything, and with one that misses the last three commits.
  std::vector<Picture> make_pictures() {
    constexpr int kFirstRun = 6;
    constexpr int kCopied = 9;
    constexpr int kLast = 12;
    {
      const auto store = open();
      for (int i = 1; i <= kFirstRun; ++i) EXPECT_TRUE(commit(*store, commit_of_history(i)));
      EXPECT_TRUE(copied(*store));
    }
    Picture clean{keep("clean"), {}, {}, kFirstRun * 1'024};
    Picture crashed{parent() + "/after12", {}, {}, kLast * 1'024};
    {
      const auto store = open();
      for (int i = kFirstRun + 1; i <= kLast; ++i) {
        EXPECT_TRUE(commit(*store, commit_of_history(i)));
        if (i == kCopied || i == kLast) {
          EXPECT_TRUE(copied(*store));
        }
        keep("after" + std::to_string(i));
      }
    }
    Picture behind{parent() + "/behind", {}, {}, crashed.generation};
    fs::copy(crashed.path, behind.path);
    for (const char* end : {"", "-wal"}) {
      const std::string name = "/sluice.backup.db" + std::string(end);
      fs::remove(behind.path + name);
      fs::copy(parent() + "/after" + std::to_string(kCopied) + name, behind.path + name);
    }
    take(clean.path);
    clean.allowed = clean.committed = crashed.committed = {start().words};
    for (int i = kFirstRun + 1; i <= kLast; ++i) {
      take(parent() + "/after" + std::to_string(i));
      crashed.committed.push_back(start().words);
      if (i >= kCopied) behind.allowed.push_back(crashed.committed.back());
    }
    crashed.allowed = {crashed.committed.back()};
    return {clean, crashed, behind};
  }

  static void damage(const std::string& path, std::mt19937& random) {
    const auto size = fs::file_size(path);
    if (size == 0) return;
    const auto below = [&](std::uintmax_t bound) { return random() % bound; };
    const auto kind = below(5);
    if (kind == 0) return fs::resize_file(path, below(size));
    if (kind == 1 && below(10) == 0) {
      fs::remove(path);
      return;
    }
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(below(size));
    if (kind == 2) {  // a sector, a page, or all the rest
      const std::uintmax_t most[] = {512, 4'096, size};
      const auto octets = std::min(most[below(3)], size - static_cast<std::uintmax_t>(at));
      file.seekp(at);
      file << std::string(octets, '\0');
      return;
    }
    for (auto flips = kind == 3 ? 1 : 1 + below(64); flips > 0; --flips) {
      const auto where = static_cast<std::streamoff>(below(size));
      file.seekg(where);
      const int octet = file.get();
      file.seekp(where);
      file.put(static_cast<char>(octet ^ (1 << below(8))));
    }
  }

  FaultVfs disk_;
};

TEST_F(DamageTest, AThousandDamagedFiles) {
  const std::vector<Picture> pictures = make_pictures();
  unsigned from_copy = 0;
  unsigned refused = 0;
  for (std::uint32_t trial = 0; trial < 1'000; ++trial) {
    SCOPED_TRACE("trial " + std::to_string(trial));
    std::mt19937 random(trial);
    const Picture& picture = pictures[trial % pictures.size()];
    take(picture.path);
    std::vector<std::string> victims{database()};
    if (fs::exists(database() + "-wal")) victims.push_back(database() + "-wal");
    damage(victims[random() % victims.size()], random);

    const Outcome outcome = start();
    if (!outcome.refusal.empty()) {
      // The one octet that says so can't be told from the truth.
      ASSERT_THAT(outcome.refusal, ::testing::HasSubstr("newer sluiced"));
      ++refused;
      continue;
    }
    const auto& allowed = picture.allowed;
    const auto found = std::find(allowed.begin(), allowed.end(), outcome.words);
    ASSERT_NE(found, allowed.end()) << outcome.words;
    if (found == allowed.end() - 1) {
      ASSERT_GE(outcome.generation, picture.generation);
    }
    if (outcome.notices.empty()) continue;
    ASSERT_GE(outcome.generation, picture.generation) << "what was used comes back";
    ++from_copy;
  }
  EXPECT_GT(from_copy, 300U) << "the damage was not in what matters";
  EXPECT_LT(refused, 10U);
}

TEST_F(DamageTest, AndTheirCopiesDamagedToo) {
  const std::vector<Picture> pictures = make_pictures();
  unsigned refused = 0;
  for (std::uint32_t trial = 0; trial < 300; ++trial) {
    SCOPED_TRACE("trial " + std::to_string(trial));
    std::mt19937 random(trial);
    const Picture& picture = pictures[trial % 2];
    take(picture.path);
    for (const std::string& path : {database(), copy()}) {
      for (int times = 0; times < 3 && fs::exists(path); ++times) damage(path, random);
      if (fs::exists(path + "-wal") && random() % 2 == 0) damage(path + "-wal", random);
    }
    const Outcome outcome = start();
    if (outcome.refusal.empty()) {
      // Nothing is left that says how new a whole, but older file should be.
      ASSERT_THAT(picture.committed, ::testing::Contains(outcome.words));
      continue;
    }
    ASSERT_THAT(outcome.refusal, ::testing::HasSubstr(state_directory()));
    ++refused;
  }
  EXPECT_GT(refused, 150U);
}

}  // namespace
}  // namespace sluice::health
