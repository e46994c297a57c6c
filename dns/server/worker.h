#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include <uv.h>

#include "config/base/error.h"
#include "config/base/snapshot.h"
#include "config/base/uv_handle.h"
#include "dns/server/responder.h"
#include "dns/server/tcp_clients.h"
#include "dns/server/tcp_listener.h"
#include "dns/server/udp_socket.h"

namespace sluice::dns {

// A libuv loop that lets closed handles run out before it goes. Declared before the handles.
class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  base::Checked<base::Done> init();
  uv_loop_t* get() noexcept { return &loop_; }

 private:
  uv_loop_t loop_{};
  bool initialised_ = false;
};

// What a worker is made with.
struct WorkerSettings {
  unsigned number = 0;  // its thread is "dns-NUMBER"
  std::uint16_t max_udp_payload = 1232;
  TcpLimits tcp;
};

// One thread that answers on sockets of its own, and shares nothing with the other workers but the
// published snapshot. Made, destroyed, woken and stopped by other threads.
class Worker {
 public:
  Worker(const WorkerSettings& settings, const base::SnapshotCell<ServingSnapshot>& cell,
         std::function<void()> on_progress);
  ~Worker();  // as stop()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Before start().
  base::Checked<base::Done> init();
  base::Checked<base::Done> add(UdpSocket socket);
  base::Checked<base::Done> add_listener(base::FileDescriptor fd);

  void start();
  // Takes the newest snapshot, though no query comes. Any thread.
  void wake() noexcept;
  // Asks the thread to answer what has been received and to end; stop() waits until it has.
  void begin_stop() noexcept;
  void stop();

  std::uint64_t publication() const noexcept { return responder_.publication(); }  // any thread
  // How often the thread came round to a wake(). Any thread.
  std::uint64_t wakings() const noexcept { return wakings_.load(std::memory_order_acquire); }
  Counters counters() const noexcept;  // any thread

 private:
  struct UdpPort {
    Worker* worker;
    UdpSocket socket;
    base::UvHandle<uv_poll_t> poll;  // after the socket: closed before it
  };

  static void on_datagrams(uv_poll_t* handle, int status, int events);
  static void on_wake(uv_async_t* handle);
  static void on_tick(uv_timer_t* handle);
  void run();
  void finish();

  WorkerSettings settings_;
  Loop loop_;
  Responder responder_;
  UdpBatch batch_;
  TcpClients clients_;
  std::list<TcpListener> listeners_;
  std::list<UdpPort> udp_;
  base::UvHandle<uv_async_t> wake_;
  base::UvHandle<uv_timer_t> tick_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> wakings_{0};  // written by the thread alone
  std::thread thread_;
};

}  // namespace sluice::dns
