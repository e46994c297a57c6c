#include "config/base/boxed.h"

#include <string>

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

using Text = Boxed<std::string>;

TEST(Boxed, HasAValueOrNone) {
  Text text;
  EXPECT_FALSE(text);
  EXPECT_FALSE(text.has_value());
  text = std::string("one");
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "one");
  EXPECT_EQ(text->size(), 3U);
  text = std::nullopt;
  EXPECT_FALSE(text);
}

TEST(Boxed, IsCopiedWhole) {
  Text one = std::string("one");
  Text copy = one;
  *copy += " more";
  EXPECT_EQ(*one, "one");
  one = copy;
  EXPECT_EQ(*one, "one more");
  const Text moved = std::move(one);
  EXPECT_EQ(*moved, "one more");
}

TEST(Boxed, GoesToAnOptionalAndBack) {
  const std::optional<std::string> none;
  EXPECT_FALSE(Text(none));
  const Text text = std::optional<std::string>("one");
  EXPECT_EQ(std::optional<std::string>(text), "one");
  EXPECT_FALSE(std::optional<std::string>(Text()));
}

TEST(Boxed, IsEqualAsItsValueIs) {
  EXPECT_EQ(Text(), Text());
  EXPECT_EQ(Text(std::string("one")), Text(std::string("one")));
  EXPECT_FALSE(Text(std::string("one")) == Text(std::string("two")));
  EXPECT_FALSE(Text(std::string("one")) == Text());
}

}  // namespace
}  // namespace sluice::base
