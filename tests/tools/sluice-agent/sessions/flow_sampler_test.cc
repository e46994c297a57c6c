#include "tools/sluice-agent/sessions/flow_sampler.h"

#include <array>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "tests/tools/sluice-agent/loop.h"
#include "tools/sluice-agent/descriptor.h"

namespace sluice::agent {
namespace {

constexpr base::MonoTime kNow{std::chrono::seconds(1)};
constexpr std::array<std::uint16_t, 1> kSip{5060};

// A network namespace of the test's own, in which no firewall has a rule; the former one at the
// end. What it sees with rules and real flows: tests/scenario/sessions_test.py.
class EmptyNetwork {
 public:
  EmptyNetwork() : former_(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
    entered_ = former_.get() >= 0 && unshare(CLONE_NEWNET) == 0;
  }
  ~EmptyNetwork() {
    if (entered_) {
      EXPECT_EQ(setns(former_.get(), CLONE_NEWNET), 0);
    }
  }
  EmptyNetwork(const EmptyNetwork&) = delete;
  EmptyNetwork& operator=(const EmptyNetwork&) = delete;
  bool entered() const { return entered_; }

 private:
  Descriptor former_;
  bool entered_ = false;
};

TEST(FlowSampler, DoesNotTakeAnEmptyListForZeroWhereNothingIsTracked) {
  const EmptyNetwork network;
  if (!network.entered()) GTEST_SKIP() << "needs the right to make a network namespace";
  TestLoop loop;
  FlowSampler sampler(loop.get(), {5060}, std::chrono::seconds(20));
  sampler.sample(kNow);
  EXPECT_TRUE(loop.run_until([&] { return !sampler.busy(); }));
  EXPECT_FALSE(sampler.count(kSip));
  EXPECT_NE(sampler.failure(), "");
}

TEST(FlowSampler, KnowsOrSaysWhyNot) {
  TestLoop loop;
  FlowSampler sampler(loop.get(), {5060, 5061}, std::chrono::seconds(20));
  sampler.sample(kNow);
  EXPECT_TRUE(loop.run_until([&] { return !sampler.busy(); }));
  EXPECT_NE(sampler.count(kSip).has_value(), !sampler.failure().empty());
}

TEST(FlowSampler, AsksNothingForNoPorts) {
  TestLoop loop;
  FlowSampler sampler(loop.get(), {}, std::chrono::seconds(20));
  sampler.sample(kNow);
  EXPECT_FALSE(sampler.busy());
  EXPECT_EQ(sampler.failure(), "");
}

}  // namespace
}  // namespace sluice::agent
