#include "config/base/error.h"

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

TEST(Error, IsWrittenWithWhatIsKnownOfItsPlace) {
  EXPECT_EQ(to_string(Error{{"a.yaml", 12}, "pools[0].ttl", "is wrong"}),
            "a.yaml:12: pools[0].ttl: is wrong");
  EXPECT_EQ(to_string(Error{{"a.yaml", 12}, "", "is wrong"}), "a.yaml:12: is wrong");
  EXPECT_EQ(to_string(Error{{"a.yaml", 0}, "", "is wrong"}), "a.yaml: is wrong");
  EXPECT_EQ(to_string(Error{{}, "", "is wrong"}), "is wrong");
}

TEST(Error, IsOneLineEach) {
  EXPECT_EQ(to_string(std::vector<Error>{}), "");
  EXPECT_EQ(to_string(std::vector<Error>{{{"a", 1}, "", "x"}, {{"a", 2}, "", "y"}}),
            "a:1: x\na:2: y");
}

TEST(Failure, IsAboutNoFile) {
  const Checked<int> result = failure("no such luck");
  ASSERT_FALSE(result);
  EXPECT_EQ(to_string(result.error()), "no such luck");
}

}  // namespace
}  // namespace sluice::base
