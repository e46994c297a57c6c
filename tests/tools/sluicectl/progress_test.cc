#include "tools/sluicectl/render/progress.h"

#include <sstream>

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

TEST(Progress, ALogGetsALineAtEachChange) {
  std::ostringstream log;
  Progress progress(log, {});
  progress.show("3 left, 9 s", "3 left");
  progress.show("3 left, 8 s", "3 left");
  progress.show("2 left, 7 s", "2 left");
  progress.clear();
  EXPECT_EQ(log.str(), "3 left, 9 s\n2 left, 7 s\n");
}

TEST(Progress, ATerminalGetsOneLineThatGoesAway) {
  std::ostringstream terminal;
  {
    Progress progress(terminal, {.width = 10, .redraw = true});
    progress.show("3 left, 9 s", "3 left");
    progress.show("3 left, 8 s", "3 left");
    progress.show("3 left, 8 s", "3 left");
  }
  EXPECT_EQ(terminal.str(), "\r\x1b[K3 left, …\r\x1b[K3 left, …\r\x1b[K");
}

TEST(Progress, ANarrowTerminalGetsTheBriefLine) {
  std::ostringstream terminal;
  Progress progress(terminal, {.width = 12, .redraw = true});
  progress.show("fits still", "", "brief");
  progress.show("a line that does not", "", "brief");
  progress.show("a line that does not", "");
  EXPECT_EQ(terminal.str(), "\r\x1b[Kfits still\r\x1b[Kbrief\r\x1b[Ka line tha…");
}

}  // namespace
}  // namespace sluice::ctl
