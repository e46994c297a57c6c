#include "tools/sluice-agent/systemd/shutdown_delay.h"

#include <cstdint>
#include <utility>

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include "config/base/duration.h"
#include "tools/sluice-agent/log.h"

namespace sluice::agent {
namespace {

constexpr const char* kLogind = "org.freedesktop.login1";
constexpr const char* kPath = "/org/freedesktop/login1";
constexpr const char* kLogindManager = "org.freedesktop.login1.Manager";

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

}  // namespace

ShutdownDelay::ShutdownDelay(uv_loop_t* loop, const config::Reboot& settings, World world)
    : settings_(settings),
      world_(std::move(world)),
      look_(loop, [this] { look(); }),
      limit_(loop,
             [this] { release("the time is over (" + base::to_text(settings_.at_most) + ")"); }),
      again_(loop, [this] { take_lock(); }),
      bus_(loop, {[this] { on_connected(); },
                  [this](const std::string& why) {
                    // A lock that we hold stays with its descriptor.
                    failure_ = "the system bus: " + why;
                    spdlog::warn("a shutdown cannot be heard of: {}", failure_);
                  }}) {}

void ShutdownDelay::start() {
  if (settings_.delay) bus_.start();
}

std::string ShutdownDelay::text() const {
  switch (state_) {
    case State::Off:
      if (!settings_.delay) return "";
      return "a shutdown does not wait: " +
             (failure_.empty() ? std::string("logind has not answered yet") : failure_);
    case State::Guarding:
      return "a shutdown waits for the verdict, " + base::to_text(settings_.at_most) + " at most" +
             (warning_.empty() ? "" : "; " + warning_);
    case State::Delaying:
      return "a shutdown waits: " + (against_.empty() ? "no verdict yet" : against_);
    case State::Released:
      break;
  }
  return "the host shuts down";
}

void ShutdownDelay::on_connected() {
  bus_.match(std::string("type='signal',sender='") + kLogind + "',interface='" + kLogindManager +
                 "',member='PrepareForShutdown',path='" + kPath + "'",
             [this](sd_bus_message*) { ask_whether_preparing(); });
  // logind keeps its locks over a restart of its own; where it does not, this is a new one.
  bus_.match(std::string("type='signal',sender='org.freedesktop.DBus',"
                         "member='NameOwnerChanged',arg0='") +
                 kLogind + "'",
             [this](sd_bus_message*) {
               ask_whether_preparing();
               take_lock();
             });
  ask_whether_preparing();
  take_lock();
}

void ShutdownDelay::ask(const char* property, std::function<void(sd_bus_message*)> on_value) {
  if (!bus_.connected()) return;
  bus_.call(
      {kLogind, kPath, "org.freedesktop.DBus.Properties", "Get"},
      [on_value = std::move(on_value)](const auto& reply) {
        if (reply) on_value(*reply);
      },
      "ss", kLogindManager, property);
}

void ShutdownDelay::ask_whether_preparing() {
  ask("PreparingForShutdown", [this](sd_bus_message* value) {
    int preparing = 0;
    if (sd_bus_message_read(value, "v", "b", &preparing) >= 0) on_preparing(preparing != 0);
  });
}

void ShutdownDelay::take_lock() {
  if (!bus_.connected() || shutting_down()) return;
  ask("InhibitDelayMaxUSec", [this](sd_bus_message* value) { on_limit(value); });
  bus_.call(
      {kLogind, kPath, kLogindManager, "Inhibit"}, [this](const auto& reply) { on_lock(reply); },
      "ssss", "shutdown", "sluice-agent", "sessions in progress end first", "delay");
}

// An older lock is let go when the new one is there; a shutdown that has begun meanwhile waits for
// the older one.
void ShutdownDelay::on_lock(const base::Checked<sd_bus_message*>& reply) {
  if (shutting_down()) return;
  int lock = -1;
  if (reply && sd_bus_message_read(*reply, "h", &lock) >= 0) {
    lock = fcntl(lock, F_DUPFD_CLOEXEC, 3);  // the message takes its own with it
  }
  if (lock < 0) {
    again_.start(kAskAgain);
    failure_ = "logind gives no lock: " +
               (reply ? std::string("its answer has none") : printable(reply.error().message));
    if (!lock_.is_open()) spdlog::warn("a shutdown will not wait for the verdict: {}", failure_);
    return;
  }
  lock_ = base::FileDescriptor(lock);
  if (state_ == State::Off) {
    spdlog::info("a shutdown waits for the verdict, {} at most", base::to_text(settings_.at_most));
  }
  state_ = State::Guarding;
  failure_.clear();
}

void ShutdownDelay::on_limit(sd_bus_message* value) {
  std::uint64_t microseconds = 0;
  if (sd_bus_message_read(value, "v", "t", &microseconds) < 0) return;
  const auto limit = std::chrono::microseconds(microseconds);
  warning_.clear();
  if (limit >= settings_.at_most) return;
  warning_ = "logind waits for " +
             base::to_text(std::chrono::duration_cast<base::Duration>(limit)) +
             " only (InhibitDelayMaxSec, logind.conf(5))";
  spdlog::warn("reboot.at_most is {}, but {}", base::to_text(settings_.at_most), warning_);
}

void ShutdownDelay::on_preparing(bool preparing) {
  if (preparing) {
    if (state_ != State::Guarding) return;
    spdlog::warn(
        "the host wants to shut down: its services are paused, and it waits until it is safe, {} "
        "at "
        "most",
        base::to_text(settings_.at_most));
    state_ = State::Delaying;
    against_.clear();
    world_.hold();
    limit_.start(settings_.at_most);
    look_.start(kLook, kLook);
    return;
  }
  if (shutting_down()) {
    spdlog::warn("the shutdown was called off");
    look_.stop();
    limit_.stop();
    state_ = lock_.is_open() ? State::Guarding : State::Off;
    if (!lock_.is_open()) take_lock();
  }
  world_.resume();  // also what an agent before this one has placed
}

void ShutdownDelay::look() {
  world_.hold();       // where the disk had no room for it at first
  if (asked_) return;  // an authority that hangs is asked once
  asked_ = true;
  world_.verdict([this](const base::Checked<HostVerdict>& verdict) {
    asked_ = false;
    if (state_ != State::Delaying) return;
    if (verdict && verdict->safe_to_stop) return release("the verdict is safe");
    against_ = verdict ? joined(verdict->reasons) : "no verdict: " + verdict.error().message;
  });
}

void ShutdownDelay::release(const std::string& why) {
  spdlog::warn(
      "the shutdown goes on: {}{}", why,
      why.starts_with("the time") && !against_.empty() ? "; it is not safe: " + against_ : "");
  look_.stop();
  limit_.stop();
  lock_ = {};
  state_ = State::Released;
}

}  // namespace sluice::agent
