#include "health/api/uri.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(ParseTarget, DividesPathAndQuery) {
  const auto target = parse_target("/v1/servers/fe01.pool?service=a%2Db&x=1+1&y");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("v1", "servers", "fe01.pool"));
  EXPECT_THAT(target->query, ElementsAre(Pair("service", "a-b"), Pair("x", "1+1"), Pair("y", "")));
  EXPECT_EQ(*target->parameter("service"), "a-b");
  EXPECT_EQ(target->parameter("z"), nullptr);
}

TEST(ParseTarget, LetsNoEscapeDivide) {
  EXPECT_THAT(parse_target("/a%2Fb/%3F%26")->segments, ElementsAre("a/b", "?&"));
  EXPECT_THAT(parse_target("/?a%3Db=c%26d")->query, ElementsAre(Pair("a=b", "c&d")));
  EXPECT_THAT(parse_target("/%2e%2e/%252e")->segments, ElementsAre("..", "%2e"));
}

TEST(ParseTarget, KeepsEmptySegments) {
  EXPECT_THAT(parse_target("/")->segments, ElementsAre(""));
  EXPECT_THAT(parse_target("/a//b/")->segments, ElementsAre("a", "", "b", ""));
  EXPECT_TRUE(parse_target("/a?")->query.empty());
}

TEST(ParseTarget, RejectsBrokenEscapesAndControlCharacters) {
  for (const char* wrong : {"", "*", "a", "/%", "/%4", "/%4g", "/%00", "/%0a", "/%7f", "/?%",
                            "/?a=%1", "/?a=%0d", "/?a=1&a=2", "/?a=1&%61=2", "/?&&"}) {
    EXPECT_FALSE(parse_target(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace sluice::health
