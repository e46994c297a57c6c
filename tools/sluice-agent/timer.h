#pragma once

#include <functional>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/uv_handle.h"

namespace sluice::agent {

// A timer of the agent's loop. `fire` may destroy the timer, as the last thing that it does.
class Timer {
 public:
  Timer(uv_loop_t* loop, std::function<void()> fire);

  // Fires after `delay` and then every `repeat`; zero: once. Starting again replaces the old time.
  void start(base::Duration delay, base::Duration repeat = base::Duration::zero());
  void stop();
  // It does not keep the loop running by itself.
  void unref();

 private:
  std::function<void()> fire_;
  base::UvHandle<uv_timer_t> handle_;
};

}  // namespace sluice::agent
