#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <uv.h>

#include "config/base/uv_handle.h"
#include "health/authority.h"

namespace sluice::health {

// Whether what is counted comes by the thousand a second. Pure.
class Pace {
 public:
  void add() noexcept { ++count_; }
  // Nanoseconds of any monotonic clock; asked often. By the last window that is whole.
  bool fast(std::uint64_t now) noexcept;

 private:
  std::uint64_t begin_ = 0;  // of the window
  std::uint64_t count_ = 0;  // in it
  bool fast_ = false;
};

// Tasks for the control thread that nobody waits for to the millisecond: heartbeats. Those of one
// turn of the loop are handed over together, and while they come by the thousand the loop rests for
// some milliseconds before it looks for more. Waking a thread costs as much as a heartbeat does,
// and 10,000 agents that are spread evenly would wake both threads 5,000 times a second. Everybody
// else may find the loop at rest once; then it stays awake until he has his answer. On the loop's
// thread, where nothing else is said.
class Gatherer {
 public:
  using Task = std::function<void(Authority&)>;
  using Control = std::function<void(Task)>;

  // Tasks go to `control`.
  Gatherer(uv_loop_t* loop, Control control);
  // What is still there is dropped; the loop must run once more.
  ~Gatherer() = default;
  Gatherer(const Gatherer&) = delete;
  Gatherer& operator=(const Gatherer&) = delete;

  void post(Task task);

  // As long as somebody has one of these there is no rest. Any thread may let go, at any time.
  std::shared_ptr<void> hurry();
  bool hurried() const noexcept { return hurries() > 0; }
  // How many there are.
  std::size_t hurries() const noexcept {
    return static_cast<std::size_t>(hurries_->load(std::memory_order_relaxed));
  }

 private:
  void before_poll();

  Control control_;
  std::vector<Task> tasks_;
  Pace pace_;
  std::shared_ptr<std::atomic<int>> hurries_ = std::make_shared<std::atomic<int>>(0);
  base::UvHandle<uv_prepare_t> prepare_;
};

}  // namespace sluice::health
