#include "dns/server/poll.h"

#include <string>

namespace sluice::dns {

base::Checked<base::UvHandle<uv_poll_t>> poll_readable(uv_loop_t* loop, int fd, void* owner,
                                                       uv_poll_cb on_ready) {
  auto* raw = new uv_poll_t;
  if (const int error = uv_poll_init(loop, raw, fd); error != 0) {
    delete raw;
    return base::failure(std::string("polling a socket: ") + uv_strerror(error));
  }
  base::UvHandle<uv_poll_t> poll(raw);
  poll->data = owner;
  if (const int error = uv_poll_start(poll.get(), UV_READABLE, on_ready); error != 0) {
    return base::failure(std::string("polling a socket: ") + uv_strerror(error));
  }
  return poll;
}

}  // namespace sluice::dns
