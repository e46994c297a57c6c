#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <uv.h>

#include "config/base/error.h"
#include "config/base/uv_handle.h"
#include "config/model.h"
#include "tools/sluice-agent/control_protocol.h"

namespace sluice::agent {

// The agent's unix socket; the protocol is that of control_protocol.h.
//
// Bounds: kMaxClients connections, more are closed at once; of each one line, one request and one
// answer at a time; a client that is silent, or does not read its answer, for kIdle is cut.
class ControlSocket {
 public:
  static constexpr std::size_t kMaxClients = 32;
  static constexpr base::Duration kIdle = std::chrono::seconds(60);

  using Reply = std::function<void(const ControlAnswer&)>;
  // `by` is the peer's user name. `reply` is called once, now or later, and not any more once the
  // ControlSocket is gone.
  using Handler =
      std::function<void(const ControlRequest&, const std::string& by, const Reply& reply)>;

  // Mode and group are set before anybody can connect. A socket file that nobody answers on is
  // replaced; one that somebody answers on, or a file that is no socket, is an error.
  static base::Checked<std::unique_ptr<ControlSocket>> listen(uv_loop_t* loop,
                                                              const config::UnixSocket& where,
                                                              Handler handler);
  ~ControlSocket();  // removes the socket's file
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  class Client;
  using ClientId = std::uint64_t;

  ControlSocket(uv_loop_t* loop, std::string path, Handler handler);
  int open(int fd);
  void accept();
  void remove(ClientId id);

  uv_loop_t* loop_;
  std::string path_;
  Handler handler_;
  base::UvHandle<uv_pipe_t> listener_;
  std::map<ClientId, std::unique_ptr<Client>> clients_;
  ClientId next_id_ = 0;
};

}  // namespace sluice::agent
