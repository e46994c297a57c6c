#include "config/base/timer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sluice::base {
namespace {

std::uint64_t milliseconds(Duration duration) {
  return static_cast<std::uint64_t>(std::max(duration, Duration::zero()).count());
}

}  // namespace

Timer::Timer(uv_loop_t* loop, std::function<void()> fire) : fire_(std::move(fire)) {
  auto* timer = new uv_timer_t;
  uv_timer_init(loop, timer);  // cannot fail
  handle_.reset(timer);
  timer->data = this;
}

void Timer::start(Duration delay, Duration repeat) {
  // The loop's time is that of its last wake-up, and its turn may have been a long one: a sock_diag
  // dump, a spawn, a large answer.
  uv_update_time(handle_->loop);
  uv_timer_start(
      handle_.get(),
      [](uv_timer_t* timer) {
        const auto fire = static_cast<Timer*>(timer->data)->fire_;  // the timer may go in between
        fire();
      },
      milliseconds(delay), milliseconds(repeat));
}

void Timer::stop() {
  uv_timer_stop(handle_.get());
}

void Timer::unref() {
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get()));
}

}  // namespace sluice::base
