#pragma once

#include <uv.h>

#include "config/base/error.h"
#include "config/base/uv_handle.h"

namespace sluice::dns {

// Calls `on_ready` on the loop's thread whenever `fd` is readable; `owner` is the handle's data.
// Close the handle before the descriptor.
base::Checked<base::UvHandle<uv_poll_t>> poll_readable(uv_loop_t* loop, int fd, void* owner,
                                                       uv_poll_cb on_ready);

}  // namespace sluice::dns
