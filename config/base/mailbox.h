#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include <uv.h>

#include "config/base/uv_handle.h"

namespace sluice::base {

// Work handed to the thread that runs a libuv loop. post() may be called by any thread; the tasks
// run on the loop's thread in the order in which they came. Tasks of one wake-up run together.
class Mailbox {
 public:
  // `loop` must be owned by the calling thread or not be running yet.
  explicit Mailbox(uv_loop_t* loop);
  ~Mailbox();  // on the loop's thread; what was not run is dropped
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void post(std::function<void()> task);

 private:
  void run();

  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;  // guarded by mutex_
  UvHandle<uv_async_t> wake_;
};

}  // namespace sluice::base
