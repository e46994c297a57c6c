#pragma once

#include <functional>
#include <optional>

#include <gtest/gtest.h>
#include <uv.h>

#include "config/base/timer.h"

namespace sluice::base {

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

  // Runs until the condition holds; false when it does not within `limit`, by default far more
  // than any test waits for on a loaded machine.
  bool run_until(const std::function<bool()>& condition,
                 Duration limit = std::chrono::seconds(30)) {
    bool late = false;
    Timer guard(&loop_, [&] { late = true; });
    guard.start(limit);
    // A turn of the loop fires its timers first and waits for the next event then; what they did is
    // looked at soon all the same. A condition may run the loop itself.
    Timer tick(&loop_, [] {});
    tick.start(kLook, kLook);
    while (!condition() && !late) uv_run(&loop_, UV_RUN_ONCE);
    return condition();
  }

  // What a call that answers by its `done` answers.
  template <class T>
  T answer(const std::function<void(std::function<void(T)>)>& call) {
    std::optional<T> answer;
    call([&](T given) { answer.emplace(std::move(given)); });
    EXPECT_FALSE(answer) << "answered from within the call";
    EXPECT_TRUE(run_until([&] { return answer.has_value(); })) << "no answer";
    return *std::move(answer);
  }

 private:
  static constexpr Duration kLook{10};

  uv_loop_t loop_{};
};

}  // namespace sluice::base
