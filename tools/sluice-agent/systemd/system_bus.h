#pragma once

#include <functional>
#include <memory>
#include <string>

#include <systemd/sd-bus.h>
#include <uv.h>

#include "config/base/error.h"
#include "config/base/timer.h"
#include "config/base/uv_handle.h"

namespace sluice::agent {

// A connection to the system bus on the agent's loop: the one door to sd-bus(3). It never blocks;
// when the bus goes away it is tried again, after a pause that grows to kLongestPause.
//
// DBUS_SYSTEM_BUS_ADDRESS names another bus, as for every program.
class SystemBus {
 public:
  static constexpr base::Duration kFirstPause = std::chrono::milliseconds(200);
  static constexpr base::Duration kLongestPause = std::chrono::seconds(10);
  // A daemon that takes longer is hung: its answer would be told as news when it is none.
  static constexpr base::Duration kCallLimit = std::chrono::seconds(5);

  struct Events {
    // A new connection, on which nothing is matched or asked yet. Also the first.
    std::function<void()> connected;
    // It is gone, and with it all matches; calls that were under way have failed. Said once;
    // failures to come back are not.
    std::function<void(const std::string& why)> lost;
  };
  struct Method {
    const char* destination;
    const char* path;
    const char* interface;
    const char* member;
  };
  // The message belongs to sd-bus and ends with the call.
  using OnSignal = std::function<void(sd_bus_message* signal)>;
  using OnReply = std::function<void(base::Checked<sd_bus_message*> reply)>;

  SystemBus(uv_loop_t* loop, Events events);
  ~SystemBus();
  SystemBus(const SystemBus&) = delete;
  SystemBus& operator=(const SystemBus&) = delete;

  // Connects, from the loop's next turn on.
  void start();
  bool connected() const noexcept { return bus_ != nullptr; }

  // For as long as this connection lives; only while connected. `rule` as in
  // sd_bus_add_match_async(3).
  void match(const std::string& rule, OnSignal on_signal);
  // The arguments as sd_bus_message_append(3) takes them by `types`.
  template <class... Arguments>
  void call(const Method& method, OnReply on_reply, const char* types, Arguments... arguments) {
    sd_bus_slot* slot = nullptr;
    auto context = std::make_unique<OnReply>(std::move(on_reply));
    const int status = sd_bus_call_method_async(
        bus_.get(), &slot, method.destination, method.path, method.interface, method.member,
        &SystemBus::handle_reply, context.get(), types, arguments...);
    hand_over(slot, status, context.release(),
              [](void* mine) { delete static_cast<OnReply*>(mine); });
    arm();
  }

 private:
  struct CloseBus {
    void operator()(sd_bus* bus) const noexcept { sd_bus_close_unref(bus); }
  };

  static int handle_reply(sd_bus_message* reply, void* context, sd_bus_error*);
  static int handle_signal(sd_bus_message* signal, void* context, sd_bus_error*);
  // The slot lives as long as the bus and frees `context` with itself.
  void hand_over(sd_bus_slot* slot, int status, void* context, sd_bus_destroy_t free);
  void connect();
  void process();
  // Waits for what sd-bus waits for.
  void arm();
  void lose(int error);

  uv_loop_t* loop_;
  Events events_;
  std::unique_ptr<sd_bus, CloseBus> bus_;
  base::UvHandle<uv_poll_t> poll_;
  base::Timer retry_;
  base::Timer due_;  // what sd-bus wants to do without input: time limits of calls
  base::Duration pause_ = kFirstPause;
  bool told_lost_ = false;
  bool processing_ = false;
  int broken_ = 0;  // a match or call could not be sent: the errno
};

}  // namespace sluice::agent
