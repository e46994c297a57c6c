#include "config/base/rare.h"

#include <string>

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

TEST(Rare, IsADefaultUntilItIsEdited) {
  Rare<std::string> word;
  EXPECT_FALSE(word);
  EXPECT_EQ(*word, "");
  word.edit() = "a";
  EXPECT_TRUE(word);
  EXPECT_EQ(word->size(), 1U);
  EXPECT_EQ(*Rare<std::string>(), "");
}

TEST(Rare, TakesAPointersRoom) {
  EXPECT_EQ(sizeof(Rare<std::string>), sizeof(void*));
}

}  // namespace
}  // namespace sluice::base
