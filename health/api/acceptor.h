#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include <uv.h>

#include "config/base/error.h"
#include "config/base/file_descriptor.h"
#include "config/base/uv_handle.h"

namespace sluice::health {

// Of all listening sockets of the API. Any thread reads.
struct AcceptCounts {
  // Calls that failed because descriptors or memory are used up: four a second while that lasts.
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint32_t> starving{0};  // sockets that accept nobody for that reason now
};

// A listening socket of the API: accepts whoever connects, as long as there is room. All on the
// thread of the loop.
//
// Not by uv_listen(): when descriptors are used up, that accepts and cuts everybody who waits, and
// once another thread has taken its spare descriptor it tries for ever without coming back to the
// loop. Here clients wait in the kernel's backlog and are served when there is room again.
class Acceptor {
 public:
  struct Host {
    std::function<bool()> has_room;   // for one more client
    std::function<bool()> make_room;  // of descriptors; false: nobody gives way
    std::function<void(base::FileDescriptor)> take;
    std::function<void()> full;  // somebody waits, and there is no room; may be empty
  };

  // `socket` listens already or will before start(); `counts` must outlive it.
  Acceptor(base::FileDescriptor socket, Host host, AcceptCounts& counts);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  base::Checked<base::Done> start(uv_loop_t* loop);
  // There may be room again: to be called whenever a client has left. It also looks by itself, four
  // times a second: the descriptors may be anybody's, and who waits may be more worth than who is
  // here.
  void resume();

 private:
  enum class State : std::uint8_t {
    Polling,
    Full,      // as many clients as it may have
    Starving,  // no descriptors
  };

  bool somebody_waits() const;
  State accept_waiting();
  void turn(State next);

  base::FileDescriptor socket_;
  Host host_;
  AcceptCounts& counts_;
  base::UvHandle<uv_poll_t> poll_;  // after the socket: closed before it
  base::UvHandle<uv_timer_t> retry_;
  State state_ = State::Polling;
};

}  // namespace sluice::health
