#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/clock.h"

namespace sluice::agent {

// One line an event on standard error. In the journal each line starts with its priority
// (tools/supervisor/journal.h); elsewhere with time and level.
void set_up_log();

// Foreign text (a command's output, a reply, a reason) on one line and of bounded length: control
// characters become blanks, what is beyond `limit` octets "...".
std::string printable(std::string_view text, std::size_t limit = 300);

// Repeated failures would fill the log of a host whose authority is away: of each kind one line a
// minute, with the number of those that were left out.
class LogLimit {
 public:
  static constexpr base::Duration kInterval = std::chrono::minutes(1);

  // Nothing: say nothing. Otherwise how many of this kind were not said since the last line.
  std::optional<unsigned> admit(std::string_view kind, base::MonoTime now);

  // Logs `text` as a warning where admit() lets it.
  void warn(std::string_view kind, base::MonoTime now, std::string_view text);

 private:
  struct Kind {
    base::MonoTime said;
    unsigned left_out = 0;
  };
  std::map<std::string, Kind, std::less<>> kinds_;  // kinds come from code and configuration
};

}  // namespace sluice::agent
