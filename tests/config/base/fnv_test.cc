#include "config/base/fnv.h"

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

std::uint64_t hash(std::string_view octets) {
  Fnv1a fnv;
  fnv.add(octets);
  return fnv.value();
}

// The vectors of its authors.
TEST(Fnv1a, IsWhatEverybodyElsesIs) {
  EXPECT_EQ(hash(""), 0xcbf29ce484222325U);
  EXPECT_EQ(hash("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(hash("foobar"), 0x85944171f73967e8U);
}

}  // namespace
}  // namespace sluice::base
