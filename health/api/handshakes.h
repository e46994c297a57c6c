#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/uv_handle.h"
#include "health/api/handshake_queue.h"

namespace sluice::health {

// How a handshake that had begun ended.
enum class HandshakeEnd : std::uint8_t {
  Full,
  Resumed,            // with a session from before
  ClientCertificate,  // the client's is missing, not trusted or expired
  Protocol,           // no TLS, none that is spoken here, or broken
  PlainHttp,          // a request without TLS
  TimedOut,
  GaveWay,  // to somebody who waited
  Gone,     // the client left
};

// Runs the queue of handshakes in the turns of a loop, and counts how they end. On the loop's
// thread.
class Handshakes {
 public:
  using Id = HandshakeQueue::Id;
  using Call = std::function<void(Id)>;

  // `turn` is called for whose turn it is, `cut` for who must give way; that one's end() comes out
  // of it.
  Handshakes(uv_loop_t* loop, const HandshakeQueue::Limits& limits, Call turn, Call cut);

  // Something has come for its handshake.
  void ready(Id id);
  // Once for each that ready() was called for.
  void end(Id id, HandshakeEnd how);
  // Ends the handles; the loop must run once more.
  void close();

  // Appends sluice_api_tls_handshakes_total{result} and those that are under way and waiting.
  void append_to(std::string& page) const;

 private:
  void run();
  void look_again();
  base::MonoTime now() const;  // the loop's clock, as of all deadlines of connections

  uv_loop_t* loop_;
  HandshakeQueue queue_;
  Call turn_;
  Call cut_;
  std::array<std::uint64_t, 8> ends_{};   // by HandshakeEnd
  base::UvHandle<uv_prepare_t> prepare_;  // runs while somebody may have a turn
  base::UvHandle<uv_timer_t> timer_;      // when somebody will have to give way
};

}  // namespace sluice::health
