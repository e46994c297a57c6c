#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

#include "tools/sluicectl/roll/journal.h"
#include "tools/sluicectl/roll/journal_file.h"

namespace sluice::ctl::rolling {
namespace {

using namespace std::chrono_literals;
using State = Journal::State;

Journal journal() {
  return {.pool = "pool.example",
          .command = "ssh \"$SLUICE_SERVER\" 'apt-get -y upgrade'\n",
          .servers = {{"a", {State::Done, {}}},
                      {"b", {State::Held, base::WallTime(1'763'632'800'250ms)}},
                      {"c", {State::Ran, {}}},
                      {"d", {State::Resumed, {}}}}};
}

TEST(RollJournal, ComesBackAsItWas) {
  const auto read = parse_journal(to_text(journal()));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, journal());
}

TEST(RollJournal, IsRefusedWhenItIsNone) {
  const std::string whole = to_text(journal());
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
    EXPECT_FALSE(parse_journal(whole.substr(0, size))) << size;
  }
  for (const char* text :
       {"{}", "[]", R"({"version": 2, "pool": "p", "command": "c", "servers": {}})",
        R"({"version": 1, "pool": "p", "command": "c", "servers": {"a": {"state": "odd"}}})",
        R"({"version": 1, "pool": "p", "command": "c", "servers": {"a": 1}})"}) {
    EXPECT_FALSE(parse_journal(text)) << text;
  }
}

TEST(RollJournal, KnowsHoldsOfServersThatAreGone) {
  const std::vector<Group> groups{{.domain = {}, .servers = {"a", "b"}, .at_once = 1}};
  EXPECT_EQ(lost_holds(groups, journal()), (std::vector<std::string>{"c"}));
}

class RollJournalFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::path(testing::TempDir()) / "roll-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "state" / "roll.json"; }
  std::filesystem::path folder_;
};

TEST_F(RollJournalFile, IsThereUntilItIsRemovedAndLeavesNothing) {
  {
    JournalFile file(path());
    ASSERT_TRUE(file.lock());
    ASSERT_TRUE(file.load());
    EXPECT_FALSE(file.load()->has_value());
    ASSERT_TRUE(file.store(journal()));
    ASSERT_TRUE(file.load());
    EXPECT_EQ(*file.load(), journal());
    file.remove();
    EXPECT_FALSE(file.load()->has_value());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "state"));
}

TEST_F(RollJournalFile, IsOneRollsAlone) {
  JournalFile second(path());
  {
    JournalFile first(path());
    ASSERT_TRUE(first.lock());
    const auto refused = second.lock();
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find("another roll is under way"), std::string::npos);
  }
  EXPECT_TRUE(second.lock());
}

TEST_F(RollJournalFile, WhatIsNoJournalIsNotTakenForNone) {
  std::filesystem::create_directories(folder_ / "state");
  std::ofstream(path()) << "half of a";
  const auto read = JournalFile(path()).load();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().find(path() + " is not a roll's: "), 0U) << read.error();
}

TEST_F(RollJournalFile, AFolderThatCannotBeMadeIsSaid) {
  std::ofstream(folder_ / "file") << "";
  EXPECT_FALSE(JournalFile(folder_ / "file" / "roll.json").lock());
}

TEST_F(RollJournalFile, StandsWhereTheXdgSpecificationHasIt) {
  setenv("HOME", "/home/op", 1);
  setenv("XDG_STATE_HOME", "/state", 1);
  EXPECT_EQ(*journal_path("p.example"), "/state/sluice/roll-p.example.json");
  setenv("XDG_STATE_HOME", "relative", 1);
  EXPECT_EQ(*journal_path("../p"), "/home/op/.local/state/sluice/roll-.._p.json");
  unsetenv("XDG_STATE_HOME");
  unsetenv("HOME");
  EXPECT_FALSE(journal_path("p"));
}

}  // namespace
}  // namespace sluice::ctl::rolling
