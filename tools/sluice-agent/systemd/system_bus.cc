#include "tools/sluice-agent/systemd/system_bus.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include <poll.h>

namespace sluice::agent {
namespace {

// Messages in one turn of the loop: a flood of signals must not keep the heartbeats waiting.
constexpr int kAtOnce = 64;

base::Unexpected<base::Error> error_of(sd_bus_message* reply) {
  const sd_bus_error* const error = sd_bus_message_get_error(reply);
  const char* const text = error->message != nullptr ? error->message : error->name;
  return base::failure(text != nullptr ? text : "an error without words");
}

}  // namespace

SystemBus::SystemBus(uv_loop_t* loop, Events events)
    : loop_(loop),
      events_(std::move(events)),
      retry_(loop, [this] { connect(); }),
      due_(loop, [this] { process(); }) {}

// The functions of matches and calls go with the bus; none is called.
SystemBus::~SystemBus() = default;

void SystemBus::start() {
  retry_.start(base::Duration::zero());
}

void SystemBus::connect() {
  sd_bus* bus = nullptr;
  const int opened = sd_bus_open_system_with_description(&bus, "sluice-agent");
  if (opened < 0) return lose(-opened);
  bus_.reset(bus);
  sd_bus_set_method_call_timeout(
      bus, static_cast<std::uint64_t>(std::chrono::microseconds(kCallLimit).count()));
  auto* poll = new uv_poll_t;
  if (const int status = uv_poll_init(loop_, poll, sd_bus_get_fd(bus)); status != 0) {
    delete poll;
    return lose(-status);
  }
  poll->data = this;
  poll_.reset(poll);
  events_.connected();
  arm();
}

int SystemBus::handle_reply(sd_bus_message* reply, void* context, sd_bus_error*) {
  const auto& on_reply = *static_cast<const OnReply*>(context);
  if (sd_bus_message_is_method_error(reply, nullptr) != 0) {
    on_reply(error_of(reply));
  } else {
    on_reply(reply);
  }
  return 0;
}

int SystemBus::handle_signal(sd_bus_message* signal, void* context, sd_bus_error*) {
  // The answer to the request for the match comes here too when it is an error.
  if (sd_bus_message_is_method_error(signal, nullptr) == 0) {
    (*static_cast<const OnSignal*>(context))(signal);
  }
  return 0;
}

void SystemBus::match(const std::string& rule, OnSignal on_signal) {
  sd_bus_slot* slot = nullptr;
  auto context = std::make_unique<OnSignal>(std::move(on_signal));
  const int status = sd_bus_add_match_async(bus_.get(), &slot, rule.c_str(),
                                            &SystemBus::handle_signal, nullptr, context.get());
  hand_over(slot, status, context.release(),
            [](void* mine) { delete static_cast<OnSignal*>(mine); });
  arm();
}

void SystemBus::hand_over(sd_bus_slot* slot, int status, void* context, sd_bus_destroy_t free) {
  if (status < 0) {
    // A connection that has ended, or has no room any more. Told from the loop, as all else.
    free(context);
    broken_ = -status;
    due_.start(base::Duration::zero());
    return;
  }
  sd_bus_slot_set_destroy_callback(slot, free);
  sd_bus_slot_set_floating(slot, 1);
  sd_bus_slot_unref(slot);
}

void SystemBus::process() {
  if (const int broken = std::exchange(broken_, 0); broken != 0) return lose(broken);
  processing_ = true;
  int status = 1;
  for (int i = 0; i < kAtOnce && status > 0; ++i) status = sd_bus_process(bus_.get(), nullptr);
  processing_ = false;
  if (status < 0) return lose(-status);
  // Greeted by the bus: it does not only accept and hang up.
  if (sd_bus_is_ready(bus_.get()) > 0) {
    pause_ = kFirstPause;
    told_lost_ = false;
  }
  arm();
  if (status > 0) due_.start(base::Duration::zero());
}

void SystemBus::arm() {
  if (!bus_ || !poll_ || processing_ || broken_ != 0) return;
  const int wanted = sd_bus_get_events(bus_.get());
  std::uint64_t until = 0;  // CLOCK_MONOTONIC, microseconds
  const int timed = sd_bus_get_timeout(bus_.get(), &until);
  if (wanted < 0 || timed < 0) return lose(wanted < 0 ? -wanted : -timed);
  const int events =
      ((wanted & POLLIN) != 0 ? UV_READABLE : 0) | ((wanted & POLLOUT) != 0 ? UV_WRITABLE : 0);
  uv_poll_start(poll_.get(), events,
                [](uv_poll_t* poll, int, int) { static_cast<SystemBus*>(poll->data)->process(); });
  if (until == UINT64_MAX) return due_.stop();
  const std::uint64_t now = uv_hrtime() / 1000;
  // Rounded up: a timer that fires early would spin.
  due_.start(
      base::Duration(until > now ? static_cast<std::int64_t>((until - now + 999) / 1000) : 0));
}

void SystemBus::lose(int error) {
  broken_ = 0;
  poll_.reset();
  bus_.reset();
  due_.stop();
  retry_.start(pause_);
  pause_ = std::min(pause_ * 2, kLongestPause);
  if (!std::exchange(told_lost_, true)) events_.lost(std::strerror(error));
}

}  // namespace sluice::agent
