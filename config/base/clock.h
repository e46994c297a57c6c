#pragma once

#include <chrono>

#include <time.h>

namespace sluice::base {

// Leases, timers and countdowns run on the monotonic clock; what people read and what goes to disk
// is on the wall clock. The two types do not mix.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

// Both clocks read at one moment: what turns one into the other.
struct Now {
  MonoTime mono;
  WallTime wall;

  WallTime to_wall(MonoTime time) const noexcept {
    return wall + std::chrono::round<Duration>(time - mono);
  }
  MonoTime to_mono(WallTime time) const noexcept { return mono + (time - wall); }
};

// Passed in wherever time matters, so that tests own it. Threads: now() may be called by any.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Now now() const override {
    return {
        std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now()),
        std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())};
  }
};

// The wall clock for paths that read it often: a few instructions, and late by the kernel's tick
// (at most 10 ms).
inline WallTime coarse_wall_time() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return WallTime(std::chrono::seconds(time.tv_sec) +
                  std::chrono::floor<Duration>(std::chrono::nanoseconds(time.tv_nsec)));
}

}  // namespace sluice::base
