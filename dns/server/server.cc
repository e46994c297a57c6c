#include "dns/server/server.h"

#include <algorithm>
#include <utility>

#include <sys/resource.h>
#include <uv.h>

#include "dns/server/listen_sockets.h"
#include "dns/server/worker.h"

namespace sluice::dns {
namespace {

// Half of the files that the process may open, shared by the workers: DNS clients must not take
// those of the API. More than 1,024 a worker would only shelter idle clients.
std::size_t clients_a_worker(std::size_t workers) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) files.rlim_cur = 1'024;
  const std::size_t share = static_cast<std::size_t>(files.rlim_cur) / 2 / workers;
  return std::clamp<std::size_t>(share, 16, 1'024);
}

// Of one worker of `count`.
TcpLimits limits_of(const config::Tcp& settings, unsigned count) {
  TcpLimits limits;
  limits.idle = settings.idle;
  limits.message = settings.message;
  if (settings.connections > 0) {
    limits.clients = std::max<std::size_t>(settings.connections / count, 1);
  }
  return limits;
}

}  // namespace

Server::Server() = default;

Server::~Server() {
  stop();
}

unsigned Server::workers(const config::Dns& settings) {
  return settings.workers != 0 ? settings.workers : uv_available_parallelism();
}

base::Checked<std::unique_ptr<Server>> Server::start(
    const config::Dns& settings, const base::SnapshotCell<ServingSnapshot>& cell,
    std::function<void()> on_progress, std::optional<TcpLimits> limits) {
  const unsigned count = workers(settings);
  auto sockets = open_listen_sockets(settings.listen, count);
  if (!sockets) return base::Unexpected{sockets.error()};
  if (!limits) limits = limits_of(settings.tcp, count);
  if (limits->clients == 0) limits->clients = clients_a_worker(count);

  std::unique_ptr<Server> server(new Server);
  server->most_tcp_clients_ = limits->clients * count;
  for (unsigned number = 0; number < count; ++number) {
    auto& worker = server->workers_.emplace_back(std::make_unique<Worker>(
        WorkerSettings{number, settings.max_udp_payload, *limits}, cell, on_progress));
    if (auto made = worker->init(); !made) return base::Unexpected{made.error()};
    for (ListenSockets& listen : *sockets) {
      const bool wildcard = listen.address.address.is_unspecified();
      auto udp = worker->add(UdpSocket(std::move(listen.udp[number]), wildcard));
      if (!udp) return base::Unexpected{udp.error()};
      auto tcp = worker->add_listener(std::move(listen.tcp[number]));
      if (!tcp) return base::Unexpected{tcp.error()};
    }
  }
  for (ListenSockets& listen : *sockets) {
    server->listening_.push_back(listen.address);
    server->names_.push_back(std::move(listen.name));
  }
  for (const auto& worker : server->workers_) worker->start();
  return server;
}

std::uint64_t Server::served() const noexcept {
  std::uint64_t lowest = UINT64_MAX;
  for (const auto& worker : workers_) lowest = std::min(lowest, worker->publication());
  return lowest;
}

void Server::wake() noexcept {
  for (const auto& worker : workers_) worker->wake();
}

void Server::wake(unsigned worker) noexcept {
  workers_[worker]->wake();
}

std::uint64_t Server::wakings(unsigned worker) const noexcept {
  return workers_[worker]->wakings();
}

Counters Server::counters() const noexcept {
  Counters total;
  for (const auto& worker : workers_) total += worker->counters();
  return total;
}

void Server::stop() {
  for (const auto& worker : workers_) worker->begin_stop();
  for (const auto& worker : workers_) worker->stop();
}

}  // namespace sluice::dns
