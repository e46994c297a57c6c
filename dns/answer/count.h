#pragma once

#include <atomic>
#include <cstdint>

namespace sluice::dns {

// One count: its worker alone adds, any thread reads. No read-modify-write, so an addition costs
// what a plain one costs.
class Count {
 public:
  void add(std::uint64_t more = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace sluice::dns
