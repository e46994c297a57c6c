#include "tools/sluicectl/render/text.h"

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

TEST(Printable, LeavesTextsOfAnyLanguageAlone) {
  for (const char* text : {"", "plain text", "Dienst für Anrufe", "会议", "звонки", "\U0001F4DE"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, TakesControlOfTheTerminalAway) {
  for (int code = 0; code < 0x20; ++code) {
    const bool blank = code == '\n' || code == '\t';
    EXPECT_EQ(printable(std::string(1, static_cast<char>(code))), blank ? " " : "\uFFFD") << code;
  }
  for (const char* text : {"\x7f", "\u0085", "\u009b", "\u202e", "\u2066", "\u2028", "\u200f"}) {
    EXPECT_EQ(printable(text), "\uFFFD");
  }
}

TEST(Printable, WhatIsNotUtf8IsReplaced) {
  EXPECT_EQ(printable("a\xff"
                      "b"),
            "a\uFFFDb");
  EXPECT_EQ(printable("\xc3"), "\uFFFD");                                // cut short
  EXPECT_EQ(printable("\xc0\x80"), "\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
}

TEST(DisplayWidth, CountsColumnsAndNotOctets) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("für"), 3U);
  EXPECT_EQ(display_width("会议"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);  // combining
}

TEST(Fit, NeverTakesMoreThanItMay) {
  for (const std::string text : {"conferencing-announcement", "会议会议会议", "für alle Fälle"}) {
    for (std::size_t columns = 0; columns < 30; ++columns) {
      const std::string fitted = fit(text, columns);
      EXPECT_LE(display_width(fitted), columns);
      EXPECT_EQ(printable(fitted), fitted) << "cut inside of a character";
      EXPECT_EQ(fitted == text, display_width(text) <= columns);
    }
  }
  EXPECT_EQ(fit("abcdef", 4), "abc\u2026");
  EXPECT_EQ(fit("会议会议", 4), "会\u2026");
}

TEST(Joined, PutsTheTextBetween) {
  EXPECT_EQ(joined({}, ", "), "");
  EXPECT_EQ(joined({"a"}, ", "), "a");
  EXPECT_EQ(joined({"a", "b", "c"}, ", "), "a, b, c");
}

TEST(Wrapped, BreaksAtBlanks) {
  EXPECT_EQ(wrapped("one two three", 9, 2), "  one two\n    three\n");
  EXPECT_EQ(wrapped("one two three", 0, 2), "  one two three\n");
  EXPECT_EQ(wrapped("one two", 5, 1, 0), " one\ntwo\n");
  EXPECT_EQ(wrapped("incomprehensible word", 6, 0), "incomprehensible\n  word\n") << "no break";
  EXPECT_EQ(wrapped("", 6, 1), " \n");
}

}  // namespace
}  // namespace sluice::ctl
