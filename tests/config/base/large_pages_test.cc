#include "config/base/large_pages.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

TEST(LargePages, HoldsVectorsOfAnySize) {
  for (const std::size_t size : {1U, 1'000U, (4U << 20) - 1, 4U << 20, (5U << 20) + 3}) {
    std::vector<std::uint8_t, LargePages<std::uint8_t>> octets(size);
    octets.back() = 7;
    octets.push_back(8);
    octets.shrink_to_fit();
    EXPECT_EQ(octets[size - 1], 7);
    EXPECT_EQ(octets[size], 8);
  }
}

TEST(LargePages, AlignsWhatIsLarge) {
  const std::vector<std::uint64_t, LargePages<std::uint64_t>> words(1U << 20);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(words.data()) % (2U << 20), 0U);
}

}  // namespace
}  // namespace sluice::base
