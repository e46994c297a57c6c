// A new process takes this one's place without a query lost (README.md, "Life of an upgrade"), as
// the one that runs sees it. Until the new one's last word everything can be taken back, and is,
// whatever goes wrong.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <utility>

#include <unistd.h>

#include "tools/sluiced/daemon.h"
#include "tools/sluiced/log.h"

namespace sluice {
namespace {

// To read and check the configuration: a million address records take a second, on a busy machine
// some.
constexpr base::Duration kToPrepare = std::chrono::seconds(60);
// To open the store and make the first generation; answers go on meanwhile, but the API waits.
constexpr base::Duration kToStart = std::chrono::seconds(30);
// To say that it is all its own.
constexpr base::Duration kToTake = std::chrono::seconds(5);
// Responses under way, as at a stop.
constexpr std::uint64_t kQuietMs = 3'000;
constexpr std::uint64_t kReopenMs = 1'000;

}  // namespace

void Daemon::upgrade() {
  if (stopping_) return;
  if (upgrade_ != Upgrade::None) {
    log::warning("SIGUSR2: another process is taking over already");
    return;
  }
  if (reloading_) {
    upgrade_waits_ = true;
    return;
  }
  if (getpid() == 1) {
    // Its end is the container's, and that of whoever had taken over.
    log::error("SIGUSR2: process 1 can't be replaced; start the container anew");
    return;
  }
  Successor::Calls calls;
  calls.said = [this](const HandoverMessage& message) { hear(message); };
  calls.ended = [this](const std::string& why) { mailbox_->post([this, why] { take_back(why); }); };
  auto successor = Successor::start(&loop_, program_, std::move(calls));
  if (!successor) {
    note_failure("no other process could be started: " + successor.error().message);
    return end_upgrade();
  }
  successor_ = *std::move(successor);
  upgrade_ = Upgrade::Preparing;
  sentry_->stayed({});
  log::info("started process " + std::to_string(successor_->pid()) + " (" + program_.path +
            "), which is to take over");
  successor_->expect(kToPrepare, "read its configuration");
  successor_->tell(handover::offer(listening_));
}

void Daemon::hear(const HandoverMessage& message) {
  const std::string_view type = message.type();
  if (type == handover::kFailed) {
    successor_->give_up(handover::why(message));
  } else if (type == handover::kPrepared && upgrade_ == Upgrade::Preparing) {
    if (const auto pid = handover::pid(message)) successor_->is(*pid);
    quiesce_api();
  } else if (type == handover::kServing && upgrade_ == Upgrade::Starting) {
    fall_silent();
  } else if (type == handover::kTaken && upgrade_ == Upgrade::Silent) {
    leave(message);
  }
}

// Whoever waits for a reply gets it; whoever comes waits in the sockets, for the new process or for
// this one again.
void Daemon::quiesce_api() {
  upgrade_ = Upgrade::Quiescing;
  successor_->expect(kToStart, "start");
  patience_ = make_timer(loop_, this);
  uv_timer_start(
      patience_.get(),
      [](uv_timer_t* timer) { static_cast<Daemon*>(timer->data)->hand_over_store(); }, kQuietMs, 0);
  api_->quiesce([this] { mailbox_->post([this] { hand_over_store(); }); });
}

// From here on nothing is decided here: no heartbeat comes, no time passes for leases, nobody
// orders anything. The DNS workers answer by what was decided last.
void Daemon::hand_over_store() {
  if (!patience_) return;  // the API was quiet after its patience was over
  patience_.reset();
  api_.reset();
  if (stopping_) return uv_stop(&loop_);
  if (upgrade_ != Upgrade::Quiescing) return resume_api();  // it failed meanwhile
  upgrade_ = Upgrade::Starting;
  uv_timer_stop(timer_.get());
  events_->stop_pruning();
  store_.vacate();
  cluster_.reset();
  successor_->expect(kToStart, "start");
  successor_->tell({{handover::state(cookie_secret_), {}}});
}

// The new process answers from the same sockets: what these workers leave, it finds there.
void Daemon::fall_silent() {
  upgrade_ = Upgrade::Silent;
  sessions_ = server_->suspend();
  server_.reset();
  if (!successor_->tell(handover::sessions(sessions_))) return;
  if (!successor_->tell({{handover::word(handover::kSilent), {}}})) return;
  // It goes on with them from now on, whatever becomes of it.
  sessions_.clear();
  successor_->expect(kToTake, "take over");
}

void Daemon::leave(const HandoverMessage& message) {
  upgrade_ = Upgrade::TakenOver;
  store_.forget();
  uv_stop(&loop_);
  if (!successor_->lives()) {
    // It may have acknowledged what is not known here.
    start_anew_ = !stopping_;
    if (start_anew_) log::error("the process that had taken over ended: start anew");
    return;
  }
  auto& socket = listening_.api.unix_socket;
  if (socket && handover::keeps_file(message, socket->path())) socket->leave_file();
  successor_->stand_alone();
  if (auto heard = sentry_->left_to(successor_->pid()); !heard) {
    // To the supervisor this process's end is the service's: of one that failed it makes another.
    start_anew_ = !stopping_;
    log::error("process " + std::to_string(successor_->pid()) +
               " has taken over, and the supervisor can't be told (" + heard.error().message +
               "): start anew");
    return;
  }
  if (reload_for_successor_) ::kill(successor_->pid(), SIGHUP);
  log::info("process " + std::to_string(successor_->pid()) + " has taken over: this one ends");
  successor_->release();
}

// It is dead, and this one goes on.
void Daemon::take_back(const std::string& why) {
  const int pid = successor_->pid();
  successor_.reset();
  if (upgrade_ == Upgrade::TakenOver) return;
  if (!stopping_) {
    note_failure("process " + std::to_string(pid) + " did not take over, this one goes on: " + why);
  }
  const Upgrade at = std::exchange(upgrade_, Upgrade::TakingBack);
  if (at == Upgrade::Preparing) return end_upgrade();
  if (at == Upgrade::Quiescing) return;  // hand_over_store() is still to come
  if (!server_ && !stopping_) {
    if (auto dns = start_dns(); !dns) return start_anew(dns.error());
    server_->resume(std::exchange(sessions_, {}));
  }
  take_back_store();
}

// The DNS workers answer on by what was decided last, until the store is back.
void Daemon::take_back_store() {
  if (blueprint_.config.store.etcd) return stopping_ ? uv_stop(&loop_) : rejoin_cluster();
  health::StoredState stored;
  auto store = open(blueprint_.config.store.directory, stored);
  if (store) {
    reopening_.reset();
    if (!stopping_) store_.forget();  // what waits is decided anew
    store_.take(*std::move(store));
    return answer_again(std::move(stored));
  }
  if (stopping_) return uv_stop(&loop_);
  if (reopening_) return;  // said
  log::error(
      "the store can't be opened again; answering by what is known, and trying each second: " +
      base::to_string(store.error()));
  reopening_ = make_timer(loop_, this);
  uv_timer_start(
      reopening_.get(),
      [](uv_timer_t* timer) { static_cast<Daemon*>(timer->data)->take_back_store(); }, kReopenMs,
      kReopenMs);
}

// As after a restart, by what is on disk: the new process may have used generations, and done what
// was due. Agents tell the rest with their next heartbeats.
void Daemon::answer_again(health::StoredState stored) {
  if (stopping_) return uv_stop(&loop_);
  auto later = std::make_shared<health::StoredState>(std::move(stored));
  const std::uint64_t used = later->generation + health::Authority::kGenerationBlock;
  store_.commit({health::ReserveGenerations{used}}, health::Store::Urgency::First,
                [this, later](const health::Store::Stored& reserved) {
                  if (!reserved) {
                    log::error("the store failed (" + reserved.error() +
                               "): answering all the same; serials may repeat after a crash");
                  }
                  publisher_->prepare(blueprint_.zones, dns::make_response_settings(
                                                            blueprint_.config.dns, cookie_secret_));
                  make_authority(std::move(*later));
                  replaced_ = true;
                  events_->start_pruning();
                  resume_api();
                });
}

void Daemon::resume_api() {
  if (auto api = start_api(); !api) return start_anew(api.error());
  end_upgrade();
}

// Whoever supervises the process does it.
void Daemon::start_anew(const Errors& why) {
  log::error("can't go on: " + base::to_string(why));
  start_anew_ = true;
  uv_stop(&loop_);
}

void Daemon::end_upgrade() {
  upgrade_ = Upgrade::None;
  if (!failure_.empty()) tell_upgrade(std::exchange(failure_, {}));
  tick();
  if (std::exchange(reload_for_successor_, false)) reload({"SIGHUP", ""}, [](const Errors&) {});
}

// Said at once: until the store is back, for the audit, may take long.
void Daemon::note_failure(std::string text) {
  log::error(text);
  failed_take_overs_.fetch_add(1, std::memory_order_relaxed);
  sentry_->stayed(text);
  failure_ = std::move(text);
}

void Daemon::tell_upgrade(const std::string& text) {
  health::Event event;
  event.type = health::EventType::Reload;
  event.origin = "SIGUSR2";
  event.text = text;
  events_->record(std::move(event));
}

}  // namespace sluice
