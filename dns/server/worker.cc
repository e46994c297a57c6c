#include "dns/server/worker.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <string>
#include <utility>

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns/server/confinement.h"
#include "dns/server/poll.h"

namespace sluice::dns {
namespace {

// Four full batches take less than half a millisecond; then TCP, a wake-up and the other addresses
// have their turn.
constexpr int kBatchesATurn = 4;
// When stopping: a 4 MiB receive buffer holds some 85 batches of small queries. A flood that goes
// on must not keep us.
constexpr int kLastBatches = 128;

// Each timeout is noticed a quarter of it late at most, and no idle worker wakes more than once a
// second.
std::uint64_t tick_of(const TcpLimits& limits) {
  const base::Duration shortest = std::min({limits.idle, limits.message, limits.unread});
  const auto quarter = static_cast<std::uint64_t>(shortest.count() / 4);
  return std::clamp<std::uint64_t>(quarter, 1, 1'000);
}

// Signals are the control thread's.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

base::Unexpected<base::Error> uv_failure(const char* what, int error) {
  return base::failure(std::string(what) + ": " + uv_strerror(error));
}

}  // namespace

Loop::~Loop() {
  if (!initialised_) return;
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

base::Checked<base::Done> Loop::init() {
  if (const int error = uv_loop_init(&loop_); error != 0) {
    return uv_failure("starting a worker's loop", error);
  }
  initialised_ = true;
  return base::Done{};
}

Worker::Worker(const WorkerSettings& settings, const base::SnapshotCell<ServingSnapshot>& cell,
               std::function<void()> on_progress)
    : settings_(settings),
      responder_(cell,
                 {.max_udp_payload = settings.max_udp_payload,
                  .worker = settings.number,
                  .tcp_idle = settings.tcp.idle,
                  .limiter_key = random_sip_key()},
                 std::move(on_progress)),
      clients_(loop_.get(), responder_, settings.tcp) {}

Worker::~Worker() {
  stop();
}

base::Checked<base::Done> Worker::init() {
  if (auto made = loop_.init(); !made) return made;
  auto* wake = new uv_async_t;
  if (const int error = uv_async_init(loop_.get(), wake, on_wake); error != 0) {
    delete wake;
    return uv_failure("starting a worker", error);
  }
  wake->data = this;
  wake_.reset(wake);
  std::uint64_t seed = 0;
  if (getentropy(&seed, sizeof seed) != 0) {
    return uv_failure("asking the kernel for a random number", -errno);
  }
  responder_.set_seed(seed);
  auto* tick = new uv_timer_t;
  uv_timer_init(loop_.get(), tick);  // can't fail
  tick->data = this;
  tick_.reset(tick);
  const std::uint64_t interval = tick_of(settings_.tcp);
  uv_timer_start(tick, on_tick, interval, interval);  // can't fail: there is a callback
  return base::Done{};
}

base::Checked<base::Done> Worker::add(UdpSocket socket) {
  UdpPort& port = udp_.emplace_back(UdpPort{this, std::move(socket), nullptr});
  auto poll = poll_readable(loop_.get(), port.socket.fd(), &port, on_datagrams);
  if (!poll) return base::Unexpected{poll.error()};
  port.poll = *std::move(poll);
  return base::Done{};
}

base::Checked<base::Done> Worker::add_listener(base::FileDescriptor fd) {
  return listeners_.emplace_back(std::move(fd), clients_, responder_.counters())
      .listen(loop_.get());
}

base::Checked<base::Done> Worker::start() {
  const SignalsBlocked blocked;
  std::promise<base::Checked<base::Done>> confined;
  auto result = confined.get_future();
  thread_ =
      std::thread([this, confined = std::move(confined)]() mutable { run(std::move(confined)); });
  return result.get();
}

void Worker::wake() noexcept {
  uv_async_send(wake_.get());
}

void Worker::shed(bool on) noexcept {
  shed_.store(on, std::memory_order_release);
  wake();
}

void Worker::resume(std::vector<SuspendedSession> sessions) {
  {
    const std::lock_guard lock(mutex_);
    std::ranges::move(sessions, std::back_inserter(resumed_));
  }
  wake();
}

void Worker::give(Order order) noexcept {
  order_.store(order, std::memory_order_release);
  wake();
}

void Worker::begin_stop() noexcept {
  give(Order::Stop);
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  begin_stop();
  thread_.join();
}

void Worker::begin_suspend() noexcept {
  give(Order::Suspend);
}

std::vector<SuspendedSession> Worker::suspend() {
  if (!thread_.joinable()) return {};
  begin_suspend();
  thread_.join();
  return std::move(suspended_);
}

Counters Worker::counters() const noexcept {
  Counters counters = responder_.counters().read();
  for (const UdpPort& port : udp_) counters.udp_overflow += port.socket.overflow();
  return counters;
}

void Worker::run(std::promise<base::Checked<base::Done>> confined) {
  pthread_setname_np(pthread_self(), ("dns-" + std::to_string(settings_.number)).c_str());
  confined.set_value(confine_worker());
  uv_run(loop_.get(), UV_RUN_DEFAULT);
}

void Worker::on_datagrams(uv_poll_t* handle, int status, int /*events*/) {
  UdpPort& port = *static_cast<UdpPort*>(handle->data);
  Worker& self = *port.worker;
  if (status < 0) {
    // An error waits on the socket, and libuv stopped polling. Reading the error clears it.
    self.responder_.counters().receive_errors.add();
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(port.socket.fd(), SOL_SOCKET, SO_ERROR, &error, &length);
    uv_poll_start(handle, UV_READABLE, on_datagrams);
    return;
  }
  for (int batch = 0; batch < kBatchesATurn; ++batch) {
    if (port.socket.serve(self.batch_, self.responder_) < UdpBatch::kMessages) return;
  }
}

void Worker::on_wake(uv_async_t* handle) {
  Worker& self = *static_cast<Worker*>(handle->data);
  self.responder_.refresh();
  self.wakings_.store(self.wakings() + 1, std::memory_order_release);
  self.shed_now();
  self.resume_waiting();
  const Order order = self.order_.load(std::memory_order_acquire);
  if (order == Order::Serve) return;
  self.finish(order);
  uv_stop(self.loop_.get());
}

void Worker::resume_waiting() {
  std::vector<SuspendedSession> sessions;
  {
    const std::lock_guard lock(mutex_);
    sessions.swap(resumed_);
  }
  for (SuspendedSession& session : sessions) clients_.resume(std::move(session));
}

void Worker::on_tick(uv_timer_t* handle) {
  Worker& self = *static_cast<Worker*>(handle->data);
  self.clients_.expire();
  self.shed_now();
  for (TcpListener& listener : self.listeners_) listener.resume();
}

void Worker::shed_now() {
  const bool on = shed_.load(std::memory_order_acquire);
  if (on != shedding_) {
    shedding_ = on;
    for (TcpListener& listener : listeners_) listener.hold(on);
  }
  // Those that were in the middle of something have it by now.
  if (on) clients_.end_idle();
}

void Worker::finish(Order order) {
  for (TcpListener& listener : listeners_) listener.accept_waiting();
  listeners_.clear();
  for (UdpPort& port : udp_) {
    for (int batch = 0; batch < kLastBatches; ++batch) {
      if (port.socket.serve(batch_, responder_) == 0) break;
    }
  }
  if (order == Order::Stop) return clients_.finish();
  suspended_ = clients_.suspend();
}

}  // namespace sluice::dns
