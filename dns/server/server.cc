#include "dns/server/server.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include <sys/resource.h>
#include <uv.h>

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

base::Checked<base::FileDescriptor> own(const base::FileDescriptor& shared) {
  base::FileDescriptor fd = shared.duplicate();
  if (!fd.is_open()) {
    return base::failure("a worker's socket: " + std::generic_category().message(errno));
  }
  return fd;
}

// Every `count`th of an address's sockets, from the worker's own number on.
base::Checked<base::Done> give_share(Worker& worker, unsigned number, unsigned count,
                                     const ListenSockets& listen) {
  const bool wildcard = listen.address.address.is_unspecified();
  for (std::size_t i = number; i < listen.udp.size(); i += count) {
    auto fd = own(listen.udp[i]);
    if (!fd) return base::Unexpected{fd.error()};
    auto udp = worker.add(UdpSocket(*std::move(fd), wildcard));
    if (!udp) return base::Unexpected{udp.error()};
  }
  for (std::size_t i = number; i < listen.tcp.size(); i += count) {
    auto fd = own(listen.tcp[i]);
    if (!fd) return base::Unexpected{fd.error()};
    auto tcp = worker.add_listener(*std::move(fd));
    if (!tcp) return base::Unexpected{tcp.error()};
  }
  return base::Done{};
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
    const config::Dns& settings, const std::vector<ListenSockets>& sockets,
    const base::SnapshotCell<ServingSnapshot>& cell, const std::function<void()>& on_progress,
    std::optional<TcpLimits> limits) {
  const unsigned count = workers(settings);
  if (!limits) limits = limits_of(settings.tcp, count);
  if (limits->clients == 0) limits->clients = clients_a_worker(count);

  std::unique_ptr<Server> server(new Server);
  server->most_tcp_clients_ = limits->clients * count;
  for (unsigned number = 0; number < count; ++number) {
    auto& worker = server->workers_.emplace_back(std::make_unique<Worker>(
        WorkerSettings{number, settings.max_udp_payload, *limits}, cell, on_progress));
    if (auto made = worker->init(); !made) return base::Unexpected{made.error()};
    for (const ListenSockets& listen : sockets) {
      if (auto given = give_share(*worker, number, count, listen); !given) {
        return base::Unexpected{given.error()};
      }
    }
  }
  for (const ListenSockets& listen : sockets) server->listening_.push_back(listen.address);
  for (const auto& worker : server->workers_) {
    if (auto confined = worker->start(); !confined) server->unconfined_ = confined.error().message;
  }
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

void Server::shed(bool on) noexcept {
  for (const auto& worker : workers_) worker->shed(on);
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

void Server::resume(std::vector<SuspendedSession> sessions) {
  std::vector<std::vector<SuspendedSession>> shares(workers_.size());
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    shares[i % shares.size()].push_back(std::move(sessions[i]));
  }
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (!shares[i].empty()) workers_[i]->resume(std::move(shares[i]));
  }
}

std::vector<SuspendedSession> Server::suspend() {
  for (const auto& worker : workers_) worker->begin_suspend();
  std::vector<SuspendedSession> sessions;
  for (const auto& worker : workers_) {
    std::ranges::move(worker->suspend(), std::back_inserter(sessions));
  }
  return sessions;
}

void Server::stop() {
  for (const auto& worker : workers_) worker->begin_stop();
  for (const auto& worker : workers_) worker->stop();
}

}  // namespace sluice::dns
