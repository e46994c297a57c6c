#include "tools/sluicectl/render/screen.h"

#include <sstream>

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

TEST(Picture, IsTheTextWhereThereIsRoom) {
  EXPECT_EQ(picture("one\ntwo\n", {.width = 10, .height = 2}), "one\ntwo");
  EXPECT_EQ(picture("one\ntwo\n", {}), "one\ntwo") << "no limits";
  EXPECT_EQ(picture("", {.width = 10, .height = 2}), "");
}

TEST(Picture, SaysHowManyLinesAreNotShown) {
  EXPECT_EQ(picture("1\n2\n3\n4\n", {.width = 80, .height = 3}),
            "1\n2\n2 more lines are not shown");
  EXPECT_EQ(picture("1\n2\n", {.width = 80, .height = 1}), "2 more lines are not shown");
}

TEST(Picture, CutsLongLinesByWhatTheyTakeOnTheScreen) {
  EXPECT_EQ(picture("abcdef", {.width = 4}), "abc\u2026");
  EXPECT_EQ(picture("abcd", {.width = 4}), "abcd");
  const std::string red = "ab\x1b[31mcdef\x1b[0m";
  EXPECT_EQ(picture(red, {.width = 6}), red) << "colours take no room";
  EXPECT_EQ(picture(red, {.width = 4}), "ab\x1b[31mc\u2026\x1b[0m") << "and do not run out";
  EXPECT_EQ(picture("\x1b[31m\u00e4\u00f6\u00fc\x1b[0mxyz", {.width = 4}),
            "\x1b[31m\u00e4\u00f6\u00fc\u2026\x1b[0m");
}

TEST(Screen, DrawsOverAndLeavesTheTerminalAsItWas) {
  std::ostringstream terminal;
  {
    Screen screen(terminal);
    EXPECT_EQ(terminal.str(), "\x1b[?1049h\x1b[?25l");
    terminal.str("");
    screen.draw("one\ntwo\n", {.width = 80, .height = 24});
    EXPECT_EQ(terminal.str(), "\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J");
    terminal.str("");
  }
  EXPECT_TRUE(terminal.str().ends_with("\x1b[?25h\x1b[?1049l"));
}

}  // namespace
}  // namespace sluice::ctl
