#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/base/clock.h"
#include "health/api/auth.h"
#include "health/event.h"

namespace sluice::health {

// Who is known and asked for what is another's: an agent for a server that is not its own, an
// operator for a pool that is not among its. The first of a kind is told at once, its repetitions
// within a minute once at that minute's end, so that a loop costs two entries of the audit a
// minute. Pure; one thread.
class ForbiddenLog {
 public:
  // Kinds within a minute; beyond them the rest is told together. At most 129 entries a minute.
  static constexpr std::size_t kKinds = 64;
  static constexpr base::Duration kMinute{60'000};

  // `server`: FQDN of one that is configured, or empty. `what`: a sentence that is the same for all
  // of a kind. The event to tell, if this is the first.
  std::optional<Event> record(const Identity& who, std::string_view server, std::string_view what,
                              base::Now now);

  // What came again, of each kind whose minute is over.
  std::vector<Event> take_due(base::Now now);
  // Of all, at the end of the program.
  std::vector<Event> take_all(base::Now now);

  bool empty() const noexcept { return counts_.empty() && !rest_; }

 private:
  using Kind = std::tuple<std::string, std::string, std::string, std::string>;  // by, from, server,
                                                                                // what
  struct Count {
    base::MonoTime since;
    std::uint64_t again = 0;
  };
  std::map<Kind, Count> counts_;
  std::optional<Count> rest_;
};

}  // namespace sluice::health
