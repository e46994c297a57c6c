#pragma once

#include <functional>
#include <optional>
#include <string>

#include <uv.h>

#include "config/base/address.h"
#include "config/base/timer.h"
#include "config/base/uv_handle.h"

namespace sluice::agent {

// One attempt to open a TCP connection; the connection ends with it. It has no time limit.
class TcpOpening {
 public:
  // An empty text: it is open. Called once, from the loop; it may destroy the opening.
  using Done = std::function<void(const std::string& failure)>;

  TcpOpening(uv_loop_t* loop, const base::SocketAddress& target, Done done);
  ~TcpOpening();  // `done` is not called any more
  TcpOpening(const TcpOpening&) = delete;
  TcpOpening& operator=(const TcpOpening&) = delete;

  uv_stream_t* stream() noexcept { return reinterpret_cast<uv_stream_t*>(socket_.get()); }
  // Our end; nothing before the kernel has chosen it.
  const std::optional<base::SocketAddress>& local() const noexcept { return local_; }

 private:
  struct Request;

  void connect(const base::SocketAddress& target);
  void finish(int status);
  bool connected_to_itself() const;

  base::UvHandle<uv_tcp_t> socket_;
  Request* request_ = nullptr;  // freed by its callback, which libuv always calls
  std::optional<base::SocketAddress> local_;
  int start_error_ = 0;
  base::Timer refused_;  // tells a failure of the start from the loop
  Done done_;
};

}  // namespace sluice::agent
