#include "tools/sluiced/sentry.h"

#include <algorithm>
#include <utility>

#include "tools/sluiced/log.h"

namespace sluice {
namespace {

// Whether all have begun: that takes less than a millisecond on an idle machine.
constexpr std::uint64_t kBeginningMs = 1;
// Without a watchdog the status alone is kept current, for whoever types `systemctl status`.
constexpr std::uint64_t kStatusMs = 5'000;

// Four looks in the supervisor's time: a thread may take half of it for one piece of work, and one
// that hangs is found before twice of it has passed.
std::uint64_t interval_of(const Supervisor& supervisor) {
  if (!supervisor.watchdog()) return kStatusMs;
  const auto quarter = static_cast<std::uint64_t>(supervisor.watchdog()->count() / 4);
  return std::clamp<std::uint64_t>(quarter, 1, kStatusMs);
}

std::string names_of(const std::vector<Pulse::Silent>& silent) {
  std::string names;
  for (const Pulse::Silent& one : silent) {
    names += (names.empty() ? "" : ", ") + one.thread;
    if (one.waits_for_disk) names += " (waits for the disk)";
  }
  return names;
}

}  // namespace

Sentry::Sentry(uv_loop_t* loop, const base::Clock& clock, Supervisor supervisor,
               std::function<std::string()> status)
    : clock_(clock), supervisor_(std::move(supervisor)), what_is_served_(std::move(status)) {
  auto* timer = new uv_timer_t;
  uv_timer_init(loop, timer);  // can't fail
  timer->data = this;
  timer_.reset(timer);
}

void Sentry::start(std::function<void()> ready) {
  ready_ = std::move(ready);
  pulse_.ask();
  uv_timer_start(
      timer_.get(), [](uv_timer_t* handle) { static_cast<Sentry*>(handle->data)->look(); },
      kBeginningMs, kBeginningMs);
}

void Sentry::look() {
  std::vector<Pulse::Silent> silent = pulse_.silent();
  if (ready_) {
    if (!silent.empty()) return;
    return begin_watch();
  }
  const bool all_live = std::ranges::all_of(silent, &Pulse::Silent::waits_for_disk);
  note(std::move(silent));
  pulse_.ask();
  if (all_live) supervisor_.alive();
  if (stopping_) return;
  if (std::string now = status(); now != told_) {
    supervisor_.status(now);
    told_ = std::move(now);
  }
}

void Sentry::begin_watch() {
  std::exchange(ready_, nullptr)();
  if (!supervisor_.listens()) {
    uv_timer_stop(timer_.get());
    return;
  }
  told_ = status();
  supervisor_.ready(told_);
  const std::uint64_t interval = interval_of(supervisor_);
  uv_timer_start(timer_.get(), timer_->timer_cb, interval, interval);
}

void Sentry::note(std::vector<Pulse::Silent> silent) {
  if (silent == silent_) return;
  if (silent.empty()) {
    log::info("answers again: " + names_of(silent_));
  } else {
    log::error("no sign of life of: " + names_of(silent));
    if (silent_.empty()) silent_since_ = clock_.now().mono;
  }
  silent_ = std::move(silent);
}

void Sentry::reloading() {
  if (ready_) return;  // nothing was said yet that would have to be taken back
  supervisor_.reloading("reading the configuration anew; " + what_is_served_());
}

void Sentry::reloaded(const std::vector<base::Error>& errors) {
  refused_.clear();
  stayed_.clear();
  if (!errors.empty()) {
    refused_ = "the last reload was refused, the old configuration serves on: " +
               log::escaped(base::to_string(errors.front()));
    if (errors.size() > 1) refused_ += " and " + std::to_string(errors.size() - 1) + " more";
  }
  if (ready_) return;
  told_ = status();
  supervisor_.ready(told_);
}

void Sentry::stayed(const std::string& why) {
  stayed_ = log::escaped(why);
  if (ready_) return;
  told_ = status();
  supervisor_.status(told_);
}

void Sentry::stopping() {
  stopping_ = true;
  supervisor_.stopping("answering what was received");
}

base::Checked<base::Done> Sentry::left_to(int pid) {
  stopping_ = true;
  uv_timer_stop(timer_.get());
  return supervisor_.main_process(pid);
}

std::string Sentry::status() const {
  std::string text;
  if (!silent_.empty()) {
    const auto since = std::chrono::floor<std::chrono::seconds>(clock_.now().mono - silent_since_);
    text = "no sign of life for " + std::to_string(since.count()) + " s of: " + names_of(silent_) +
           "; ";
  }
  if (!refused_.empty()) text += refused_ + "; ";
  if (!stayed_.empty()) text += stayed_ + "; ";
  return text + what_is_served_();
}

}  // namespace sluice
