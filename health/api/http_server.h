#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <uv.h>

#include "config/base/address.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/uv_handle.h"
#include "config/model.h"
#include "health/api/http_message.h"
#include "health/api/unix_listener.h"

namespace sluice::health {

class HttpConnection;

// HTTP/1.1 on TCP and unix sockets. Everything happens on the thread that runs the loop.
//
// The requests of a connection are worked on one at a time, in their order: pipelining costs a
// client nothing but the wait, and no reply overtakes another.
class HttpServer {
 public:
  // Takes the response to one request; may be called at once or later, once. The client may have
  // gone meanwhile: then nothing happens. Must not be called after the server's end.
  using Respond = std::function<void(HttpResponse)>;
  // Works on a request whose body is whole.
  using Continue = std::function<void(std::string body, Respond respond)>;
  // Asked as soon as the head is there: who is not allowed to send a body need not be heard out.
  using OnHead = std::function<base::Result<Continue, HttpResponse>(const HttpRequest& head,
                                                                    const Peer& peer)>;

  // `loop` and `clock` must outlive it.
  HttpServer(uv_loop_t* loop, const base::Clock& clock, const HttpLimits& limits, OnHead on_head);
  ~HttpServer();  // after close(), and after the loop has run out
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Returns the address with the port that the kernel chose for port 0.
  base::Checked<base::SocketAddress> listen(const base::SocketAddress& address);
  base::Checked<base::Done> listen(const config::UnixSocket& socket);

  // Takes no more connections, ends those that wait for a request or stream, and the others after
  // their next response. `quiet` is called when none is left.
  void quiesce(std::function<void()> quiet);
  // Ends everything at once.
  void close();

 private:
  friend class HttpConnection;

  struct Listener {
    HttpServer* server = nullptr;
    base::UvHandle<uv_tcp_t> tcp;  // one of the two
    base::UvHandle<uv_pipe_t> pipe;
    std::optional<UnixListener> file;
    bool waiting = false;  // a client was not accepted for want of room

    uv_stream_t* stream() noexcept;
  };

  base::Checked<base::Done> start(std::unique_ptr<Listener> listener, const std::string& name);
  std::size_t& connections_of(bool local) noexcept;
  void on_connection(Listener& listener);
  void forget(std::uint64_t id, bool local);

  uv_loop_t* loop_;
  const base::Clock& clock_;
  HttpLimits limits_;
  OnHead on_head_;
  // Before the connections, which name them.
  std::vector<std::unique_ptr<Listener>> listeners_;
  bool listening_ = true;
  std::uint64_t next_id_ = 1;  // never used twice
  std::unordered_map<std::uint64_t, std::unique_ptr<HttpConnection>> connections_;
  std::size_t tcp_connections_ = 0;
  std::size_t local_connections_ = 0;
  std::function<void()> quiet_;
  std::string spare_input_;        // of the parsers
  std::vector<char> read_buffer_;  // of whoever reads; emptied before the next one does
};

}  // namespace sluice::health
