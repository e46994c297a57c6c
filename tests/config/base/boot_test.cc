#include "config/base/boot.h"

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

TEST(Boot, HasTheKernelsName) {
  const auto id = read_boot_id();
  ASSERT_TRUE(id);
  EXPECT_EQ(id->size(), 36U) << "a UUID";
}

TEST(Boot, HasANumberThatStays) {
  EXPECT_NE(boot_number(), 0U);
  EXPECT_EQ(boot_number(), boot_number());
}

}  // namespace
}  // namespace sluice::base
