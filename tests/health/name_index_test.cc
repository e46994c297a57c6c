#include "health/name_index.h"

#include <string>

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

TEST(NameIndex, FindsEachOfManyAndNothingElse) {
  std::vector<std::string> names;
  for (int number = 0; number < 5'000; ++number) names.push_back("fe" + std::to_string(number));
  const auto name_of = [&](std::uint32_t number) { return std::string_view(names[number]); };
  NameIndex index(names.size());
  for (std::uint32_t number = 0; number < names.size(); ++number) index.add(names[number], number);
  for (std::uint32_t number = 0; number < names.size(); ++number) {
    EXPECT_EQ(index.find(names[number], name_of), number);
  }
  EXPECT_EQ(index.find("fe5000", name_of), std::nullopt);
  EXPECT_EQ(index.find("", name_of), std::nullopt);
}

TEST(NameIndex, IsEmptyAtFirst) {
  const auto name_of = [](std::uint32_t) { return std::string_view(); };
  EXPECT_EQ(NameIndex().find("a", name_of), std::nullopt);
}

}  // namespace
}  // namespace sluice::health
