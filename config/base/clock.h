#pragma once

#include <chrono>

#include <time.h>

#include "config/base/boot.h"

namespace sluice::base {

// Leases, timers and countdowns run on the monotonic clock; what people read and what goes to disk
// is on the wall clock. The two types do not mix.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

// A moment of the monotonic clock as it goes to disk. Within one boot of the machine a later
// process finds that moment again, whatever happened to the wall clock; after it the wall clock is
// all that there is.
struct Moment {
  WallTime wall;
  MonoTime mono;
  std::uint64_t boot = 0;  // in which `mono` counts; 0: not known

  friend bool operator==(const Moment&, const Moment&) = default;
};

// Both clocks read at one moment: what turns one into the other.
struct Now {
  MonoTime mono;
  WallTime wall;
  std::uint64_t boot = 0;  // boot_number()

  WallTime to_wall(MonoTime time) const noexcept {
    return wall + std::chrono::round<Duration>(time - mono);
  }
  MonoTime to_mono(WallTime time) const noexcept { return mono + (time - wall); }
  Moment to_moment(MonoTime time) const noexcept { return {to_wall(time), time, boot}; }
  MonoTime to_mono(const Moment& moment) const noexcept {
    return boot != 0 && moment.boot == boot ? moment.mono : to_mono(moment.wall);
  }
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
        std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()), boot_number()};
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
