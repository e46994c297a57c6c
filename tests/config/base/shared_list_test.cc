#include "config/base/shared_list.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::base {
namespace {

using SharedWords = SharedList<std::string>;

TEST(SharedList, ReadsAsTheListThatItWasMadeOf) {
  const SharedWords words{"a", "b"};
  EXPECT_THAT(words, ::testing::ElementsAre("a", "b"));
  EXPECT_EQ(words.size(), 2U);
  EXPECT_EQ(words[1], "b");
  EXPECT_FALSE(words.empty());
}

TEST(SharedList, IsEmptyWithoutItems) {
  for (const SharedWords& words : {SharedWords(), SharedWords(std::vector<std::string>())}) {
    EXPECT_TRUE(words.empty());
    EXPECT_EQ(words.size(), 0U);
    EXPECT_EQ(words.begin(), words.end());
  }
}

TEST(SharedList, SharesItsItemsWithItsCopies) {
  const SharedWords words{"a"};
  SharedWords copy = words;
  EXPECT_EQ(copy.begin(), words.begin());
  copy = {"b"};
  EXPECT_THAT(words, ::testing::ElementsAre("a"));
}

TEST(SharedList, ComparesItems) {
  EXPECT_EQ(SharedWords({"a", "b"}), SharedWords({"a", "b"}));
  EXPECT_EQ(SharedWords({"a"}), std::vector<std::string>{"a"});
  EXPECT_FALSE(SharedWords({"a"}) == SharedWords({"b"}));
  EXPECT_FALSE(SharedWords({"a"}) == SharedWords());
  EXPECT_EQ(SharedWords(), SharedWords());
}

}  // namespace
}  // namespace sluice::base
