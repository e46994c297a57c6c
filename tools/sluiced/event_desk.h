#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/uv_handle.h"
#include "config/model.h"
#include "health/api/event_hub.h"
#include "health/event.h"
#include "health/store.h"
#include "tools/sluiced/event_lines.h"

namespace sluice {

// Where events go: the log, the API's stream of them, and the audit, whose old entries it removes.
// Control thread only, but for hub().
class EventDesk {
 public:
  struct Ports {
    std::function<const config::Store&()> settings;  // as they are now
    std::function<std::uint64_t()> generation;
  };

  // `loop`, `clock` and `store` must outlive it.
  EventDesk(uv_loop_t* loop, const base::Clock& clock, health::Store& store, Ports ports);

  // The log and the stream; the authority audits its own.
  void tell(const health::Event& event);
  // What the daemon itself has to say, the audit too. Its time and generation are filled in.
  void record(health::Event event);
  // Once there is room, the log says how many lines were passed over.
  void catch_up();

  // Now, and each hour; the audit is pruned by number of entries in between, too.
  void start_pruning();
  void stop_pruning();

  health::EventHub& hub() noexcept { return hub_; }

 private:
  void prune_audit();

  const base::Clock& clock_;
  health::Store& store_;
  const Ports ports_;
  EventLines lines_;
  health::EventHub hub_;
  base::UvHandle<uv_timer_t> pruning_;
  unsigned audited_ = 0;  // entries of the audit since it was pruned
};

}  // namespace sluice
