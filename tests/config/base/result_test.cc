#include "config/base/result.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

Result<int, std::string> half(int number) {
  if (number % 2 != 0) return Unexpected{"odd"};
  return number / 2;
}

TEST(Result, HoldsAValueOrAnError) {
  const auto good = half(4);
  ASSERT_TRUE(good);
  EXPECT_TRUE(good.has_value());
  EXPECT_EQ(*good, 2);
  const auto bad = half(3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), "odd");
}

TEST(Result, TellsValueAndErrorOfOneTypeApart) {
  const Result<std::string, std::string> good(std::string("text"));
  const Result<std::string, std::string> bad(Unexpected{std::string("text")});
  EXPECT_TRUE(good);
  EXPECT_FALSE(bad);
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>, int> result(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 5);
}

TEST(Result, MovesItsError) {
  Result<int, std::unique_ptr<int>> result(Unexpected{std::make_unique<int>(5)});
  const std::unique_ptr<int> taken = std::move(result).error();
  EXPECT_EQ(*taken, 5);
}

TEST(Result, MayCarryNothing) {
  const Result<Done, int> good(Done{});
  EXPECT_TRUE(good);
}

TEST(ResultDeathTest, ReadingTheWrongSideEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto bad = half(3);
  const auto good = half(4);
  EXPECT_DEATH(static_cast<void>(*bad), "has_value");
  EXPECT_DEATH(static_cast<void>(good.error()), "has_value");
}

}  // namespace
}  // namespace sluice::base
