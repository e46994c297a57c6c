#include "tools/supervisor/journal.h"

#include <string>

#include <gtest/gtest.h>
#include <spdlog/details/log_msg.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {
namespace {

std::string line_of(spdlog::level::level_enum level, const char* text) {
  spdlog::memory_buf_t line;
  journal_formatter()->format(spdlog::details::log_msg("sluiced", level, text), line);
  return {line.data(), line.size()};
}

TEST(Journal, LinesBeginWithTheirPriority) {
  EXPECT_EQ(line_of(spdlog::level::info, "ready"), "<6>ready\n");
  EXPECT_EQ(line_of(spdlog::level::warn, "so so"), "<4>so so\n");
  EXPECT_EQ(line_of(spdlog::level::err, "no"), "<3>no\n");
  EXPECT_EQ(line_of(spdlog::level::critical, "end"), "<2>end\n");
}

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
