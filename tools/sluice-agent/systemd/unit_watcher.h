#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <uv.h>

#include "config/base/timer.h"
#include "tools/sluice-agent/systemd/system_bus.h"
#include "tools/sluice-agent/systemd/unit_state.h"

namespace sluice::agent {

// Follows systemd's units by its signals; nothing is polled.
//
// Each signal of a unit only says that there is news: the unit's properties are then asked for as
// a whole, one question a unit at a time, so that the last answer is the present whatever was lost
// or came out of order. When systemd reloads its configuration or is executed anew, and when the
// bus comes back, all are asked for again. A unit that is configured by an alias is followed by its
// first name, the only one that systemd signals.
//
// While the bus is away the units are what they were: a message bus that is restarted stops no
// service, and a host that can't be asked is better believed than taken out. failure() says so.
class UnitWatcher {
 public:
  // Until a question that was not answered is asked again: the answer may have been the news.
  static constexpr base::Duration kAskAgain = std::chrono::seconds(5);

  // `changed`: from the loop, when one of the units is not what it was.
  UnitWatcher(uv_loop_t* loop, std::vector<std::string> units, std::function<void()> changed);

  // Connects to the bus; without units, nothing.
  void start();

  // Not known before systemd's first answer, and of a unit that is not watched.
  UnitState state(std::string_view unit) const;
  // Why nothing new can be heard now; empty: all is well.
  const std::string& failure() const noexcept { return failure_; }

 private:
  struct Unit {
    std::string path;  // of its object on the bus
    UnitState state;
    std::string followed;  // the path of its first name, where that is another
    bool asked = false;    // the answer is on its way
    bool stale = false;    // a signal came meanwhile
  };

  void on_connected();
  void on_lost(const std::string& why);
  void ask_all();
  void ask(const std::string& name, Unit& unit);
  void follow(const std::string& name, Unit& unit, const std::string& path);
  void take(const std::string& name, Unit& unit, base::Checked<sd_bus_message*> reply);

  std::map<std::string, Unit, std::less<>> units_;
  std::function<void()> changed_;
  std::string failure_;
  base::Timer again_;
  SystemBus bus_;
};

}  // namespace sluice::agent
