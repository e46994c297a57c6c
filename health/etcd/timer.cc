#include "health/etcd/timer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sluice::etcd {

Timer::Timer(uv_loop_t* loop, std::function<void()> fire) : fire_(std::move(fire)) {
  auto* timer = new uv_timer_t;
  uv_timer_init(loop, timer);  // cannot fail
  handle_.reset(timer);
  timer->data = this;
}

void Timer::start(base::Duration delay) {
  // The loop's time is that of its last wake-up, and its turn may have been a long one.
  uv_update_time(handle_->loop);
  uv_timer_start(
      handle_.get(),
      [](uv_timer_t* timer) {
        const auto fire = static_cast<Timer*>(timer->data)->fire_;  // the timer may go in between
        fire();
      },
      static_cast<std::uint64_t>(std::max(delay, base::Duration::zero()).count()), 0);
}

void Timer::stop() {
  uv_timer_stop(handle_.get());
}

}  // namespace sluice::etcd
