#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/base/clock.h"
#include "health/event.h"

namespace sluice {

// Events as lines of the log. Each order has its line; what comes in floods (a site that goes
// silent, ten thousand agents that push for the first time) has some, and then a number. One
// thread.
class EventLines {
 public:
  struct Line {
    bool warning = false;
    std::string text;
  };

  // The line of this event; nothing where it has none.
  std::optional<Line> line_of(const health::Event& event, base::MonoTime now);
  // What tells how many were passed over since the last line, once there is room again.
  std::optional<Line> passed_over(base::MonoTime now);

 private:
  bool has_room(base::MonoTime now);

  base::MonoTime spent_until_;
  std::uint64_t passed_over_ = 0;
};

}  // namespace sluice
