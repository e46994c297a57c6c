#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <uv.h>

#include "config/agent_model.h"
#include "config/base/file_descriptor.h"
#include "config/base/timer.h"
#include "tools/sluice-agent/systemd/system_bus.h"
#include "tools/sluice-agent/verdict_client.h"

namespace sluice::agent {

// Keeps a shutdown of the host waiting until the server is drained, by an inhibitor lock of logind
// in mode "delay" (systemd-inhibit(1)).
//
// When logind prepares for a shutdown all services of this host are paused, by force: the host goes
// down whatever the floor says, and so at least what is in progress may end. Its signal only says
// that there is news, since anybody on the bus can send one like it: logind itself is asked. So is
// it when the bus or logind comes back, for what was announced meanwhile. Then the authority's
// verdict is asked for each second; when it is safe, or `at_most` is over, the lock is let go.
// logind itself waits for its InhibitDelayMaxSec at most: a shorter one is warned of. A shutdown
// that is called off lifts those pauses again.
class ShutdownDelay {
 public:
  struct World {
    std::function<void()> hold;    // pause all services that are not; may be called again
    std::function<void()> resume;  // lift what hold() has placed in this boot
    std::function<void(VerdictClient::Done)> verdict;
  };
  // Who the pauses are by.
  static constexpr const char* kBy = "shutdown";
  // Between two questions: of the size of what a person who waits for a shutdown notices.
  static constexpr base::Duration kLook = std::chrono::seconds(1);
  // Until a lock that logind did not give is asked for again: polkit may just be starting.
  static constexpr base::Duration kAskAgain = std::chrono::minutes(1);

  ShutdownDelay(uv_loop_t* loop, const config::Reboot& settings, World world);
  ShutdownDelay(const ShutdownDelay&) = delete;
  ShutdownDelay& operator=(const ShutdownDelay&) = delete;

  // Takes the lock, when the configuration asks for it.
  void start();

  // For `sluice-agent status`: "a shutdown waits for the verdict, 15min at most"; empty: not asked
  // for.
  std::string text() const;

 private:
  enum class State : std::uint8_t {
    Off,       // no lock: not asked for, or logind does not give it
    Guarding,  // the lock is ours, no shutdown is near
    Delaying,  // one waits for us
    Released,  // we have let it go on
  };

  void on_connected();
  // Asks logind for a property of its manager; nothing happens where it does not answer.
  void ask(const char* property, std::function<void(sd_bus_message*)> on_value);
  void ask_whether_preparing();
  void take_lock();
  void on_lock(const base::Checked<sd_bus_message*>& reply);
  void on_limit(sd_bus_message* value);
  void on_preparing(bool preparing);
  bool shutting_down() const noexcept {
    return state_ == State::Delaying || state_ == State::Released;
  }
  void look();
  void release(const std::string& why);

  config::Reboot settings_;
  World world_;
  State state_ = State::Off;
  base::FileDescriptor lock_;
  bool asked_ = false;   // for a verdict that has not come yet
  std::string failure_;  // why there is no lock
  std::string warning_;  // logind's limit is shorter than ours
  std::string against_;  // what the last verdict said
  base::Timer look_;
  base::Timer limit_;
  base::Timer again_;
  SystemBus bus_;
};

}  // namespace sluice::agent
