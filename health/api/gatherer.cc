#include "health/api/gatherer.h"

#include <ctime>
#include <memory>
#include <utility>

namespace sluice::health {
namespace {

// Long enough to tell a pace from a coincidence, short enough to end a rest that is no more wanted.
constexpr std::uint64_t kWindow = 20'000'000;  // ns
// In a window, from a thousand a second on: then a rest brings one task at least.
constexpr std::uint64_t kFast = 20;
// An agent waits for a second and more; with the others' own millisecond it is half of what the
// state of a pool may take (10 ms).
constexpr long kRest = 4'000'000;  // ns

}  // namespace

bool Pace::fast(std::uint64_t now) noexcept {
  if (now - begin_ < kWindow) return fast_;
  // A window that was long since over counts as the time that it took.
  fast_ = count_ * kWindow >= kFast * (now - begin_);
  begin_ = now;
  count_ = 0;
  return fast_;
}

Gatherer::Gatherer(uv_loop_t* loop, Control control) : control_(std::move(control)) {
  auto* prepare = new uv_prepare_t;
  uv_prepare_init(loop, prepare);
  prepare->data = this;
  prepare_.reset(prepare);
  uv_prepare_start(
      prepare, [](uv_prepare_t* handle) { static_cast<Gatherer*>(handle->data)->before_poll(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(prepare));  // it keeps no loop running
}

void Gatherer::post(Task task) {
  tasks_.push_back(std::move(task));
  pace_.add();
}

std::shared_ptr<void> Gatherer::hurry() {
  hurries_->fetch_add(1, std::memory_order_relaxed);
  return {hurries_.get(),
          [counted = hurries_](void*) { counted->fetch_sub(1, std::memory_order_relaxed); }};
}

void Gatherer::before_poll() {
  if (!tasks_.empty()) {
    // Shared, since std::function wants copies.
    const auto tasks = std::make_shared<std::vector<Task>>(std::move(tasks_));
    tasks_ = {};
    control_([tasks](Authority& authority) {
      for (const Task& task : *tasks) task(authority);
    });
  }
  if (!pace_.fast(uv_hrtime()) || hurried()) return;
  const std::timespec rest{0, kRest};
  ::nanosleep(&rest, nullptr);
}

}  // namespace sluice::health
