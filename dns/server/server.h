#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/address.h"
#include "config/base/error.h"
#include "config/base/snapshot.h"
#include "config/model.h"
#include "dns/answer/serving.h"
#include "dns/server/counters.h"
#include "dns/server/listen_sockets.h"
#include "dns/server/suspended_session.h"
#include "dns/server/tcp_clients.h"

namespace sluice::dns {

class Worker;

// The responder: answers over UDP and TCP on every listen address by the snapshot that `cell`
// holds, in threads of its own.
class Server {
 public:
  // The threads that start() makes.
  static unsigned workers(const config::Dns& settings);
  unsigned workers() const noexcept { return static_cast<unsigned>(workers_.size()); }

  // Starts the workers on `sockets` (listen_sockets.h), spread over them in turn, by descriptors of
  // their own: the given ones stay the caller's. On an error nothing runs. `cell` must outlive the
  // server. `on_progress` is called on a worker's thread whenever that worker answers by another
  // publication than before; read served() then (post to a loop of your own: it must not block).
  // `limits`: in the place of the settings' own.
  static base::Checked<std::unique_ptr<Server>> start(
      const config::Dns& settings, const std::vector<ListenSockets>& sockets,
      const base::SnapshotCell<ServingSnapshot>& cell, const std::function<void()>& on_progress,
      std::optional<TcpLimits> limits = {});
  ~Server();  // as stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // In the order of the configuration, with the real ports.
  const std::vector<base::SocketAddress>& listening() const noexcept { return listening_; }

  // The lowest publication that every worker answers by: no answer of an older one is sent any
  // more, over any transport (semantics.md section 5). Any thread.
  std::uint64_t served() const noexcept;

  // To be called after each publication: idle workers take it at once. Any thread.
  void wake() noexcept;

  // Memory is short: no TCP clients but those that are being answered, or no more. Any thread.
  void shed(bool on) noexcept;

  // One of the workers by its number. After a wake() its wakings grow, once its thread has come
  // round to it: a worker that hangs shows that way, and those that answer pay nothing. Any thread.
  void wake(unsigned worker) noexcept;
  std::uint64_t wakings(unsigned worker) const noexcept;

  // Of all workers together. Any thread.
  Counters counters() const noexcept;

  // Why workers run unconfined (confinement.h); empty: they don't.
  const std::string& unconfined() const noexcept { return unconfined_; }

  // How many TCP clients all workers together take at most.
  std::size_t most_tcp_clients() const noexcept { return most_tcp_clients_; }

  // Goes on with TCP sessions of a server that was suspended, here or in another process.
  void resume(std::vector<SuspendedSession> sessions);

  // As stop(), but the TCP sessions stay open, as they are, for whoever goes on with them. Who
  // serves the same sockets already gets what comes meanwhile.
  std::vector<SuspendedSession> suspend();

  // Answers what has been received, then ends the threads. It takes milliseconds; counters() and
  // served() stay. The thread that destroys.
  void stop();

 private:
  Server();

  std::vector<base::SocketAddress> listening_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t most_tcp_clients_ = 0;
  std::string unconfined_;
};

}  // namespace sluice::dns
