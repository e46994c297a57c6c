#include "config/base/foreign_text.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

using namespace std::string_view_literals;

TEST(ForeignText, LeavesWordsOfEveryLanguageAsTheyAre) {
  for (const std::string_view text : {""sv, "patch"sv, "a\\b"sv, "Störung"sv, "العربية"sv,
                                      "日本語"sv, "\U0001f6a7"sv, "\U0010ffff"sv, "e\u0301"sv}) {
    EXPECT_EQ(escaped(text), text);
    EXPECT_TRUE(is_plain_line(text)) << text;
  }
}

TEST(ForeignText, ShowsWhatWouldMoveACursorBreakALineOrTurnTheReading) {
  const struct {
    std::string_view text;
    std::string_view shown;
  } kCases[]{
      {"a\nb"sv, "a\\x0ab"},
      {"\r\t"sv, "\\x0d\\x09"},
      {"\0"sv, "\\x00"},
      {"\x1b[31mred"sv, "\\x1b[31mred"},
      {"\x7f"sv, "\\x7f"},
      {"\xc2\x9b"
       "31m"sv,
       "\\u009b31m"},
      {"a\u2028b"sv, "a\\u2028b"},
      {"\u202egpj.exe"sv, "\\u202egpj.exe"},
      {"\u2066x\u2069"sv, "\\u2066x\\u2069"},
      {"\u200f\u061c\ufeff"sv, "\\u200f\\u061c\\ufeff"},
  };
  for (const auto& [text, shown] : kCases) {
    EXPECT_EQ(escaped(text), shown);
    EXPECT_FALSE(is_plain_line(text)) << shown;
  }
}

TEST(ForeignText, ShowsOctetsThatAreNoUtf8) {
  EXPECT_EQ(escaped("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(escaped("\xc0\xaf"), "\\xc0\\xaf") << "longer than need be";
  EXPECT_EQ(escaped("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf");
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond U+10FFFF";
  EXPECT_EQ(escaped("a\xe2\x82"), "a\\xe2\\x82") << "cut";
  EXPECT_EQ(escaped("\xe2\x82z"), "\\xe2\\x82z");
  EXPECT_EQ(escaped("\x80"), "\\x80");
}

}  // namespace
}  // namespace sluice::base
