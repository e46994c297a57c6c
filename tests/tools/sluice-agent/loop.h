#pragma once

#include <functional>

#include <gtest/gtest.h>
#include <uv.h>

#include "tools/sluice-agent/timer.h"

namespace sluice::agent {

// A loop for one test; closed with all that was left in it.
class TestLoop {
 public:
  TestLoop() { uv_loop_init(&loop_); }
  ~TestLoop() {
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0) << "a handle was left open";
  }
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;

  uv_loop_t* get() noexcept { return &loop_; }

  // Runs until the condition holds; false when it does not within 20 s, far more than any test
  // waits for on a loaded machine.
  bool run_until(const std::function<bool()>& condition) {
    bool late = false;
    Timer guard(&loop_, [&] { late = true; });
    guard.start(std::chrono::seconds(20));
    while (!condition() && !late) uv_run(&loop_, UV_RUN_ONCE);
    return condition();
  }

 private:
  uv_loop_t loop_{};
};

}  // namespace sluice::agent
