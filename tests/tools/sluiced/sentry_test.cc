#include "tools/sluiced/sentry.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <uv.h>

#include "tests/tools/supervisor/listener.h"

namespace sluice {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

// One thread beside this one, "store", which answers as the test wants.
class SentryTest : public testing::Test {
 protected:
  SentryTest() {
    uv_loop_init(&loop_);
    sentry_ = std::make_unique<Sentry>(&loop_, clock_,
                                       Supervisor(listener_.name(), std::chrono::milliseconds(40)),
                                       [] { return "serving"; });
    sentry_->pulse().watch("store", [this](Pulse::Answer answer) {
      if (answers_) return answer();
      kept_ = std::move(answer);
    });
  }
  ~SentryTest() override {
    sentry_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }

  // What is said until `done` is true of it; at most ten seconds.
  using Messages = std::vector<std::string>;
  Messages run_until(const std::function<bool(const Messages&)>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    Messages messages;
    while (!done(messages) && std::chrono::steady_clock::now() < end) {
      uv_run(&loop_, UV_RUN_ONCE);
      for (std::string& message : listener_.all()) messages.push_back(std::move(message));
    }
    EXPECT_TRUE(done(messages)) << testing::PrintToString(messages);
    return messages;
  }
  static std::function<bool(const Messages&)> says(const std::string& text) {
    return [text](const Messages& messages) {
      return std::ranges::any_of(messages, [&](const std::string& message) {
        return message.find(text) != std::string::npos;
      });
    };
  }
  void start() {
    sentry_->start([] {});
    run_until(says("READY=1"));
  }

  base::SystemClock clock_;
  test::Listener listener_;
  uv_loop_t loop_{};
  std::unique_ptr<Sentry> sentry_;
  bool answers_ = true;
  Pulse::Answer kept_;
};

TEST_F(SentryTest, IsReadyWhenEveryThreadHasAnswered) {
  answers_ = false;
  bool ready = false;
  sentry_->start([&] { ready = true; });
  for (int turn = 0; turn < 10; ++turn) uv_run(&loop_, UV_RUN_ONCE);
  EXPECT_FALSE(ready);
  EXPECT_THAT(listener_.all(), SizeIs(0));
  kept_();
  const auto said = run_until(says("READY=1"));
  EXPECT_THAT(said, Contains("READY=1\nSTATUS=serving\n"));
  EXPECT_TRUE(ready);
}

TEST_F(SentryTest, DoesNotPingForAThreadThatHangs) {
  start();
  run_until(says("WATCHDOG=1"));
  answers_ = false;
  run_until(says("of: store; serving"));
  int looks = 0;
  const auto said = run_until([&](const auto&) { return ++looks > 20; });
  EXPECT_THAT(said, Each(Not(HasSubstr("WATCHDOG"))));
  answers_ = true;
  kept_();
  run_until(says("WATCHDOG=1"));
}

TEST_F(SentryTest, KeepsWhyAReloadWasRefusedInTheStatus) {
  start();
  sentry_->reloading();
  sentry_->reloaded({{{"sluice.yaml", 7}, "dns", "is wrong\nREADY=0"}, {{}, {}, "too"}});
  const auto refused = run_until(says("READY=1"));
  EXPECT_THAT(refused,
              Contains(AllOf(HasSubstr("refused"), HasSubstr("sluice.yaml:7"),
                             HasSubstr("and 1 more; serving"), Not(HasSubstr("\nREADY=0")))));
  run_until(says("WATCHDOG=1"));
  sentry_->reloading();
  sentry_->reloaded({});
  const auto taken = run_until(says("READY=1"));
  EXPECT_THAT(taken, Contains("READY=1\nSTATUS=serving\n"));
}

TEST_F(SentryTest, KeepsWhyNobodyTookOverInTheStatus) {
  start();
  sentry_->stayed("process 7 did not take over");
  EXPECT_THAT(run_until(says("did not take over")),
              Contains("STATUS=process 7 did not take over; serving\n"));
  sentry_->stayed({});
  EXPECT_THAT(run_until(says("STATUS=")), Contains("STATUS=serving\n"));
}

TEST_F(SentryTest, AReloadBeforeItIsReadySaysNothing) {
  answers_ = false;
  sentry_->start([] {});
  sentry_->reloading();
  sentry_->reloaded({});
  EXPECT_THAT(listener_.all(), SizeIs(0));
}

}  // namespace
}  // namespace sluice
