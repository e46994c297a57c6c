#include "tools/sluicectl/render/table.h"

#include <sstream>

#include "gtest/gtest.h"

#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

Table sample() {
  Table table({{"SERVER", false}, {"TITLE", true}, {"NOTE", true}});
  table.add({"fe01", "Für Anrufe", "x"});
  table.add({"fe02", "会议", ""});
  return table;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> found;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) found.push_back(line);
  return found;
}

TEST(Table, AlignsByDisplayWidth) {
  EXPECT_EQ(sample().render({}),
            "SERVER  TITLE       NOTE\n"
            "fe01    Für Anrufe  x\n"
            "fe02    会议        -\n");
}

TEST(Table, LinesHaveNoBlanksAtTheirEnd) {
  Table table({{"A", false}, {"B", false}});
  table.add({"long text", "b"});
  table.add({"a", "longer text"});
  for (const std::string& line : lines(table.render({}, 2))) {
    EXPECT_FALSE(line.ends_with(' ')) << line;
    EXPECT_TRUE(line.starts_with("  "));
  }
}

TEST(Table, FitsEveryWidthDownToItsLeast) {
  Table table({{"NAME", false}, {"ONE", true}, {"TWO", true}});
  table.add({"fe01", std::string(40, 'a'), std::string(60, 'b')});
  EXPECT_EQ(table.natural_width(), 4 + 2 + 40 + 2 + 60U);
  for (std::size_t width = 20; width < 120; ++width) {
    for (const std::string& line : lines(table.render({.width = width}))) {
      EXPECT_LE(display_width(line), width);
    }
  }
  // Beyond that words would say nothing: the terminal wraps the line.
  EXPECT_EQ(display_width(lines(table.render({.width = 5}))[1]), 20U);
}

TEST(Table, TheWidestIsCutFirst) {
  Table table({{"ONE", true}, {"TWO", true}});
  table.add({"short", std::string(60, 'b')});
  EXPECT_EQ(lines(table.render({.width = 30}))[1], "short  " + std::string(22, 'b') + "\u2026");
}

TEST(Table, ColumnsThatDoNotShrinkStayWhole) {
  Table table({{"NAME", false}, {"NOTE", true}});
  table.add({std::string(30, 'n'), std::string(30, 'x')});
  EXPECT_NE(table.render({.width = 20}).find(std::string(30, 'n')), std::string::npos);
}

TEST(Table, ColoursAreNoWidth) {
  Table table({{"A", false}, {"B", false}});
  table.add({{"accepting", Tone::Good}, "b"});
  EXPECT_NE(table.render({.colour = true}).find("\x1b[32maccepting\x1b[0m  b\n"),
            std::string::npos);
  EXPECT_EQ(table.render({}).find('\x1b'), std::string::npos);
}

TEST(Table, WithoutRowsHasItsTitles) {
  EXPECT_EQ(Table({{"A", false}, {"B", true}}).render({}), "A  B\n");
}

}  // namespace
}  // namespace sluice::ctl
