#include "tools/sluice-agent/sessions/flow_sampler.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/config/base/loop.h"

namespace sluice::agent {
namespace {

constexpr base::MonoTime kSampledAt{std::chrono::seconds(1)};
constexpr std::array<std::uint16_t, 1> kSampledSip{5060};

TEST(FlowSampler, KnowsOrSaysWhyNot) {
  base::TestLoop loop;
  FlowSampler sampler(loop.get(), {5060, 5061}, std::chrono::seconds(20));
  sampler.sample(kSampledAt, {});
  EXPECT_TRUE(loop.run_until([&] { return !sampler.busy(); }));
  EXPECT_NE(sampler.count(kSampledSip).has_value(), !sampler.failure().empty());
}

TEST(FlowSampler, MayGoWhileAListIsRead) {
  base::TestLoop loop;
  for (int i = 0; i < 8; ++i) {
    FlowSampler sampler(loop.get(), {5060}, std::chrono::seconds(20));
    sampler.sample(kSampledAt, {});
  }
}

TEST(FlowSampler, AsksNothingForNoPorts) {
  base::TestLoop loop;
  FlowSampler sampler(loop.get(), {}, std::chrono::seconds(20));
  sampler.sample(kSampledAt, {});
  EXPECT_FALSE(sampler.busy());
  EXPECT_EQ(sampler.failure(), "");
}

}  // namespace
}  // namespace sluice::agent
