#include "config/base/mailbox.h"

#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

// A loop that is closed without a handle left behind.
class MailboxTest : public ::testing::Test {
 protected:
  MailboxTest() { uv_loop_init(&loop); }
  ~MailboxTest() override {
    uv_run(&loop, UV_RUN_NOWAIT);  // the close callbacks
    EXPECT_EQ(uv_loop_close(&loop), 0) << "a handle was left open";
  }
  uv_loop_t loop{};
};

TEST_F(MailboxTest, RunsTasksInTheirOrderOnTheLoopsThread) {
  Mailbox mailbox(&loop);
  std::vector<int> ran;
  for (int i = 0; i < 5; ++i) {
    mailbox.post([&, i] {
      ran.push_back(i);
      if (i == 4) uv_stop(&loop);
    });
  }
  EXPECT_TRUE(ran.empty()) << "post() itself runs nothing";
  uv_run(&loop, UV_RUN_DEFAULT);
  EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(MailboxTest, TakesTasksFromSeveralThreadsEachInItsOrder) {
  constexpr int kThreads = 3;
  constexpr int kTasks = 2'000;
  Mailbox mailbox(&loop);
  // Not atomic: only the loop's thread touches it, as the thread sanitizer confirms.
  std::vector<int> next(kThreads, 0);
  int left = kThreads * kTasks;
  bool in_order = true;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kTasks; ++i) {
        mailbox.post([&, thread, i] {
          in_order = in_order && next[static_cast<std::size_t>(thread)]++ == i;
          if (--left == 0) uv_stop(&loop);
        });
      }
    });
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(left, 0);
  EXPECT_TRUE(in_order);
}

TEST_F(MailboxTest, RunsWhatATaskPosts) {
  Mailbox mailbox(&loop);
  int depth = 0;
  std::function<void()> again = [&] {
    if (++depth == 100) return uv_stop(&loop);
    mailbox.post(again);
  };
  mailbox.post(again);
  uv_run(&loop, UV_RUN_DEFAULT);
  EXPECT_EQ(depth, 100);
}

TEST_F(MailboxTest, DropsWhatWasNotRun) {
  const auto held = std::make_shared<int>(1);
  {
    Mailbox mailbox(&loop);
    mailbox.post([held] { FAIL() << "ran after the end"; });
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace sluice::base
