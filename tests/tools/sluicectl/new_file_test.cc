#include "tools/sluicectl/new_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"
#include <sys/stat.h>

namespace sluice::ctl {
namespace {

using Earlier = NewFile::Earlier;

class NewFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::path(testing::TempDir()) / "new-file-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name = "copy") const { return folder_ / name; }
  static std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }
  std::filesystem::path folder_;
};

TEST_F(NewFileTest, IsThereWholeAndForItsOwnerAlone) {
  NewFile file(path());
  ASSERT_TRUE(file.open());
  ASSERT_TRUE(file.write("hello, "));
  ASSERT_TRUE(file.write("world"));
  EXPECT_FALSE(std::filesystem::exists(path())) << "not before it is whole";
  ASSERT_TRUE(file.take_place(Earlier::Keep));
  EXPECT_EQ(content(path()), "hello, world");
  struct stat found {};
  ASSERT_EQ(stat(path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(NewFileTest, LeavesNothingWhenItDoesNotTakeItsPlace) {
  {
    NewFile file(path());
    ASSERT_TRUE(file.open());
    ASSERT_TRUE(file.write("half"));
    EXPECT_EQ(entries(), 1U);
  }
  EXPECT_EQ(entries(), 0U);
}

TEST_F(NewFileTest, KeepsOrReplacesAnEarlierOne) {
  std::ofstream(path()) << "old";
  {
    NewFile file(path());
    ASSERT_TRUE(file.open());
    const auto kept = file.take_place(Earlier::Keep);
    ASSERT_FALSE(kept);
    EXPECT_EQ(kept.error(), path() + " cannot be put in place: File exists");
  }
  EXPECT_EQ(content(path()), "old");
  NewFile file(path());
  ASSERT_TRUE(file.open());
  ASSERT_TRUE(file.write("new"));
  ASSERT_TRUE(file.take_place(Earlier::Replace));
  EXPECT_EQ(content(path()), "new");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(NewFileTest, ALinkStaysOne) {
  std::ofstream(path("real")) << "old";
  std::filesystem::create_symlink("real", path());
  NewFile file(path());
  ASSERT_TRUE(file.open());
  ASSERT_TRUE(file.write("new"));
  ASSERT_TRUE(file.take_place(Earlier::Replace));
  EXPECT_TRUE(std::filesystem::is_symlink(path()));
  EXPECT_EQ(content(path("real")), "new");
}

TEST_F(NewFileTest, WhatCannotBeWrittenIsSaid) {
  NewFile nowhere(path("none/copy"));
  ASSERT_FALSE(nowhere.open());
  EXPECT_EQ(NewFile(path("none/copy")).open().error(),
            path("none/copy") + " cannot be written: No such file or directory");
}

}  // namespace
}  // namespace sluice::ctl
