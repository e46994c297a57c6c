#include "tools/sluice-agent/timer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sluice::agent {
namespace {

std::uint64_t milliseconds(base::Duration duration) {
  return static_cast<std::uint64_t>(std::max(duration, base::Duration::zero()).count());
}

}  // namespace

Timer::Timer(uv_loop_t* loop, std::function<void()> fire) : fire_(std::move(fire)) {
  auto* timer = new uv_timer_t;
  uv_timer_init(loop, timer);  // cannot fail
  handle_.reset(timer);
  timer->data = this;
}

void Timer::start(base::Duration delay, base::Duration repeat) {
  // The loop's time is that of its last wake-up; a sock_diag dump or a spawn may lie between.
  uv_update_time(handle_->loop);
  uv_timer_start(
      handle_.get(), [](uv_timer_t* timer) { static_cast<Timer*>(timer->data)->fire_(); },
      milliseconds(delay), milliseconds(repeat));
}

void Timer::stop() {
  uv_timer_stop(handle_.get());
}

void Timer::unref() {
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get()));
}

}  // namespace sluice::agent
