#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "config/base/address.h"
#include "config/base/error.h"
#include "config/model.h"
#include "health/api/acceptor.h"
#include "health/api/http_message.h"
#include "health/api/listen_sockets.h"
#include "health/api/ports.h"

namespace sluice::health {

// The HTTP API with its thread "api", which owns listeners and connections. The authority is
// reached through the ports alone; replies come back through the thread's mailbox.
class Api {
 public:
  using Ports = ApiPorts;

  // Takes the clients of `sockets`, by descriptors of its own: the given ones stay the caller's.
  // Clients are answered from its return on. `limits` must leave the rest of the process the
  // descriptors that it needs.
  static base::Checked<std::unique_ptr<Api>> start(const config::Api& api,
                                                   const ListenSockets& sockets, Ports ports,
                                                   const HttpLimits& limits = {});
  ~Api();  // stop()

  // As configured, with the ports that the kernel chose.
  std::vector<base::SocketAddress> listening() const;

  // A reload, on the control thread, before the topology changes there. The tokens change for every
  // request that is not yet done; another listen or socket needs a restart, and then nothing
  // changes.
  base::Checked<base::Done> use(const config::Api& api);

  // Clients that could not be accepted. Any thread.
  const AcceptCounts& accept_counts() const noexcept;

  // Memory is short, or is enough again. While it is: readers over the network are answered what is
  // small, one request a connection; their streams and large pages are refused, and of them few are
  // taken at a time. Agents, and whoever comes by the unix socket, notice nothing. Any thread.
  void shed(bool on);

  // Calls `answer` on the api thread, when that comes round to it.
  void ask(std::function<void()> answer);

  // For a clean stop: takes no new connections (close the sockets first, or clients wait in them),
  // and ends each after the response that it waits for.
  // `quiet` is called on the api thread when none is left; the control thread must go on until
  // then.
  void quiesce(std::function<void()> quiet);

  // Ends everything at once and joins the thread. What the authority still replies is dropped.
  void stop();

 private:
  class Impl;
  explicit Api(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::health
