#include "config/base/nearest.h"

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

using Words = std::vector<std::string_view>;

TEST(Nearest, IsATypoAwayNotAnotherWord) {
  const Words words{"ttl", "order", "servers", "service"};
  EXPECT_EQ(nearest("tll", words), Words{"ttl"});
  EXPECT_EQ(nearest("odrer", words), Words{"order"});
  EXPECT_EQ(nearest("server", words), Words{"servers"});
  EXPECT_EQ(nearest("Service", words), Words{"service"});
  EXPECT_EQ(nearest("banana", words), Words{});
  EXPECT_EQ(nearest("", words), Words{});
  EXPECT_EQ(nearest(std::string(100, 's'), words), Words{});
  EXPECT_EQ(nearest("x", {}), Words{});
}

TEST(Nearest, AreAllThatAreAlikeNear) {
  EXPECT_EQ(nearest("fe09", {"fe01", "fe02", "web1", "fe01"}), (Words{"fe01", "fe02"}));
  EXPECT_EQ(nearest("fe09", {"fe01", "fe90", "fe0"}), (Words{"fe01", "fe90", "fe0"}));
}

TEST(DidYouMean, NamesUpToThree) {
  EXPECT_EQ(did_you_mean("drian", {"drain", "wait"}), "; did you mean \"drain\"?");
  EXPECT_EQ(did_you_mean("fe09", {"fe01", "fe02"}), "; did you mean \"fe01\" or \"fe02\"?");
  EXPECT_EQ(did_you_mean("fe09", {"fe01", "fe02", "fe03"}),
            "; did you mean \"fe01\", \"fe02\" or \"fe03\"?");
  EXPECT_EQ(did_you_mean("fe09", {"fe01", "fe02", "fe03", "fe04"}), "") << "that is no guess";
  EXPECT_EQ(did_you_mean("banana", {"drain"}), "");
}

}  // namespace
}  // namespace sluice::base
