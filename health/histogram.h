#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace sluice::health {

// Counts durations in fixed buckets, as Prometheus wants them. One thread observes, any reads.
class Histogram {
 public:
  // Upper bounds in microseconds: from what a commit to fast storage takes to what an operator
  // would call broken.
  static constexpr std::array<std::uint32_t, 14> kBounds{
      100,    250,    500,     1'000,   2'500,     5'000,     10'000,
      25'000, 50'000, 100'000, 250'000, 1'000'000, 2'500'000, 10'000'000};

  void observe(std::chrono::nanoseconds duration) noexcept {
    const auto us = static_cast<std::uint64_t>(duration.count() < 0 ? 0 : duration.count()) / 1'000;
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && us > kBounds[bucket]) ++bucket;
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(us, std::memory_order_relaxed);
  }

  // Not cumulative; the last one counts what is above every bound.
  std::uint64_t bucket(std::size_t index) const noexcept {
    return buckets_[index].load(std::memory_order_relaxed);
  }
  double sum_seconds() const noexcept {
    return static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / 1e6;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> sum_us_{0};
};

}  // namespace sluice::health
