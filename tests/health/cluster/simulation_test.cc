// Random histories of three responders. A history that fails prints its seed and what happened;
//   SLUICE_HISTORIES=100000 SLUICE_SEED=1 health_cluster_test --gtest_filter=Simulation.*
// plays so many from that seed on.

#include "tests/health/cluster/simulation.h"

#include <cstdlib>
#include <string>

#include "gtest/gtest.h"

namespace sluice::cluster::simulated {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Simulation, NoHistoryBreaksAPromise) {
  const std::uint64_t histories = from_environment("SLUICE_HISTORIES", 100);
  const std::uint64_t first = from_environment("SLUICE_SEED", 1);
  unsigned acknowledged = 0;
  unsigned partly = 0;
  unsigned refused = 0;
  unsigned unavailable = 0;
  for (std::uint64_t seed = first; seed < first + histories; ++seed) {
    History history(seed);
    const auto& violations = history.play(40);
    ASSERT_TRUE(violations.empty()) << violations.front() << "\n" << history.log();
    acknowledged += history.acknowledged;
    partly += history.partly;
    refused += history.refused;
    unavailable += history.unavailable;
  }
  RecordProperty("acknowledged", static_cast<int>(acknowledged));
  RecordProperty("partly", static_cast<int>(partly));
  // Otherwise nothing was tested.
  EXPECT_GT(acknowledged, histories);
  EXPECT_GT(partly, 0U);
  EXPECT_GT(refused, 0U);
  EXPECT_GT(unavailable, 0U);
}

}  // namespace
}  // namespace sluice::cluster::simulated
