#include "tools/sluice-agent/sessions/count.h"

#include <string_view>

#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

TEST(ParseCount, TakesOneWholeNumberWithBlanksAround) {
  EXPECT_EQ(*parse_count("12\n"), 12U);
  EXPECT_EQ(*parse_count(" \t0 \r\n\n"), 0U);
  EXPECT_EQ(*parse_count("9007199254740991"), 9007199254740991U);
}

TEST(ParseCount, RefusesEverythingElse) {
  for (const char* text :
       {"", "\n", "-1", "+1", "1.5", "1e3", "0x10", "12 13", "12\n13", "twelve", "12 calls",
        "9007199254740992", "99999999999999999999", "12a", "-", "1\xff"}) {
    EXPECT_FALSE(parse_count(text)) << text;
  }
  EXPECT_FALSE(parse_count(std::string_view("12\0", 3)));
}

}  // namespace
}  // namespace sluice::agent
