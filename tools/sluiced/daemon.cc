#include "tools/sluiced/daemon.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <malloc.h>

#include "tools/sluiced/counted.h"
#include "tools/sluiced/log.h"
#include "tools/sluiced/open_files.h"
#include "tools/supervisor/supervisor.h"

namespace sluice {

Daemon::Daemon(OwnProgram program)
    : open_files_(raise_open_files()),
      cookie_secret_(dns::random_sip_key()),
      program_(std::move(program)) {
  const int status = uv_loop_init(&loop_);
  assert(status == 0);
  static_cast<void>(status);
  mailbox_ = std::make_unique<base::Mailbox>(&loop_);
  EventDesk::Ports ports;
  ports.settings = [this]() -> const config::Store& { return blueprint_.config.store; };
  ports.generation = [this] { return authority_->generation(); };
  events_ = std::make_unique<EventDesk>(&loop_, clock_, store_, std::move(ports));
  sentry_ = std::make_unique<Sentry>(&loop_, clock_, Supervisor::from_environment(),
                                     [this] { return served(); });
}

base::UvHandle<uv_timer_t> Daemon::make_timer(uv_loop_t& loop, void* owner) {
  auto timer = std::make_unique<uv_timer_t>();
  uv_timer_init(&loop, timer.get());
  timer->data = owner;
  return base::UvHandle<uv_timer_t>(timer.release());
}

void Daemon::on_progress() {
  if (!server_) return;  // its last word, after it was stopped
  const std::uint64_t served = server_->served();
  publisher_->served(served);
  if (cluster_) {
    cluster_->member().served(served);
  } else if (!blueprint_.config.store.etcd) {
    authority_->on_served(served);
  }
  // What was published may bring a deadline that is nearer than the timer's: a slow start's steps.
  arm_timer();
  if (!replaced_ || publisher_->retired() > 0) return;
  replaced_ = false;
  malloc_trim(0);  // the configuration before, of which nothing is left
}

void Daemon::tick() {
  if (cluster_) cluster_->member().tick();
  authority_->tick();
  events_->catch_up();
  arm_timer();
}

void Daemon::arm_timer() {
  if (!decides()) return;
  auto next = authority_->next_deadline();
  assert(next);  // never further than a heartbeat away
  if (cluster_) next = std::min(*next, cluster_->member().next_deadline().value_or(*next));
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - clock_.now().mono);
  uv_update_time(&loop_);
  uv_timer_start(
      timer_.get(), [](uv_timer_t* timer) { static_cast<Daemon*>(timer->data)->tick(); },
      static_cast<std::uint64_t>(std::max<std::int64_t>(wait.count(), 1)), 0);
}

std::string Daemon::served() const {
  const health::Topology& topology = *blueprint_.topology;
  return "serving generation " + std::to_string(authority_->generation()) + ", " +
         counted(blueprint_.config.zones.size(), "zone") + ", " +
         counted(topology.pools().size(), "pool") + ", " +
         counted(topology.servers().size(), "server");
}

bool Daemon::run() {
  sentry_->start([] { log::info("ready"); });
  malloc_trim(0);  // what reading a large configuration took
  uv_run(&loop_, UV_RUN_DEFAULT);
  return !start_anew_;
}

// What was asked is answered first: the API ends each connection after the response that it waits
// for, the DNS workers answer what they have received (~Daemon).
void Daemon::stop() {
  if (stopping_) return;
  stopping_ = true;
  log::info("stopping");
  sentry_->stopping();
  if (successor_) {
    successor_->kill("the service stops");
    // Once it is dead and the store is back: it flushes.
    if (upgrade_ != Upgrade::Preparing) return;
  }
  finish();
}

void Daemon::finish() {
  listening_.api = {};  // whoever comes now is refused at once
  if (api_) {
    api_->quiesce([this] { mailbox_->post([this] { take_leave(); }); });
  } else {
    take_leave();
  }
  // Neither a client that does not read its response nor an etcd that is gone keeps the daemon:
  // three seconds are many round trips, and less than any supervisor's patience.
  patience_ = make_timer(loop_, this);
  uv_timer_start(
      patience_.get(), [](uv_timer_t* timer) { uv_stop(timer->loop); }, 3'000, 0);
}

// The other responders are to know it at once, not when its lease is over.
void Daemon::take_leave() {
  if (!cluster_) return uv_stop(&loop_);
  cluster_->member().leave([this] { uv_stop(&loop_); });
}

// First those who bring work, then those who do it; the store goes last and flushes.
Daemon::~Daemon() {
  listening_ = {};
  if (api_) api_->stop();
  if (server_) server_->stop();
  api_.reset();
  server_.reset();
  resources_.reset();
  successor_.reset();
  authority_.reset();
  store_.vacate();
  cluster_.reset();
  publisher_.reset();
  signals_.clear();
  timer_.reset();
  events_.reset();
  patience_.reset();
  reopening_.reset();
  sentry_.reset();
  mailbox_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);  // the close callbacks, and a reload that is still reading
  uv_loop_close(&loop_);
}

}  // namespace sluice
