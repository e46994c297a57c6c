#include "config/base/flat_map.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::base {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using Numbers = FlatMap<std::string, int>;

TEST(FlatMap, IsInTheOrderOfItsKeysHoweverTheyCome) {
  Numbers numbers;
  EXPECT_TRUE(numbers.empty());
  for (const char* key : {"b", "d", "a", "c"}) EXPECT_TRUE(numbers.try_emplace(key, *key).second);
  EXPECT_THAT(numbers, ElementsAre(Pair("a", 'a'), Pair("b", 'b'), Pair("c", 'c'), Pair("d", 'd')));
  EXPECT_EQ(numbers.size(), 4U);
}

TEST(FlatMap, KeepsWhatIsThere) {
  Numbers numbers{{"a", 1}, {"b", 2}};
  const auto [place, fresh] = numbers.try_emplace("a", 7);
  EXPECT_FALSE(fresh);
  EXPECT_EQ(place->second, 1);
  EXPECT_FALSE(numbers.emplace("b", 7).second);
  numbers["b"] = 3;
  numbers["c"] = 4;
  EXPECT_EQ(numbers, (Numbers{{"c", 4}, {"b", 3}, {"a", 1}}));
}

TEST(FlatMap, FindsByAView) {
  const Numbers numbers{{"front-end", 1}};
  EXPECT_EQ(numbers.at(std::string_view("front-end")), 1);
  EXPECT_TRUE(numbers.contains("front-end"));
  EXPECT_EQ(numbers.find("front"), numbers.end());
  EXPECT_EQ(numbers.find("front-end-2"), numbers.end());
}

TEST(FlatMap, LosesWhatIsErased) {
  Numbers numbers{{"a", 1}, {"b", 2}};
  EXPECT_EQ(numbers.erase("a"), 1U);
  EXPECT_EQ(numbers.erase("a"), 0U);
  EXPECT_THAT(numbers, ElementsAre(Pair("b", 2)));
  numbers.clear();
  EXPECT_TRUE(numbers.empty());
}

}  // namespace
}  // namespace sluice::base
