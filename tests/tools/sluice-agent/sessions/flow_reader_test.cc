#include "tools/sluice-agent/sessions/flow_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "config/base/file_descriptor.h"

namespace sluice::agent {
namespace {

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
  base::FileDescriptor former_;
  bool entered_ = false;
};

TEST(FlowReader, DoesNotTakeAnEmptyListForZeroWhereNothingIsTracked) {
  const EmptyNetwork network;
  if (!network.entered()) GTEST_SKIP() << "needs the right to make a network namespace";
  FlowReader reader({5060}, std::chrono::seconds(20));
  for (int i = 0; i < 2; ++i) {
    const auto list = reader.read({});
    ASSERT_FALSE(list);
    // Which of them: what this kernel has and what we may.
    EXPECT_THAT(list.error().message, testing::AnyOf(testing::HasSubstr("tracks no UDP flows"),
                                                     testing::HasSubstr("CAP_NET_ADMIN"),
                                                     testing::HasSubstr("nf_conntrack_netlink")));
  }
}

TEST(FlowReader, KnowsOrSaysWhyNot) {
  const auto list = FlowReader({5060, 5061}, std::chrono::seconds(20)).read({});
  EXPECT_TRUE(list || !list.error().message.empty());
}

}  // namespace
}  // namespace sluice::agent
