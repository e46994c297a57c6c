#pragma once

#include <functional>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/uv_handle.h"

namespace sluice::base {

// A timer of a loop, used on the loop's thread alone. `fire` may do anything with it, destroy it
// included.
class Timer {
 public:
  Timer(uv_loop_t* loop, std::function<void()> fire);

  // Fires after `delay` from now and then every `repeat`; zero: once. Starting again replaces the
  // old time.
  void start(Duration delay, Duration repeat = Duration::zero());
  void stop();
  // It does not keep the loop running by itself.
  void unref();

 private:
  std::function<void()> fire_;
  UvHandle<uv_timer_t> handle_;
};

}  // namespace sluice::base
