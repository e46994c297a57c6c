#include "tools/sluice-agent/supervision.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <uv.h>

#include "tests/tools/supervisor/listener.h"

namespace sluice::agent {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

class SupervisionTest : public testing::Test {
 protected:
  SupervisionTest() {
    uv_loop_init(&loop_);
    supervision_ = std::make_unique<Supervision>(
        &loop_, Supervisor(listener_.name(), std::chrono::milliseconds(30)),
        [this] { return standing_; });
  }
  ~SupervisionTest() override {
    supervision_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  // One look at least; two where this thread had to wait.
  std::vector<std::string> after_a_look() {
    uv_run(&loop_, UV_RUN_ONCE);
    return listener_.all();
  }

  test::Listener listener_;
  uv_loop_t loop_{};
  std::optional<std::string> standing_;
  std::unique_ptr<Supervision> supervision_;
};

TEST_F(SupervisionTest, IsReadyOnceAHeartbeatWasTried) {
  EXPECT_THAT(after_a_look(), IsEmpty());
  standing_ = "no heartbeat arrives";
  EXPECT_THAT(after_a_look(), Contains("READY=1\nSTATUS=no heartbeat arrives\n"));
}

TEST_F(SupervisionTest, PingsAndTellsWhatChanges) {
  standing_ = "so";
  after_a_look();
  EXPECT_THAT(after_a_look(), AllOf(Not(IsEmpty()), Each("WATCHDOG=1\n")));
  standing_ = "otherwise";
  EXPECT_THAT(after_a_look(), IsSupersetOf({"WATCHDOG=1\n", "STATUS=otherwise\n"}));
  EXPECT_THAT(after_a_look(), Each("WATCHDOG=1\n")) << "once";
}

TEST_F(SupervisionTest, SaysThatItStops) {
  supervision_.reset();
  EXPECT_THAT(listener_.all(), ElementsAre("STOPPING=1\nSTATUS=stopping\n"));
}

}  // namespace
}  // namespace sluice::agent
