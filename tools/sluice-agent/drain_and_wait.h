#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/base/clock.h"
#include "tools/sluice-agent/control_protocol.h"

namespace sluice::agent {

// `sluice-agent drain-and-wait SERVICE`: for the ExecStop= of a unit, so that `systemctl stop` of
// it, or the restart of an upgrade, waits until nobody is cut off.
//
// The service is paused by force: its unit is being stopped, whatever the floor says, and what can
// still be saved are the sessions in progress. Then the verdict is asked for until it is safe. The
// hold ends as its startup says: automatic, with the next start of the unit. Where the pause cannot
// be kept (the disk of the agent's state is full) it ends at once, as failed: nobody is drained
// then.
class DrainAndWait {
 public:
  struct World {
    std::function<ControlAnswer(const ControlRequest&)> ask;  // the running agent
    std::function<void(const std::string& line)> say;
    std::function<void(base::Duration)> sleep;
    const base::Clock& clock;
  };
  // Between two questions.
  static constexpr base::Duration kLook = std::chrono::seconds(1);
  // Each so often it is said what is waited for, though it is the same.
  static constexpr base::Duration kSayAgain = std::chrono::seconds(30);

  // An agent that is only being restarted is back sooner; its pauses are on disk.
  static constexpr base::Duration kGone = std::chrono::minutes(1);

  // `pause`: what to pause, how and why. No `limit`: as long as it takes.
  DrainAndWait(ControlRequest pause, std::optional<base::Duration> limit, World world);

  // Done: it is safe. Otherwise the text says why not: the time is over, or no agent answers.
  ControlAnswer run();

 private:
  ControlAnswer pause();
  // Whether an agent that gave this answer may still come back.
  bool may_return(const ControlAnswer& answer);
  // What stands against it now; empty: nothing, it is safe.
  base::Checked<std::string> against();
  void say_sometimes(const std::string& text);

  ControlRequest pause_;
  std::optional<base::Duration> limit_;
  World world_;
  std::optional<base::MonoTime> gone_since_;  // the agent
  std::string said_;
  base::MonoTime said_at_{};
};

}  // namespace sluice::agent
