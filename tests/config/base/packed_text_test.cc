#include "config/base/packed_text.h"

#include <utility>

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

using BoxedText = std::optional<std::string>;

TEST(PackedText, IsNoneUntilAssigned) {
  PackedText text;
  EXPECT_FALSE(text);
  EXPECT_EQ(BoxedText(text), std::nullopt);
  text = std::string_view("");
  EXPECT_TRUE(text) << "an empty text is one";
  EXPECT_EQ(*text, "");
}

TEST(PackedText, TakesLongerShorterAndEqualOnes) {
  PackedText text;
  for (const char* next : {"boot/1", "boot/22", "b", "c", "boot/333"}) {
    text = std::string_view(next);
    EXPECT_EQ(*text, next);
  }
  const std::string with_zero("a\0b", 3);
  text = std::string_view(with_zero);
  EXPECT_EQ(BoxedText(text), with_zero);
}

TEST(PackedText, TakesItsPlaceWhereTheLengthIsTheSame) {
  PackedText text(BoxedText("one"));
  const char* before = (*text).data();
  text = std::string_view("two");
  EXPECT_EQ((*text).data(), before);
}

TEST(PackedText, ComesFromAndGoesToAnOptional) {
  PackedText text(BoxedText("x"));
  PackedText moved = std::move(text);
  EXPECT_EQ(BoxedText(moved), "x");
  moved.reset();
  EXPECT_FALSE(moved);
  moved = PackedText(std::nullopt);
  EXPECT_FALSE(moved);
}

}  // namespace
}  // namespace sluice::base
