#include "health/api/acceptor.h"

#include <cassert>
#include <cerrno>
#include <string>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace sluice::health {
namespace {

// In one turn of the loop, some 10 us each: then those who are connected have theirs.
constexpr int kAccepts = 64;
// A fifth of what people notice, and four calls a second cost nothing.
constexpr std::uint64_t kRetryMilliseconds = 250;

bool out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Acceptor::Acceptor(base::FileDescriptor socket, Host host, AcceptCounts& counts)
    : socket_(std::move(socket)), host_(std::move(host)), counts_(counts) {}

Acceptor::~Acceptor() {
  if (state_ == State::Starving) counts_.starving.fetch_sub(1, std::memory_order_relaxed);
}

base::Checked<base::Done> Acceptor::start(uv_loop_t* loop) {
  auto* poll = new uv_poll_t;
  if (const int error = uv_poll_init(loop, poll, socket_.get()); error != 0) {
    delete poll;
    return base::failure(std::string("polling a socket: ") + uv_strerror(error));
  }
  poll_.reset(poll);
  poll->data = this;
  auto* retry = new uv_timer_t;
  uv_timer_init(loop, retry);  // can't fail
  retry_.reset(retry);
  retry->data = this;
  turn(State::Polling);
  return base::Done{};
}

void Acceptor::resume() {
  if (state_ != State::Polling) turn(accept_waiting());
}

bool Acceptor::somebody_waits() const {
  pollfd look{socket_.get(), POLLIN, 0};
  return ::poll(&look, 1, 0) > 0;
}

Acceptor::State Acceptor::accept_waiting() {
  for (int tries = 0; tries < kAccepts; ++tries) {
    if (!host_.has_room()) {
      if (host_.full && somebody_waits()) host_.full();
      return State::Full;
    }
    base::FileDescriptor client(
        ::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client.is_open()) {
      host_.take(std::move(client));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (!out_of_descriptors(errno)) continue;  // this client's own end
    counts_.failed.fetch_add(1, std::memory_order_relaxed);
    if (!host_.make_room()) return State::Starving;
  }
  return State::Polling;
}

// What is polled for and not taken would be told again at once, for ever: only Polling polls.
void Acceptor::turn(State next) {
  if (next == State::Starving && state_ != State::Starving) {
    counts_.starving.fetch_add(1, std::memory_order_relaxed);
  } else if (next != State::Starving && state_ == State::Starving) {
    counts_.starving.fetch_sub(1, std::memory_order_relaxed);
  }
  state_ = next;
  if (next != State::Polling) {
    uv_poll_stop(poll_.get());
  } else {
    [[maybe_unused]] const int started =
        uv_poll_start(poll_.get(), UV_READABLE, [](uv_poll_t* handle, int status, int /*events*/) {
          auto& self = *static_cast<Acceptor*>(handle->data);
          // A listening socket has no error of its own; if it had, to poll on would be to spin.
          self.turn(status < 0 ? State::Starving : self.accept_waiting());
        });
    assert(started == 0);  // fails for a handle that is being closed alone
  }
  if (next == State::Polling) {
    uv_timer_stop(retry_.get());
  } else if (uv_is_active(reinterpret_cast<uv_handle_t*>(retry_.get())) == 0) {
    uv_timer_start(
        retry_.get(), [](uv_timer_t* timer) { static_cast<Acceptor*>(timer->data)->resume(); },
        kRetryMilliseconds, kRetryMilliseconds);
  }
}

}  // namespace sluice::health
