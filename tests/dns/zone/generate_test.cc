#include "dns/zone/generate.h"

#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

std::string text(std::string_view token, std::uint32_t number) {
  const auto result = substitute(token, number);
  return result ? *result : "wrong";
}

TEST(ParseRange, CountsWithAndWithoutStep) {
  EXPECT_EQ(parse_range("1-254")->count(), 254U);
  EXPECT_EQ(parse_range("7-7")->count(), 1U);
  EXPECT_EQ(parse_range("0-10/5")->count(), 3U);
  EXPECT_EQ(parse_range("0-2147483647")->count(), 2'147'483'648U);
  for (const char* wrong : {"", "1", "1-", "-1", "2-1", "1-2/0", "1-2/", "1-2x", "1-2147483648",
                            "a-b", "1-99999999999999"}) {
    EXPECT_FALSE(parse_range(wrong)) << wrong;
  }
}

TEST(Substitute, PutsTheNumberWhereDollarsStand) {
  EXPECT_EQ(text("host$", 7), "host7");
  EXPECT_EQ(text("$.$", 12), "12.12");
  EXPECT_EQ(text("none", 1), "none");
  EXPECT_EQ(text("\\$$", 3), "\\$3") << "the escape is for the reader of the token";
  EXPECT_EQ(text("a$$", 3), "a\\$");
  EXPECT_EQ(text("a\\", 3), "a\\");
}

TEST(Substitute, FormatsAsAsked) {
  EXPECT_EQ(text("${0}", 5), "5");
  EXPECT_EQ(text("${-5}", 5), "0");
  EXPECT_EQ(text("${+5,3}", 5), "010");
  EXPECT_EQ(text("${0,4,x}", 0xAB), "00ab");
  EXPECT_EQ(text("${0,4,X}", 0xAB), "00AB");
  EXPECT_EQ(text("${0,0,o}", 8), "10");
  EXPECT_EQ(text("${0,0,n}", 0x1234), "4.3.2.1");
  EXPECT_EQ(text("${0,7,N}", 0xAB), "B.A.0.0");
  EXPECT_EQ(text("${0,1,n}", 5), "5");
  EXPECT_EQ(text("${0,2,n}", 5), "5.") << "so has BIND";
  EXPECT_EQ(text("x${1}y${2}", 1), "x2y3");
}

TEST(Substitute, RefusesOtherForms) {
  for (const char* wrong :
       {"${", "${}", "${1", "${a}", "${1,}", "${1,2,}", "${1,2,q}", "${1,2,dd}", "${1,256}",
        "${-6}", "${4294967295}", "${99999999999999999999}", "${1,-1}"}) {
    EXPECT_EQ(text(wrong, 5), "wrong") << wrong;
  }
}

}  // namespace
}  // namespace sluice::dns
