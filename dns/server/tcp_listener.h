#pragma once

#include <uv.h>

#include "config/base/error.h"
#include "config/base/file_descriptor.h"
#include "config/base/uv_handle.h"
#include "dns/server/tcp_clients.h"

namespace sluice::dns {

// A listening TCP socket of one worker: hands what it accepts to the worker's clients. All on the
// worker's thread, once the loop runs.
class TcpListener {
 public:
  // Does not start yet; see listen().
  TcpListener(base::FileDescriptor fd, TcpClients& clients, WorkerCounters& counters) noexcept;
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  base::Checked<base::Done> listen(uv_loop_t* loop);

  // Accepts what waits; at most so many at once that the others of the worker have their turn.
  // False: out of file descriptors or memory, with no client to give way.
  bool accept_waiting();

  // When there was no room it stopped accepting instead of spinning, and goes on here. Called every
  // now and then.
  void resume();

  // Takes nobody until it is said to; who connects waits with the kernel.
  void hold(bool held);

 private:
  static void on_ready(uv_poll_t* handle, int status, int events);
  void pause();

  base::FileDescriptor fd_;
  TcpClients& clients_;
  WorkerCounters& counters_;
  base::UvHandle<uv_poll_t> poll_;  // after the descriptor: closed before it
  bool paused_ = false;
  bool held_ = false;
};

}  // namespace sluice::dns
