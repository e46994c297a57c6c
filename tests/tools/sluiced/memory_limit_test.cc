#include "tools/sluiced/memory_limit.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "gtest/gtest.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

class MemoryLimitTest : public testing::Test {
 protected:
  MemoryLimitTest() {
    std::string pattern = fs::temp_directory_path() / "sluice-cgroup-XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~MemoryLimitTest() override { fs::remove_all(root_); }

  void write(const std::string& file, const std::string& text) const {
    const fs::path path = root_ + file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  void in_group(const std::string& lines) const { write("/proc/self/cgroup", lines); }

  std::string root_;
};

TEST_F(MemoryLimitTest, IsTheLowestFromTheOwnGroupUp) {
  in_group("0::/system.slice/sluiced.service\n");
  EXPECT_FALSE(cgroup_memory_limit(root_));
  write("/sys/fs/cgroup/system.slice/sluiced.service/memory.max", "max\n");
  EXPECT_FALSE(cgroup_memory_limit(root_));
  write("/sys/fs/cgroup/system.slice/memory.max", "536870912\n");
  EXPECT_EQ(cgroup_memory_limit(root_), 536'870'912U);
  write("/sys/fs/cgroup/system.slice/sluiced.service/memory.max", "268435456\n");
  EXPECT_EQ(cgroup_memory_limit(root_), 268'435'456U);
}

TEST_F(MemoryLimitTest, IsTheRootsInAContainerOfItsOwn) {
  in_group("0::/\n");
  write("/sys/fs/cgroup/memory.max", "1073741824\n");
  EXPECT_EQ(cgroup_memory_limit(root_), 1'073'741'824U);
}

TEST_F(MemoryLimitTest, KnowsVersionOne) {
  in_group("12:cpu,cpuacct:/a\n7:memory:/docker/x\n1:name=systemd:/b\n");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_FALSE(cgroup_memory_limit(root_));
  write("/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "100000000\n");
  EXPECT_EQ(cgroup_memory_limit(root_), 100'000'000U);
}

TEST_F(MemoryLimitTest, IsNoneWhereNothingCanBeRead) {
  EXPECT_FALSE(cgroup_memory_limit(root_));
  for (const char* lines : {"", "\n", "0", "0:", "::", "0::", "x:y:z", "0::relative"}) {
    in_group(lines);
    EXPECT_FALSE(cgroup_memory_limit(root_)) << lines;
  }
}

TEST(ResidentMemory, GrowsWithWhatIsTouched) {
  const ResidentMemory memory;
  const std::uint64_t before = memory.octets();
  ASSERT_GT(before, 1U << 20);
  const std::vector<char> touched(64 << 20, 'x');
  EXPECT_GT(memory.octets(), before + (48U << 20)) << touched.back();
}

}  // namespace
}  // namespace sluice
