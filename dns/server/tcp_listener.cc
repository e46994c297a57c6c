#include "dns/server/tcp_listener.h"

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "dns/server/poll.h"

namespace sluice::dns {
namespace {

// Some 5 us each with what libuv does for a new client: a turn of a third of a millisecond.
constexpr int kAccepts = 64;

bool out_of_room(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

TcpListener::TcpListener(base::FileDescriptor fd, TcpClients& clients,
                         WorkerCounters& counters) noexcept
    : fd_(std::move(fd)), clients_(clients), counters_(counters) {}

base::Checked<base::Done> TcpListener::listen(uv_loop_t* loop) {
  auto poll = poll_readable(loop, fd_.get(), this, on_ready);
  if (!poll) return base::Unexpected{poll.error()};
  poll_ = *std::move(poll);
  return base::Done{};
}

bool TcpListener::accept_waiting() {
  for (int tries = 0; tries < kAccepts; ++tries) {
    sockaddr_in6 address{};  // has room for sockaddr_in too
    socklen_t length = sizeof address;
    base::FileDescriptor client(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length,
                                          SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client.is_open()) {
      clients_.admit(std::move(client), address);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (!out_of_room(errno)) continue;  // this client's fault: gone already, network down
    counters_.tcp_accept_errors.add();
    if (!clients_.evict()) return false;
  }
  return true;
}

// Tried at once: with no descriptors left the kernel says so though nobody waits.
void TcpListener::resume() {
  if (held_ || !paused_ || !accept_waiting()) return;
  if (uv_poll_start(poll_.get(), UV_READABLE, on_ready) != 0) return;
  paused_ = false;
  counters_.tcp_accept_resumed.add();
}

void TcpListener::hold(bool held) {
  held_ = held;
  if (paused_) return;  // resume() goes on
  if (held) {
    uv_poll_stop(poll_.get());
  } else if (uv_poll_start(poll_.get(), UV_READABLE, on_ready) != 0) {
    pause();
  }
}

void TcpListener::pause() {
  paused_ = true;
  counters_.tcp_accept_paused.add();
  uv_poll_stop(poll_.get());
}

void TcpListener::on_ready(uv_poll_t* handle, int status, int /*events*/) {
  auto& self = *static_cast<TcpListener*>(handle->data);
  if (status < 0) {  // libuv stopped polling; a listening socket has no error of its own
    self.counters_.receive_errors.add();
    self.pause();
    return;
  }
  if (!self.accept_waiting()) self.pause();
}

}  // namespace sluice::dns
