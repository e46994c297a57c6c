#include "config/base/timer.h"

#include <memory>

#include <gtest/gtest.h>

#include "tests/config/base/loop.h"

namespace sluice::base {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Timer, FiresOnceFromTheLoop) {
  TestLoop loop;
  int fired = 0;
  Timer timer(loop.get(), [&] { ++fired; });
  timer.start(milliseconds(0));
  EXPECT_EQ(fired, 0) << "from within start()";
  EXPECT_TRUE(loop.run_until([&] { return fired == 1; }));
  EXPECT_EQ(uv_run(loop.get(), UV_RUN_NOWAIT), 0) << "something is still to come";
  EXPECT_EQ(fired, 1);
}

TEST(Timer, FiresAtOnceForATimeThatIsOver) {
  TestLoop loop;
  bool fired = false;
  Timer timer(loop.get(), [&] { fired = true; });
  timer.start(milliseconds(-5));
  EXPECT_TRUE(loop.run_until([&] { return fired; }));
}

TEST(Timer, RepeatsUntilItIsStopped) {
  TestLoop loop;
  int fired = 0;
  Timer timer(loop.get(), [&] {
    if (++fired == 3) timer.stop();
  });
  timer.start(milliseconds(0), milliseconds(1));
  EXPECT_TRUE(loop.run_until([&] { return fired == 3; }));
  EXPECT_EQ(uv_run(loop.get(), UV_RUN_NOWAIT), 0);
}

TEST(Timer, StartingAgainReplacesTheOldTime) {
  TestLoop loop;
  int fired = 0;
  Timer timer(loop.get(), [&] { ++fired; });
  timer.start(hours(1));
  timer.start(milliseconds(1));
  EXPECT_TRUE(loop.run_until([&] { return fired == 1; }));
  timer.start(milliseconds(0));
  timer.start(hours(1));
  uv_run(loop.get(), UV_RUN_NOWAIT);
  EXPECT_EQ(fired, 1);
  timer.stop();
}

TEST(Timer, MayBeDestroyedByWhatItCalls) {
  TestLoop loop;
  std::unique_ptr<Timer> timer;
  const auto kept = std::make_shared<int>(0);
  timer = std::make_unique<Timer>(loop.get(), [&timer, kept] {
    timer.reset();
    ++*kept;  // what was captured is still there
  });
  timer->start(milliseconds(0), milliseconds(1));
  EXPECT_TRUE(loop.run_until([&] { return *kept == 1; }));
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(Timer, DestroyedItCallsNobody) {
  TestLoop loop;
  bool fired = false;
  std::make_unique<Timer>(loop.get(), [&] { fired = true; })->start(milliseconds(0));
  uv_run(loop.get(), UV_RUN_DEFAULT);
  EXPECT_FALSE(fired);
}

TEST(Timer, UnreferencedItKeepsNoLoopRunning) {
  TestLoop loop;
  Timer timer(loop.get(), [] {});
  timer.start(hours(1));
  timer.unref();
  EXPECT_EQ(uv_run(loop.get(), UV_RUN_DEFAULT), 0);
}

}  // namespace
}  // namespace sluice::base
