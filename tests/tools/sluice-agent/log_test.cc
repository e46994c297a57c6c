#include "tools/sluice-agent/log.h"

#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

using std::chrono::seconds;

base::MonoTime at(int second) {
  return base::MonoTime(seconds(second));
}

TEST(LogLimit, LetsOneLineAMinuteOfEachKindThrough) {
  LogLimit limit;
  EXPECT_EQ(limit.admit("disk", at(0)), 0U);
  for (int second = 1; second < 60; ++second) EXPECT_FALSE(limit.admit("disk", at(second)));
  EXPECT_EQ(limit.admit("ports", at(30)), 0U) << "another kind";
  EXPECT_EQ(limit.admit("disk", at(60)), 59U);
  EXPECT_FALSE(limit.admit("disk", at(61)));
  EXPECT_EQ(limit.admit("disk", at(600)), 1U);
}

TEST(Printable, KeepsForeignTextOnOneLineOfBoundedLength) {
  EXPECT_EQ(printable("a\nb\r\n\tc\x1b[31m\x7f\n"), "a b   c [31m ");
  EXPECT_EQ(printable(" \n\n"), "");
  EXPECT_EQ(printable(std::string(400, 'x')), std::string(300, 'x') + "...");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

}  // namespace
}  // namespace sluice::agent
