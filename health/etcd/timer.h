#pragma once

#include <functional>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/uv_handle.h"

namespace sluice::etcd {

// A timer of the loop that fires once. `fire` may destroy it.
class Timer {
 public:
  Timer(uv_loop_t* loop, std::function<void()> fire);

  // Starting again replaces the old time.
  void start(base::Duration delay);
  void stop();

 private:
  std::function<void()> fire_;
  base::UvHandle<uv_timer_t> handle_;
};

}  // namespace sluice::etcd
