#include "config/base/mailbox.h"

#include <cassert>
#include <utility>

namespace sluice::base {

Mailbox::Mailbox(uv_loop_t* loop) {
  auto handle = std::make_unique<uv_async_t>();
  const int status = uv_async_init(
      loop, handle.get(), [](uv_async_t* async) { static_cast<Mailbox*>(async->data)->run(); });
  assert(status ==
         0);  // fails for lack of descriptors alone: at start, where that ends the process
  static_cast<void>(status);
  handle->data = this;
  wake_.reset(handle.release());
}

Mailbox::~Mailbox() = default;

void Mailbox::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  // Wake-ups of libuv coalesce: many posts, one run().
  uv_async_send(wake_.get());
}

void Mailbox::run() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
}

}  // namespace sluice::base
