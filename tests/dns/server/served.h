#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dns/server/listen_sockets.h"
#include "dns/server/server.h"
#include "tests/dns/server/pool.h"

namespace sluice::dns::test {

using base::SocketAddress;

// A server that answers for a pool. It publishes as the control thread does: wakes the workers, and
// waits until all have marked.
class Served {
 public:
  explicit Served(Pool& pool, std::vector<SocketAddress> listen = {loopback()},
                  unsigned workers = 2, TcpLimits limits = {})
      : pool_(pool) {
    config::Dns settings;
    settings.listen = std::move(listen);
    settings.workers = workers;
    sockets_ = *open_listen_sockets(settings.listen, workers);
    auto server = Server::start(
        settings, sockets_, pool.cell(),
        [this] {
          const std::lock_guard lock(mutex_);
          changed_.notify_all();
        },
        limits);
    if (server) server_ = *std::move(server);
    EXPECT_TRUE(server_);
  }
  ~Served() {
    if (server_) server_->stop();
  }

  const std::vector<ListenSockets>& sockets() const { return sockets_; }

  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  SocketAddress address() const { return server_->listening().front(); }

  // Returns when no answer of an older publication is sent any more.
  void show(unsigned member) {
    const std::uint64_t publication = pool_.show(member);
    server_->wake();
    std::unique_lock lock(mutex_);
    const bool served = changed_.wait_for(lock, std::chrono::seconds(10),
                                          [&] { return server_->served() >= publication; });
    ASSERT_TRUE(served) << "some worker does not answer by it";
    lock.unlock();
    pool_.publisher().served(publication);
  }

  // Ends when `reached` is true of the counters.
  template <class Condition>
  ::testing::AssertionResult wait_until(Condition reached) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!reached(server_->counters())) {
      if (std::chrono::steady_clock::now() > patience) {
        return ::testing::AssertionFailure() << "not within ten seconds";
      }
      std::this_thread::yield();
    }
    return ::testing::AssertionSuccess();
  }

 private:
  Pool& pool_;
  std::vector<ListenSockets> sockets_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<Server> server_;
};

inline bool has_ipv6() {
  return open_listen_sockets({*SocketAddress::parse("::1@0")}, 1).has_value();
}

}  // namespace sluice::dns::test
