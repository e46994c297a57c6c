#include "health/cluster/mirror.h"

#include "gtest/gtest.h"

namespace sluice::cluster {
namespace {

TEST(Mirror, HasTheNewestOfEachKey) {
  Mirror mirror;
  mirror.take({"holds/b", "1", 3, 0});
  mirror.take({"holds/a", "1", 4, 0});
  mirror.take({"holds/b", "2", 5, 0});
  const auto entries = mirror.entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].key, "holds/a");
  EXPECT_EQ(entries[1], (Change{"holds/b", "2", 5, 0}));
}

TEST(Mirror, ForgetsWhatWasDeleted) {
  Mirror mirror;
  mirror.take({"holds/a", "1", 3, 0});
  mirror.take({"holds/a", std::nullopt, 4, 0});
  mirror.take({"holds/c", std::nullopt, 4, 0});
  EXPECT_TRUE(mirror.entries().empty());
}

}  // namespace
}  // namespace sluice::cluster
