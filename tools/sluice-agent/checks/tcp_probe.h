#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <uv.h>

#include "config/base/address.h"
#include "tools/sluice-agent/timer.h"

namespace sluice::agent {

// One attempt to connect to a TCP port; closed as soon as it is accepted.
class TcpProbe {
 public:
  // An empty text: accepted in time. Called once, from the loop; it may destroy the probe.
  using Done = std::function<void(const std::string& failure)>;

  TcpProbe(uv_loop_t* loop, const base::SocketAddress& target, base::Duration limit, Done done);
  ~TcpProbe();  // `done` is not called any more
  TcpProbe(const TcpProbe&) = delete;
  TcpProbe& operator=(const TcpProbe&) = delete;

  // The probe's own end, so that it is not taken for somebody's session.
  const std::optional<base::SocketAddress>& local() const noexcept { return local_; }

 private:
  struct Request;

  void connect(const base::SocketAddress& target);
  void finish(std::string failure);
  bool connected_to_itself() const;

  base::UvHandle<uv_tcp_t> socket_;
  Request* request_ = nullptr;  // freed by its callback, which libuv always calls
  std::optional<base::SocketAddress> local_;
  int start_error_ = 0;
  Timer timer_;
  Done done_;
};

}  // namespace sluice::agent
