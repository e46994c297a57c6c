#include "tools/supervisor/journal.h"

#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {
namespace {

TEST(Journal, IsTheStreamThatItsDeviceAndInodeName) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  struct stat status {};
  fstat(ends[1], &status);
  const std::string name = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  EXPECT_TRUE(is_stream(ends[1], name));
  EXPECT_FALSE(is_stream(ends[1], "")) << "led elsewhere";
  EXPECT_FALSE(is_stream(ends[1], "1:2"));
  close(ends[0]);
  close(ends[1]);
  EXPECT_FALSE(is_stream(ends[1], name)) << "closed";
}

}  // namespace
}  // namespace sluice
