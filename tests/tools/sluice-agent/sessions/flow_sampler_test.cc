#include "tools/sluice-agent/sessions/flow_sampler.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/config/base/loop.h"
#include "tests/tools/sluice-agent/sessions/samples.h"

namespace sluice::agent {
namespace {

using samples::kNow;
using samples::kSip;

TEST(FlowSampler, KnowsOrSaysWhyNot) {
  base::TestLoop loop;
  FlowSampler sampler(loop.get(), {5060, 5061}, std::chrono::seconds(20));
  sampler.sample(kNow, {});
  EXPECT_TRUE(loop.run_until([&] { return !sampler.busy(); }));
  EXPECT_NE(sampler.count(kSip).has_value(), !sampler.failure().empty());
}

TEST(FlowSampler, MayGoWhileAListIsRead) {
  base::TestLoop loop;
  for (int i = 0; i < 8; ++i) {
    FlowSampler sampler(loop.get(), {5060}, std::chrono::seconds(20));
    sampler.sample(kNow, {});
  }
}

TEST(FlowSampler, AsksNothingForNoPorts) {
  base::TestLoop loop;
  FlowSampler sampler(loop.get(), {}, std::chrono::seconds(20));
  sampler.sample(kNow, {});
  EXPECT_FALSE(sampler.busy());
  EXPECT_EQ(sampler.failure(), "");
}

}  // namespace
}  // namespace sluice::agent
