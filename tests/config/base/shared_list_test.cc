#include "config/base/shared_list.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::base {
namespace {

using Words = SharedList<std::string>;

TEST(SharedList, ReadsAsTheListThatItWasMadeOf) {
  const Words words{"a", "b"};
  EXPECT_THAT(words, testing::ElementsAre("a", "b"));
  EXPECT_EQ(words.size(), 2U);
  EXPECT_EQ(words[1], "b");
  EXPECT_FALSE(words.empty());
}

TEST(SharedList, IsEmptyWithoutItems) {
  for (const Words& words : {Words(), Words(std::vector<std::string>())}) {
    EXPECT_TRUE(words.empty());
    EXPECT_EQ(words.size(), 0U);
    EXPECT_EQ(words.begin(), words.end());
  }
}

TEST(SharedList, SharesItsItemsWithItsCopies) {
  const Words words{"a"};
  Words copy = words;
  EXPECT_EQ(copy.begin(), words.begin());
  copy = {"b"};
  EXPECT_THAT(words, testing::ElementsAre("a"));
}

TEST(SharedList, ComparesItems) {
  EXPECT_EQ(Words({"a", "b"}), Words({"a", "b"}));
  EXPECT_EQ(Words({"a"}), std::vector<std::string>{"a"});
  EXPECT_FALSE(Words({"a"}) == Words({"b"}));
  EXPECT_FALSE(Words({"a"}) == Words());
  EXPECT_EQ(Words(), Words());
}

}  // namespace
}  // namespace sluice::base
