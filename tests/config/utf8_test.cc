#include "config/utf8.h"

#include <string>

#include "gtest/gtest.h"

namespace sluice::config {
namespace {

using namespace std::string_view_literals;

TEST(FindBadOctet, AcceptsText) {
  for (const std::string_view text :
       {""sv, "plain\ttext\r\n"sv, "\x7e"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv,
        "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv, "\xf0\x90\x80\x80"sv,
        "\xf4\x8f\xbf\xbf"sv}) {
    EXPECT_FALSE(find_bad_octet(text));
  }
}

TEST(FindBadOctet, FindsWhatIsNotUtf8) {  // RFC 3629 section 4
  for (const std::string_view bad :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc2"sv, "\xc2\x7f"sv, "\xe0\x9f\xbf"sv,
        "\xe0\xa0"sv, "\xed\xa0\x80"sv, "\xef\xbf"sv, "\xef\xbf\x7f"sv, "\xf0\x8f\xbf\xbf"sv,
        "\xf0\x90\x80"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "\xfe"sv}) {
    const auto found = find_bad_octet("one\ntwo" + std::string(bad));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->offset, 7U);
    EXPECT_EQ(found->line, 2);
  }
}

TEST(FindBadOctet, FindsControlCharacters) {
  for (int octet = 0; octet < 0x20; ++octet) {
    const std::string text(1, static_cast<char>(octet));
    const bool space = octet == '\t' || octet == '\n' || octet == '\r';
    EXPECT_EQ(find_bad_octet(text).has_value(), !space) << octet;
  }
  EXPECT_TRUE(find_bad_octet("\x7f"));
}

}  // namespace
}  // namespace sluice::config
