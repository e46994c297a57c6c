#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include <uv.h>

#include "config/base/mailbox.h"

namespace sluice::health {

// The api thread's mailbox for those who may outlive it: the authority keeps a reply for as long as
// a disk or an agent takes, and by then the API may be gone.
class Inbox {
 public:
  explicit Inbox(uv_loop_t* loop) : mailbox_(std::make_unique<base::Mailbox>(loop)) {}

  // Any thread. After close() the task is dropped.
  void post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    if (mailbox_) mailbox_->post(std::move(task));
  }

  // On the loop's thread.
  void close() {
    std::unique_ptr<base::Mailbox> closed;
    const std::lock_guard lock(mutex_);
    closed.swap(mailbox_);
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<base::Mailbox> mailbox_;  // guarded by mutex_; null once closed
};

}  // namespace sluice::health
