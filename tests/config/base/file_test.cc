#include "config/base/file.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::base {
namespace {

TEST(ReadFile, StopsWhereAFileNeverEnds) {
  const auto text = read_file("/dev/zero", 1);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error(), "has more than 1 MiB");
}

TEST(ReadFile, WaitsForNobodyToWriteIntoAPipe) {
  const std::string folder = ::testing::TempDir() + "read_file." + std::to_string(::getpid());
  ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
  const std::string pipe = folder + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto text = read_file(pipe);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error(), "is a pipe, not a file");
  std::filesystem::remove_all(folder);
}

TEST(ReadFile, ReadsAnEmptyFileAsEmpty) {
  const auto text = read_file("/dev/null");
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "");
}

TEST(ReadFile, ReadsAllOfItself) {
  const auto text = read_file(__FILE__);
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->ends_with("// the end\n"));
}

TEST(Resolve, LeavesAbsolutePathsAloneButForDots) {
  EXPECT_EQ(resolve("/etc/sluice", "/run/a"), "/run/a");
  EXPECT_EQ(resolve("/etc/sluice", "/run/./b/../a"), "/run/a");
  EXPECT_EQ(resolve("/etc/sluice", "a"), "/etc/sluice/a");
  EXPECT_EQ(resolve("/etc/sluice", "./a"), "/etc/sluice/a");
  EXPECT_EQ(resolve("/", "../a"), "/a");
}

TEST(FolderOf, IsAbsolute) {
  EXPECT_EQ(folder_of("/etc/sluice/sluice.yaml"), "/etc/sluice");
  EXPECT_TRUE(folder_of("sluice.yaml").starts_with('/'));
  EXPECT_EQ(folder_of("sluice.yaml"), folder_of("./sluice.yaml"));
}

}  // namespace
}  // namespace sluice::base

// the end
