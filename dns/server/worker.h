#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <uv.h>

#include "config/base/error.h"
#include "config/base/snapshot.h"
#include "config/base/uv_handle.h"
#include "dns/server/responder.h"
#include "dns/server/suspended_session.h"
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

  // Returns once the thread runs; an error says why it does so without confinement.h.
  base::Checked<base::Done> start();
  // Takes the newest snapshot, though no query comes. Any thread.
  void wake() noexcept;
  // Memory is short: from now on no TCP client is taken and those that wait for nothing are ended;
  // or no more. UDP goes on either way. Any thread.
  void shed(bool on) noexcept;
  // Goes on with sessions of another worker. Any thread, also before start().
  void resume(std::vector<SuspendedSession> sessions);
  // Asks the thread to answer what has been received and to end; stop() waits until it has.
  void begin_stop() noexcept;
  void stop();
  // The same, but TCP sessions are not answered and ended: suspend() returns them.
  void begin_suspend() noexcept;
  std::vector<SuspendedSession> suspend();

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
  // What the thread is asked for.
  enum class Order : std::uint8_t { Serve, Stop, Suspend };

  void run(std::promise<base::Checked<base::Done>> confined);
  void shed_now();
  void resume_waiting();
  void finish(Order order);
  void give(Order order) noexcept;

  WorkerSettings settings_;
  Loop loop_;
  Responder responder_;
  UdpBatch batch_;
  TcpClients clients_;
  std::list<TcpListener> listeners_;
  std::list<UdpPort> udp_;
  base::UvHandle<uv_async_t> wake_;
  base::UvHandle<uv_timer_t> tick_;
  std::atomic<Order> order_{Order::Serve};
  std::atomic<bool> shed_{false};          // as it was asked for
  bool shedding_ = false;                  // the thread's
  std::atomic<std::uint64_t> wakings_{0};  // written by the thread alone
  std::mutex mutex_;
  std::vector<SuspendedSession> resumed_;    // guarded by mutex_
  std::vector<SuspendedSession> suspended_;  // the thread's, then whoever joined it
  std::thread thread_;
};

}  // namespace sluice::dns
