#pragma once

#include <functional>
#include <optional>
#include <string>

#include <uv.h>

#include "config/base/timer.h"
#include "tools/supervisor/supervisor.h"

namespace sluice::agent {

// Tells the supervisor how the agent is: ready once the first heartbeat was tried, whatever came of
// it (no authority is no reason to start the agent again); how it stands with the authorities; that
// its loop turns; and, as this goes, that it stops.
class Supervision {
 public:
  // `standing`: Agent::standing(). Nothing is done where nobody listens.
  Supervision(uv_loop_t* loop, Supervisor supervisor,
              std::function<std::optional<std::string>()> standing);
  ~Supervision();
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;

 private:
  void look();

  Supervisor supervisor_;
  std::function<std::optional<std::string>()> standing_;
  std::optional<std::string> told_;
  base::Timer timer_;
};

}  // namespace sluice::agent
